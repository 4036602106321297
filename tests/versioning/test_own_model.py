"""Another model, other features and another metric in a released project, as `docs/own-model.md` says; then a second clone.

It is trained and released once. What was released is scored in the tree that trained it, and in a clone that pulled it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from tests import fences

from .conftest import MODEL, SIDECAR, Project, copy_of, shell_environment
from .test_notebooks import execute

HOW_TO = Path(__file__).parents[2] / "docs/own-model.md"
PACKAGE = "src/customer_churn"
RAW = "data/raw/telco-customer-churn.csv"
FILES = (f"models/{MODEL}.skops", f"models/{MODEL}.features.json")


def blocks(language: str) -> list[str]:
    """What the how-to says to write or to type."""
    return re.findall(rf"^```{language}\n(.*?)^```", HOW_TO.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def follow(project: Project) -> None:
    """Steps 1 to 4 of the how-to."""
    for block in blocks("python"):
        ((name, content),) = fences.found(block).items()
        fences.fill(project.path / PACKAGE, name, content)
    train, thresholds = blocks("yaml")
    for path, section in (("params.yaml", train), ("versioning.yaml", thresholds)):
        text, count = re.subn(
            rf"^{section.partition(':')[0]}:.*\n(?:(?: .*)?\n)*?(?=^\S|\Z)", section, project.read(path), flags=re.MULTILINE
        )
        assert count == 1
        project.write(path, text)


def score(project: Project, table: str = RAW, to: str = "predictions.csv") -> bytes:
    project.ok("python", "-m", "src.customer_churn.predict", *FILES, table, to)
    return (project.path / to).read_bytes()


@pytest.fixture(scope="module")
def forest_once(released_once: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes, bytes]:
    """The project with the how-to's v0.2.0 released and pushed, and what both releases predict in the tree that trained them."""
    path = copy_of(released_once, tmp_path_factory.mktemp("forest"))
    project = Project(path, shell_environment(tmp_path_factory.mktemp("home"), path))
    before = score(project)
    follow(project)
    _, release, _ = blocks("sh")
    for line in release.splitlines():
        assert project.sh(line).status == 0, project.story
    project.assert_released("v0.2.0")
    return path, before, score(project)


@pytest.fixture
def forest(forest_once: tuple[Path, bytes, bytes], tmp_path: Path, home: Path) -> Project:
    path = copy_of(forest_once[0], tmp_path)
    return Project(path, shell_environment(home, path))


@pytest.fixture
def clone(forest: Project, tmp_path: Path, home: Path) -> Project:
    """A colleague's clone in another folder, with a space in its name."""
    place = tmp_path / "a colleague" / "churn"
    forest.ok("git", "clone", "-q", str(forest.path.with_name(f"{forest.path.name}-storage") / "git"), str(place), cwd=tmp_path)
    (place / ".venv").symlink_to((forest.path / ".venv").resolve())
    project = Project(place, shell_environment(home, place))
    project.ok("python3", "-m", "versioning", "setup", "--no-install")
    project.dvc("pull")
    return project


def test_the_how_to(forest: Project) -> None:
    changed = set(forest.git("diff", "--name-only", "v0.1.0", "v0.2.0").splitlines())
    files = {f"{PACKAGE}/{name}" for name in fences.FILES.values()}
    assert changed - files == {
        "dvc.lock", "params.yaml", "reports/metrics.json", SIDECAR, "versioning.yaml", f"{PACKAGE}/serve.py",
    }  # fmt: skip
    for path in files:
        text, before = (re.sub(fences.FENCE, "", forest.git("show", f"{revision}:{path}")) for revision in ("v0.2.0", "v0.1.0"))
        assert text == before, "only what stands in the fences was edited"
    described = forest.sidecar()
    assert described["hyperparameters"]["train"] == {"n_estimators": 60, "min_samples_leaf": 5}
    assert 0.6 < described["metrics"]["precision_of_first_tenth"] < 1
    spec = json.loads(forest.read(FILES[1]))
    assert [feature["name"] for feature in spec["derived"]] == ["paid_per_month", "add_ons"]
    for line in blocks("sh")[0].splitlines() + blocks("sh")[2].splitlines():
        assert forest.sh(line).status == 0, forest.story


def test_a_release_is_held_to_an_own_metric(forest: Project) -> None:
    forest.replace("versioning.yaml", "min: 0.6", "min: 0.999")
    forest.replace("params.yaml", "version: v0.2.0", "version: v0.3.0")
    forest.dvc("repro")
    forest.commit("Ask for more")
    said = forest.refused("git", "tag", "-a", "v0.3.0", "-m", "x")
    assert "ME03" in said and "precision_of_first_tenth" in said


def test_a_pulled_release_answers_as_the_tree_that_trained_it(clone: Project, forest_once: tuple[Path, bytes, bytes]) -> None:
    _, before, after = forest_once
    assert before != after
    for version, expected in (("v0.1.0", before), ("v0.2.0", after), ("v0.1.0", before)):
        clone.git("checkout", "-q", version)
        assert score(clone) == expected
        assert clone.git("status", "--porcelain") == ""


def test_a_pulled_release_answers_for_any_table(clone: Project) -> None:
    clone.git("checkout", "-q", "v0.2.0")
    raw = pd.read_csv(clone.path / RAW, dtype=str, keep_default_na=False)
    whole = score(clone).decode().splitlines()

    def scored(frame: pd.DataFrame, encoding: str = "utf-8") -> list[str]:
        frame.to_csv(clone.path / "in.csv", index=False, encoding=encoding)
        return score(clone, "in.csv", "out.csv").decode().splitlines()

    shuffled = raw[raw.columns[::-1]].assign(extra="x").drop(columns=["Churn", "customerID"])
    assert scored(shuffled) == whole
    assert scored(raw, "utf-8-sig") == whole
    assert scored(raw.iloc[[4321]]) == [whole[0], whole[4322]]
    assert scored(raw.iloc[:700]) == whole[:701]
    assert scored(raw.head(0)) == whole[:1]
    unknown, missing = raw.head(3).assign(Contract="Weekly", tenure="long"), raw.head(3).assign(Contract="", tenure="")
    assert scored(unknown) == scored(missing) != whole[:4]


def test_what_predict_is_given_by_mistake(clone: Project) -> None:
    predict = ("python", "-m", "src.customer_churn.predict")

    def said(*words: str) -> str:
        output = clone.refused(*predict, *words)
        assert "Traceback" not in output and output.count("\n") == 1, output
        return output

    clone.write("short.csv", "tenure,Contract\n1,x\n")
    assert said(*FILES, "short.csv", "out.csv").startswith("error: the table has no column ['MonthlyCharges'")
    assert said(RAW, FILES[1], RAW, "out.csv").startswith(f"error: {RAW} is no model file")
    assert said(FILES[0], SIDECAR, RAW, "out.csv").startswith(f"error: {SIDECAR} is no feature specification")
    assert said(FILES[0], FILES[0], RAW, "out.csv").startswith(f"error: {FILES[0]} is no feature specification")
    assert said(*FILES, "gone.csv", "out.csv").startswith("error: gone.csv cannot be read as a table")
    spec = json.loads(clone.read(FILES[1]))
    clone.write("other.json", json.dumps({**spec, "features": spec["features"][1:]}))
    text = said(FILES[0], "other.json", RAW, "out.csv")
    assert "tenure" in text
    clone.git("checkout", "-q", "v0.1.0")
    clone.ok("cp", FILES[1], "old.json")
    clone.git("checkout", "-q", "main")
    assert "the model was trained with []: use the code of its release" in said(FILES[0], "old.json", RAW, "out.csv")
    assert not (clone.path / "out.csv").exists()


def test_the_tests_that_a_project_is_born_with_hold_for_another_model(forest: Project) -> None:
    assert "passed" in forest.ok("python", "-m", "pytest", "-q", "-p", "no:cacheprovider")


@pytest.mark.filterwarnings("ignore:Proactor event loop", "default::ResourceWarning", "default::DeprecationWarning")
def test_the_notebook_says_that_a_release_had_other_features(forest: Project) -> None:
    said = execute(forest)
    assert "v0.1.0 cannot be scored here: own_features in featurize.py adds ['paid_per_month', 'add_ons']" in said
    assert "precision_of_first_tenth" in said
    forest.git("add", "-A")
    assert forest.git("status", "--porcelain") == ""
