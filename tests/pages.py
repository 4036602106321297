"""A page of the documentation, followed word by word: what it says to type is typed, what it says to change is changed.

Of a page's fenced blocks these count, in their order:

- `sh`: typed into a shell, in the folder where the block before it ended, with the environment that was activated;
- `text` right after it: lines that must be among the answers, in this order; `…` stands for anything;
- `diff` with a `title`: lines of that file that are replaced, as a person does in an editor.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = re.compile(r"^```(sh|text|diff)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ACTIVATE = ". .venv/bin/activate"


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file that its title names, its text."""

    language: str
    title: str
    text: str


def blocks(page: Path) -> list[Block]:
    """The blocks of a page that a reader acts on."""
    return [Block(*found) for found in BLOCK.findall(page.read_text("utf-8"))]


@dataclass
class Reader:
    """A person with a shell who does what a page says.

    Args:
        folder: where the shell starts.
        type_instead: what is typed for a line of the page; for lines that would ask a person or load packages.
    """

    folder: Path
    environment: dict[str, str]
    type_instead: Callable[[str], str] = lambda line: line
    story: list[str] = field(default_factory=list)

    def follow(self, page: Path) -> None:
        """Do all that the page says, and hold its answers against those that come."""
        said = ""
        for block in blocks(page):
            if block.language == "sh":
                said = self._type(block.text)
            elif block.language == "diff":
                self._edit(block)
            else:
                assert not (missing := next(_missing(block.text, said), "")), f"{missing!r} is not in\n{said}\n{self._told()}"

    def _type(self, text: str) -> str:
        lines = [self.type_instead(line) for line in text.splitlines()]
        refused = [line for line in lines if line.endswith("# refused")]
        script = "\n".join(f"{{ {line}\n}} && exit 99 || true" if line in refused else line for line in lines)
        where = self.folder / ".where"
        done = subprocess.run(
            ["sh", "-ec", f"{script}\npwd > '{where}'"], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        self.story.append(f"$ {text}{done.stdout}")
        assert done.returncode == 0, f"ended with {done.returncode}\n{self._told()}"
        self.folder = Path(where.read_text("utf-8").strip())
        where.unlink()
        if _ACTIVATE in lines:
            self.environment = self.environment | {
                "PATH": os.pathsep.join([str(self.folder / ".venv/bin"), self.environment["PATH"]])
            }
        return done.stdout

    def _edit(self, block: Block) -> None:
        file = self.folder / block.title
        text = file.read_text("utf-8")
        for old, new in _replaced(block.text):
            assert text.count(old) == 1, f"{block.title} holds {text.count(old)} times:\n{old}"
            text = text.replace(old, new)
        file.write_text(text, "utf-8")
        self.story.append(f"(edit {block.title})\n{block.text}")

    def _told(self) -> str:
        return "\n".join(self.story)


def _replaced(diff: str) -> Iterator[tuple[str, str]]:
    """The old and the new lines of each run of `-`, `+` and unmarked lines; a run ends where another begins."""
    for run in re.split(r"(?<=\n)(?=\.\.\.\n)", diff):
        lines = [line for line in run.splitlines(keepends=True) if line != "...\n"]
        yield (
            "".join(line[1:] for line in lines if not line.startswith("+")),
            "".join(line[1:] for line in lines if not line.startswith("-")),
        )


def _missing(expected: str, said: str) -> Iterator[str]:
    rest = said
    for line in filter(None, map(str.strip, expected.splitlines())):
        found = re.search(".*?".join(map(re.escape, line.split("…"))), rest)
        if found is None:
            yield line
            return
        rest = rest[found.end() :]
