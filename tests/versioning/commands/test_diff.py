"""`model diff` and `model show` of several releases: what is said, what is added, and what cannot be read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TEMPLATE, git
from tests.versioning import small
from versioning import comparison, table
from versioning.documents import ABSENT


@dataclass
class Clone:
    """A small repository with releases v0.1.0 and v0.2.0, and a third that waits."""

    path: Path
    made: small.Small

    def run(self, *arguments: str, columns: int = 100) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "versioning", *arguments], cwd=self.path, capture_output=True, text=True, check=False,
            env={**os.environ, "COLUMNS": str(columns)},
        )  # fmt: skip

    def ok(self, *arguments: str, columns: int = 100) -> str:
        done = self.run(*arguments, columns=columns)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def json(self, *arguments: str) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.ok(*arguments, "--json"))
        return loaded

    def git(self, *arguments: str) -> str:
        return git(self.path, *arguments)

    def tagged(self, tag: str, changes: Mapping[str, bytes | None]) -> None:
        """A release past the gate."""
        self.git("tag", tag, self.made.forge(changes))

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.path / path).read_text("utf-8")
        assert old in text
        (self.path / path).write_text(text.replace(old, new, 1), "utf-8")


@pytest.fixture
def clone(template: Path, tmp_path: Path) -> Clone:
    made = small.build(tmp_path / "clone", released=2)
    (made.path / "versioning").symlink_to(template / TEMPLATE / "versioning")
    (made.path / ".venv").symlink_to(sys.prefix)
    (made.path / ".git/info/exclude").parent.mkdir(exist_ok=True)
    (made.path / ".git/info/exclude").write_text("/versioning\n/.venv\n")
    return Clone(made.path, made)


def rows(said: str) -> dict[str, list[str]]:
    """The cells of each line by the name on its left."""
    lines = (line.split("  ") for line in said.splitlines() if line.startswith("  "))
    cells = ([cell.strip() for cell in line if cell.strip()] for line in lines)
    return {name: values for name, *values in cells}


def test_what_differs_stands_side_by_side(clone: Clone) -> None:
    said = clone.ok("diff", "v0.1.0", "v0.2.0")
    assert said.splitlines()[0].split() == ["v0.1.0", "v0.2.0", "change"]
    found = rows(said)
    assert found["train.C"] == ["1.0", "2.0"]
    assert found["roc_auc"] == ["0.8001", "0.8002", "+0.0001 better"]  # the threshold says at least
    assert found["commits"] == ["-", "2 later"]
    assert "accuracy" not in said and "\nfeatures\n" not in said and "\ndata\n" not in said


def test_all_rows_where_they_are_asked_for(clone: Clone) -> None:
    found = rows(clone.ok("diff", "v0.1.0", "v0.2.0", "--all", columns=200))
    assert found["accuracy"] == ["0.805536", "0.805536"]
    assert found["Contract"] == ["category: Month-to-month, One year, Two year"] * 2
    assert found["scikit-learn"] == ["1.9.1", "1.9.1"]
    assert found["id"] == ["telco-churn-2020-06-25"] * 2 and found["size"] == [str(len(small.RAW))] * 2


def test_json_holds_whole_values(clone: Clone) -> None:
    said = clone.json("diff", "v0.1.0", "v0.2.0")
    assert said["sides"] == ["v0.1.0", "v0.2.0"] and said["notes"] == []
    assert said["parameters"] == {"train.C": {"v0.1.0": 1.0, "v0.2.0": 2.0}}
    assert len(said["release"]["artifact.sha256"]["v0.1.0"]) == 64
    assert set(said) == {"sides", *comparison.SECTIONS, "notes"}
    assert "accuracy" in clone.json("diff", "v0.1.0", "v0.2.0", "--all")["metrics"]


def test_one_release_and_itself(clone: Clone) -> None:
    assert clone.ok("diff", "v0.1.0", "v0.1.0") == "v0.1.0 and v0.1.0: nothing differs in what they record\n"


def test_the_working_tree_is_the_other_side_by_default(clone: Clone) -> None:
    clone.edit(f"{small.SRC}/train.py", "STEPS", "STEPS: list = []\nSTEPS")
    (clone.path / f"{small.SRC}/evaluate.py").rename(clone.path / f"{small.SRC}/measure.py")
    said = clone.ok("diff", "v0.2.0")
    found = rows(said)
    assert said.splitlines()[0].split() == ["v0.2.0", "working", "tree", "change"]
    assert found["train.C"] == ["2.0", "3.0"]
    assert found[f"{small.SRC}/train.py"] == ["-", "+1 -0"] and found[f"{small.SRC}/evaluate.py"] == ["-", "+0 -6"]
    assert f"was made before {small.SRC}/" in said and said.endswith("changed: dvc repro\n")


@pytest.mark.parametrize("name", ["tag:v0.1.0", "commit:{commit}", "v0.1.0-prod", "{commit}", "main~4"])
def test_each_name_of_a_release_or_a_revision(clone: Clone, name: str) -> None:
    commit = clone.git("rev-parse", "v0.1.0^{commit}")
    assert rows(clone.ok("diff", name.format(commit=commit), "v0.2.0"))["train.C"] == ["1.0", "2.0"]


def test_a_branch(clone: Clone) -> None:
    clone.git("branch", "a-branch")
    said = clone.ok("diff", "v0.2.0", "a-branch")
    assert said.splitlines()[0].split()[:2] == ["v0.2.0", "a-branch"] and rows(said)["version"] == ["v0.2.0", "v0.3.0"]


def test_what_is_not_there(clone: Clone) -> None:
    done = clone.run("diff", "v0.1.0", "v7.0.0")
    assert done.returncode == 2 and "there is no release 'v7.0.0' here; the latest are: v0.1.0, v0.2.0" in done.stderr


def spec(*names: str, **kinds: Any) -> bytes:
    listed = [{"name": name, **kinds.get(name, {"type": "number"})} for name in names]
    return json.dumps({**small.spec(), "features": listed}).encode()


def test_features_that_came_and_went(clone: Clone) -> None:
    before = clone.path / small.FEATURES
    after = spec("tenure", "Contract", "Age", Contract={"type": "category", "categories": ["One year", "Ten years"]})
    before.write_bytes(after)
    said = clone.ok("diff", "v0.2.0", columns=200)
    found = rows(said)
    assert found["MonthlyCharges"] == ["number", "-"] and found["Age"] == ["-", "number"]
    assert found["Contract"] == ["category: Month-to-month, One year, Two year", "category: One year, Ten years"]
    assert "note: the input MonthlyCharges is gone, which breaks callers of v0.2.0\n" in said
    assert "note: the input Contract no longer knows «Month-to-month», «Two year», which breaks callers" in said
    assert "note: the input Age is new: callers have to send it\n" in said


def test_features_that_are_derived(clone: Clone) -> None:
    def derived(**kinds: str) -> bytes:
        return json.dumps({**small.spec(), "derived": [{"name": name, "type": kind} for name, kind in kinds.items()]}).encode()

    clone.git("tag", "-a", "v0.3.0", "-m", "v0.3.0", clone.made.forge(clone.made.with_spec(derived(ratio="number", kind="text"))))
    (clone.path / small.FEATURES).write_bytes(derived(ratio="text", sum="number"))
    said = clone.ok("diff", "v0.3.0", columns=200)
    found = rows(said)
    assert found["derived ratio"] == ["number", "text"]
    assert found["derived kind"] == ["text", "-"] and found["derived sum"] == ["-", "number"]
    assert "note: derived feature ratio was a number and is a text\n" in said
    assert "note: derived feature kind is gone\n" in said and "note: derived feature sum is new\n" in said
    assert rows(clone.ok("show", "v0.2.0", "v0.3.0", columns=200))["derived kind"] == ["-", "text"]


def test_features_whose_bytes_are_elsewhere(clone: Clone) -> None:
    clone.made.cached(small.FEATURES).unlink()
    said = clone.ok("diff", "v0.1.0", "v0.2.0")
    assert f"note: the features of v0.1.0 are not here: dvc fetch --all-tags {small.FEATURES}" in said
    (clone.path / small.FEATURES).unlink()
    assert f"the features of working tree are not here: dvc pull {small.FEATURES}" in clone.ok("diff", "v0.1.0")


def test_packages_that_changed(clone: Clone) -> None:
    lock = b"# a comment\nscikit-learn==1.10.0 ; python_version > '3' \\\n    --hash=sha256:00\nnew_One[extra]==2\n"
    clone.tagged("v0.3.0", {"requirements.lock": lock})
    found = clone.json("diff", "v0.2.0", "v0.3.0")["packages"]
    assert found == {
        "scikit-learn": {"v0.2.0": "1.9.1", "v0.3.0": "1.10.0"},
        "skops": {"v0.2.0": "0.16.0"},
        "new-one": {"v0.3.0": "2"},
    }


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, f"v0.3.0 has no sidecar {small.SIDECAR}"),
        (b"{", f"v0.3.0: {small.SIDECAR} is not JSON: line 1 column 2"),
        (b"[]", f"v0.3.0: {small.SIDECAR} holds a list, not a mapping"),
        (b'{"metrics": 3, "hyperparameters": [1], "artifact": null, "features": "x", "environment": 1}', None),
    ],
)
def test_a_sidecar_that_cannot_be_read_is_said(clone: Clone, content: bytes | None, says: str | None) -> None:
    clone.tagged("v0.3.0", {small.SIDECAR: content})
    for arguments in (("diff", "v0.2.0", "v0.3.0"), ("diff", "v0.3.0"), ("show", "v0.2.0", "v0.3.0")):
        assert says is None or says in clone.ok(*arguments, columns=300)
        clone.json(*arguments)
    said = clone.ok("show", "v0.3.0")
    assert "contradicted by" in said and (says is None or says.partition(" ")[2][-20:] in said or "is not there" in said)


def test_a_policy_and_a_pipeline_that_cannot_be_read(clone: Clone) -> None:
    clone.tagged("v0.3.0", {"versioning.yaml": b"team: [a]\n", "dvc.yaml": b"stages: 3\n"})
    said = clone.ok("diff", "v0.2.0", "v0.3.0", columns=200)
    assert "note: v0.3.0: versioning.yaml: team holds ['a'], not a text" in said


def test_three_releases_side_by_side(clone: Clone) -> None:
    clone.git("tag", "-a", "v0.3.0", "-m", "v0.3.0")
    said = clone.ok("show", "v0.1.0", "v0.2.0", "v0.3.0", columns=120)
    found = rows(said)
    assert said.splitlines()[0].split() == ["v0.1.0", "v0.2.0", "v0.3.0"]
    assert found["train.C"] == ["1.0", "2.0", "3.0"] and found["accuracy"] == ["0.805536"] * 3
    assert found["contradicted by"] == ["nothing"] * 3
    data = clone.json("show", "v0.1.0", "v0.2.0", "v0.3.0")
    assert data["sides"] == ["v0.1.0", "v0.2.0", "v0.3.0"] and data["release"]["contradicted by"]["v0.3.0"] == "nothing"


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
def test_it_fits_the_terminal(clone: Clone, columns: int) -> None:
    for arguments in (("diff", "v0.1.0", "v0.2.0", "--all"), ("show", "v0.1.0", "v0.2.0")):
        lines = [line for line in clone.ok(*arguments, columns=columns).splitlines() if not line.startswith("note: ")]
        assert max(map(len, lines)) <= max(columns, 60)


def test_lists_that_are_too_long_say_what_went_and_came(clone: Clone) -> None:
    names = [f"a column with a name {number}" for number in range(9)]
    for tag, listed in (("v0.3.0", [*names, "PLZ"]), ("v0.4.0", [*names, "X"])):
        content = json.loads(clone.made.files[small.SIDECAR])
        content["hyperparameters"]["features"]["numeric"] = listed
        clone.tagged(tag, {small.SIDECAR: json.dumps(content).encode()})
    assert rows(clone.ok("diff", "v0.3.0", "v0.4.0", columns=80))["features.numeric"] == ["10 values", "-PLZ +X"]
    shown = clone.ok("show", "v0.3.0", "v0.4.0", "v0.3.0", columns=100)
    assert rows(shown)["features.numeric"] == ["10 values", "-PLZ +X", "the same"]


def test_categories_that_are_too_many_say_what_went_and_came(clone: Clone) -> None:
    known = [f"{number:05}" for number in range(10_000, 10_050)]

    def written(*values: str) -> bytes:
        return spec("Zip", "Other", Zip={"type": "category", "categories": [*values]})

    clone.git("tag", "v0.3.0", clone.made.forge(clone.made.with_spec(written(*known, "99968"))))
    (clone.path / small.FEATURES).write_bytes(written("01067", *known))
    assert rows(clone.ok("diff", "v0.3.0", columns=80))["Zip"] == ["category: 51 values", "category: -99968 +01067"]
    (clone.path / small.FEATURES).write_bytes(spec("Zip", "Other"))
    first, second = rows(clone.ok("diff", "v0.3.0", columns=80))["Zip"]
    assert first.startswith("category: 10000, ") and second == "number"


@pytest.mark.parametrize(
    ("texts", "width", "told"),
    [
        (["/a/long/way/to/one.csv", "/a/long/way/to/two.csv"], 12, ["…way/to/one…", "…way/to/two…"]),
        (["the same and then this", "the same and then that"], 10, ["… then this", "… then that"]),
        (["x and the rest of it all", "y and the rest of it all"], 10, ["x and the…", "y and the…"]),
    ],
)
def test_texts_that_are_too_long_lose_what_they_have_in_common(texts: list[str], width: int, told: list[str]) -> None:
    found = [*table._told_apart(texts, texts, width)]
    assert all(len(text) <= width for text in found) and len({*found}) == 2, found


def test_times_are_said_to_the_minute_in_utc(clone: Clone) -> None:
    assert rows(clone.ok("diff", "v0.1.0", "v0.2.0"))["created_at"] == ["2024-01-01 01:00 UTC", "2024-01-01 02:00 UTC"]
    assert table.minute("2024-01-01T01:00:59+02:00") == "2023-12-31 23:00 UTC"
    assert [table.minute(value) for value in ("soon", None, 3, "2024-01-01")] == ["soon", None, 3, "2024-01-01"]


def test_the_two_commits_of_a_release_have_two_names(clone: Clone) -> None:
    released, trained = clone.git("rev-parse", "v0.2.0^{commit}"), clone.git("rev-parse", "v0.2.0^{commit}~")
    said = clone.ok("show", "v0.2.0")
    assert f"released commit              {released}\n" in said and f"trained at                   {trained}\n" in said
    assert clone.json("show", "v0.2.0")["commit"] == released and clone.json("show", "v0.2.0")["sidecar"]["commit"] == trained
    found = rows(clone.ok("show", "v0.1.0", "v0.2.0"))
    assert found["released commit"][1] == released[:12] and found["trained at"][1] == trained[:12]
    assert rows(clone.ok("diff", "v0.1.0", "v0.2.0"))["trained at"][1] == trained[:12]


def test_one_release_fits_the_terminal(clone: Clone) -> None:
    content = json.loads(clone.made.files[small.SIDECAR])
    content["hyperparameters"] |= {
        "a_name_that_is_longer_than_its_column": 1,
        "many": [f"column {number}" for number in range(30)],
    }
    clone.tagged("v0.3.0", {small.SIDECAR: json.dumps(content).encode()})
    said = [
        line for line in clone.ok("show", "v0.3.0", columns=80).splitlines() if not line.startswith(("contradicted", "annotated"))
    ]
    assert max(map(len, said)) <= 80
    assert said[said.index("hyperparameters.a_name_that_is_longer_than_its_column") + 1] == f"{'':<28} 1"
    assert "column 29" in " ".join(said), "nothing of a list is lost"
    whole = clone.ok("show", "v0.3.0", columns=200)
    assert content["artifact"]["sha256"] in whole and content["artifact"]["sha256"] not in "".join(said)


@pytest.mark.parametrize(
    ("columns", "heads", "by"),
    [
        (200, "version released commit data metrics by", "<tests@example.org>"),
        (100, "version released commit data metrics by", ""),
        (80, "version released commit data metrics by", ""),
        (60, "version released commit data by", ""),
    ],
)
def test_the_list_fits_the_terminal(clone: Clone, columns: int, heads: str, by: str) -> None:
    clone.git("tag", "-a", "v0.3.0", "-m", "v0.3.0")
    lines = clone.ok("list", columns=columns).splitlines()
    assert lines[0].split() == heads.split() and len(lines) == 4 and max(map(len, lines)) <= max(columns, 70)
    assert ("<" in lines[-1]) == bool(by)


def test_no_colour_where_nobody_looks(clone: Clone) -> None:
    assert "\033" not in clone.ok("diff", "v0.1.0", "v0.2.0")


def test_several_models(clone: Clone) -> None:
    pipeline = clone.made.files["dvc.yaml"] + b"  uplift:\n    path: models/uplift.skops\n    type: model\n"
    other = clone.made.files[small.SIDECAR].replace(b'"customer-churn"', b'"uplift"').replace(b'"C": 3.0', b'"C": 9.0')
    clone.tagged("uplift/v0.3.0", {"dvc.yaml": pipeline, "models/uplift.json": other})
    clone.git("tag", "customer-churn/v0.3.0", "uplift/v0.3.0")
    assert rows(clone.ok("diff", "v0.2.0", "customer-churn/v0.3.0"))["train.C"] == ["2.0", "3.0"]
    found = clone.json("diff", "v0.2.0", "uplift/v0.3.0")
    assert found["notes"][0] == "v0.2.0 has no sidecar models/uplift.json"
    assert found["parameters"]["train.C"] == {"uplift/v0.3.0": 9.0}
    ambiguous = clone.run("diff", "v0.2.0", "v0.3.0")
    assert ambiguous.returncode == 2 and "could be any of customer-churn/v0.3.0 and uplift/v0.3.0" in ambiguous.stderr
    assert rows(clone.ok("diff", "v0.2.0", "v0.3.0", "--model", "customer-churn"))["train.C"] == ["2.0", "3.0"]
    assert clone.json("show", "v0.3.0", "--model", "uplift")["sidecar"]["model_name"] == "uplift"
    assert clone.run("diff", "v0.2.0", "v0.3.0", "--model", "nobody").returncode == 2


def test_the_names_of_packages_are_compared_as_indexes_do() -> None:
    assert comparison.packages(b"A_b.C==1\n  # via x\nd == 2 \\\n --hash=1\ne>=3\n-e .\n") == {"a-b-c": "1", "d": "2"}


@pytest.mark.parametrize(
    ("text", "width", "fits"), [("short", 9, "short"), ("abcdefghijkl", 7, "abc…jkl"), ("abcdefghijkl", 8, "abcd…jkl")]
)
def test_a_long_text_loses_its_middle(text: str, width: int, fits: str) -> None:
    assert table.shortened(text, width) == fits


def test_cells() -> None:
    assert [table.shown(value) for value in (ABSENT, None, True, [1, "a"], "a\nb", 1.0, "d" * 64)] == [
        "-", "None", "true", "1, a", "a b", "1.0", "d" * 12,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("bounds", "now", "said"),
    [
        ("{min: 0.1}", 0.9, "+0.1 better"),
        ("{max: 0.9}", 0.9, "+0.1 worse"),
        ("{min: 0.1, max: 0.9}", 0.9, "+0.1"),
        ("", 0.7, "-0.1"),
        ("", 0.8, ""),
    ],
)
def test_better_and_worse_only_where_a_threshold_says_the_way(bounds: str, now: float, said: str) -> None:
    from versioning.policy import Policy, Threshold

    marks = dict(part.strip(" {}").split(": ") for part in bounds.split(",") if part)
    threshold = Threshold("m", *(float(marks[key]) if key in marks else None for key in ("min", "max")))
    rules = Policy(thresholds=(threshold,) if bounds else ())
    assert comparison._change(comparison.Row("metrics", "m", (0.8, now)), rules) == said
