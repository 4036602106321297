"""The answers of the generation, and the files that follow from them: one owner for generation and for `model setup --…`.

Standard library only: both run before there is an environment. Files are edited as text, so that comments and order stay.
"""

from __future__ import annotations

import difflib
import json
import re
import shlex
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import UsageError, VersioningError

RULES = "versioning.yaml"
README = "README.md"
CHOICES = {
    "policy": ("solo", "team", "regulated"),
    "ci": ("github", "gitlab", "jenkins"),
    "registry": ("git", "mlflow", "sagemaker", "mlmd"),
}
KEYS = ("team", *CHOICES)
_SERVICES = Path(__file__).resolve().parent / "services"
#: Parts of infra/README.md, and not files of a repository.
_PARTS = ("rule.md", "withdraw.md")
#: How the tree in README.md shows where the service looks.
_IN_TREE = {"github": ".github/workflows/", "gitlab": ".gitlab-ci.yml     ", "jenkins": "Jenkinsfile        "}
_SLUG = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


@dataclass(frozen=True)
class Change:
    """A file that becomes another; None where there is none before or after."""

    path: str
    before: str | None
    after: str | None

    def diff(self) -> str:
        """The change as `git diff` shows it."""
        old = "/dev/null" if self.before is None else f"a/{self.path}"
        new = "/dev/null" if self.after is None else f"b/{self.path}"
        lines = difflib.unified_diff(_lines(self.before), _lines(self.after), old, new)
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)

    def apply(self, root: Path) -> None:
        """Write the file, through a link to where it is, or remove it with the folders that are empty then."""
        place = root / self.path
        if self.after is not None:
            place = place.resolve()
            place.parent.mkdir(parents=True, exist_ok=True)
            draft = place.with_name(f"{place.name}.draft")
            draft.write_bytes(self.after.encode("utf-8", "surrogateescape"))
            if place.exists():
                draft.chmod(place.stat().st_mode & 0o777)
            draft.replace(place)
            return
        place.unlink(missing_ok=True)
        for folder in place.parents:
            if folder == root or any(folder.iterdir()):
                break
            folder.rmdir()


@dataclass(frozen=True)
class Plan:
    """What another answer changes, and what it would change had a person not changed it first."""

    changes: tuple[Change, ...] = ()
    #: A sentence each, with the difference.
    kept: tuple[str, ...] = ()


def checked(key: str, value: str) -> str:
    """The value of an answer as generation would take it.

    Raises:
        UsageError: it would not.
    """
    if key in CHOICES:
        if value not in CHOICES[key]:
            raise UsageError(f"--{key} is one of {', '.join(CHOICES[key])}, not {value!r}")
        return value
    if not _SLUG.fullmatch(value) or len(value) > 63:
        plain = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode().lower()
        name = re.sub(r"[^a-z0-9]+", "-", plain)[:63].strip("-")
        rule = "lower case, digits and hyphens, at most 63"
        raise UsageError(f"--team is a name ({rule}), not {value!r}", _again("--team", value, name) if name else None)
    return value


def _again(option: str, old: str, new: str) -> str:
    """What was typed, with another value of one option: the others are wanted as well."""
    typed = sys.argv[1:]
    words = [option, new]
    if typed[:1] == ["setup"] and (option in typed or f"{option}={old}" in typed):
        words = [f"{option}={new}" if word == f"{option}={old}" else word for word in typed[1:]]
        words = [new if before == option else word for before, word in zip(["", *words], words, strict=False)]
    return shlex.join(["model", "setup", *words])


def current(root: Path) -> dict[str, str]:
    """What `versioning.yaml` answers now.

    Raises:
        VersioningError: it is not there, or not one line an answer.
    """
    text = read(root / RULES)
    if text is None:
        raise UsageError(f"{RULES} is not there", f"git checkout HEAD -- {RULES}")
    return {key: _value(text, key) for key in KEYS}


def service_files(ci: str) -> dict[str, str]:
    """What a service needs of a repository, by path: its own file where it looks for it, and the server's rule."""
    folder = _SERVICES / ci
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    page = (_SERVICES / "infra.md").read_text("utf-8")
    for part in _PARTS:
        content = f"\n{files.pop(part).read_text('utf-8')}\n" if part in files else ""
        page = page.replace(f"<!-- {part} -->\n", content)
    texts = {name: path.read_text("utf-8") for name, path in files.items()}
    return texts | {"infra/README.md": re.sub(r"\n{3,}", "\n\n", page).rstrip("\n") + "\n"}


def plan(root: Path, wanted: Mapping[str, str]) -> Plan:
    """What these answers change in a repository."""
    now = current(root)
    rules = before = read(root / RULES) or ""
    readme = shown = read(root / README) or ""
    service = Plan()
    for key, value in wanted.items():
        rules = _answered(rules, key, value)
    if "team" in wanted:
        rules = _scope_renamed(rules, now["team"], wanted["team"])
        readme = readme.replace(f"the team **{now['team']}**", f"the team **{wanted['team']}**")
    if "ci" in wanted:
        service = services(root, now["ci"], wanted["ci"])
        if now["ci"] in _IN_TREE:
            readme = readme.replace(f"└── {_IN_TREE[now['ci']]} ", f"└── {_IN_TREE[wanted['ci']]} ")
    # The rules come last: what they say is where all else starts from, also after an interruption.
    changes = (*service.changes, Change(README, shown, readme), Change(RULES, before, rules))
    return Plan(tuple(change for change in changes if change.before != change.after), service.kept)


def services(root: Path, old: str, new: str) -> Plan:
    """Another service's files in place of the ones there are; what a person changed in them stays, and is said."""
    shipped = {ci: service_files(ci) for ci in CHOICES["ci"]}
    after = shipped[new]
    changes, kept = [], []
    # Of every service, not of `old` alone: who was interrupted half way has files of both.
    for path in sorted({path for files in shipped.values() for path in files}):
        wanted = after.get(path)
        # What has the name of another service's file, and is none, is nobody's business.
        here = read(root / path) if wanted is not None or (root / path).is_file() else None
        if here == wanted:
            continue
        if here is None or here in [files[path] for files in shipped.values() if path in files]:
            changes.append(Change(path, here, wanted))
            continue
        own = shipped.get(old, {}).get(path, wanted) or ""
        cure = f"model setup --ci {new}" if wanted is not None else "git add -A"
        kept.append(
            f"{path} is not as the template made it, and stays as it is; if nothing of it is needed: "
            f"rm {path} && {cure}\n{Change(path, own, here).diff()}"
        )
    return Plan(tuple(changes), tuple(kept))


def _answered(text: str, key: str, value: str) -> str:
    """`versioning.yaml` with another answer; the line's comment and everything else stay."""
    written = json.dumps(value) if key == "team" else value  # a team may be called `no`
    if _value(text, key) == value:
        return text
    changed = _line(key).sub(lambda found: f"{found['head']}{written}{found['tail']}", text, count=1)
    if _value(changed, key) != value:
        raise VersioningError(f"{RULES}: {key} could not be set to {value!r}: write it there by hand")
    return changed


def _scope_renamed(text: str, old: str, new: str) -> str:
    """The objectives for a team that has another name now, where they name it; comments and quotes stay."""
    objectives = re.search(r"(?m)^objectives:[^\n]*\n(?:(?:[ \t#\r][^\n]*)?\n)*", text)
    listed = r"(?m)^(?P<in>[ \t]+)teams:[^\n]*(?:\n(?P=in)[ \t]*(?:-|#)[^\n]*)*"
    teams = re.search(listed, objectives[0]) if objectives else None
    if objectives is None or teams is None:
        return text
    plain = new if re.fullmatch(r"[a-z][a-z0-9-]{3,}", new) and new not in {"true", "false", "null"} else json.dumps(new)
    name = re.compile(rf"""(?<![\w.-])(?P<q>["']?){re.escape(old)}(?P=q)(?![\w.-])""")

    def renamed(line: str) -> str:
        said, comment, rest = line.partition(" #")
        written = name.sub(lambda found: f"{found['q']}{new}{found['q']}" if found["q"] else plain, said)
        return f"{written}{comment}{rest}"

    lines = [line if line.lstrip().startswith("#") else renamed(line) for line in teams[0].split("\n")]
    start = objectives.start() + teams.start()
    return text[:start] + "\n".join(lines) + text[start + len(teams[0]) :]


def _value(text: str, key: str) -> str:
    found = _line(key).findall(text)
    if len(found) != 1:
        said = "has no line" if not found else f"has {len(found)} lines"
        raise VersioningError(f"{RULES} {said} such as `{key}: {CHOICES.get(key, ('data-science',))[0]}`: mend it by hand")
    return str(found[0][1]).strip("\"'")


def _line(key: str) -> re.Pattern[str]:
    value = r"""(?P<value>"[^"\\\r\n]*"|'[^'\r\n]*'|[^\s"'#&*!|>%@`\[{][^\s#]*)"""
    return re.compile(rf"(?m)^(?P<head>{key}:[ \t]+){value}(?P<tail>[ \t]*(?:[ \t]#[^\r\n]*)?\r?)$")


def read(path: Path) -> str | None:
    """A file's text as it is written, line ends too; None where there is none.

    Raises:
        UsageError: a folder has its name, or a file that of the folder it belongs in.
    """
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder, and a file belongs there", _aside(path)) from None
    except NotADirectoryError:
        file = next(parent for parent in path.parents if parent.exists())
        raise UsageError(f"{file} is a file, and a folder belongs there", _aside(file)) from None


def _aside(path: Path) -> str:
    place = shlex.quote(str(path))
    return f"mv {place} {place}-before"


def _lines(text: str | None) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text or "")  # not splitlines: a form feed ends no line
