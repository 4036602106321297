from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest


def test_blanks_and_placeholders_are_missing_and_zeros_are_kept(modules: Any, tmp_path: Path) -> None:
    raw = tmp_path / "raw.csv"
    raw.write_bytes("\ufeffcode,n,y\n007, 1.5 ,a\n ,x,b\nNA,inf,c\n".encode())
    frame = modules.prepare.clean(modules.prepare.read_table(raw), "y", "classification", ["n"], ["code"])
    assert frame["code"].tolist() == ["007", None, None]
    assert frame["n"].isna().tolist() == [False, True, True]


@pytest.mark.filterwarnings("ignore:Length of header")
def test_a_comma_at_the_end_of_each_row_shifts_nothing(modules: Any, tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_text("a,b\n1,2,\n3,4,\n")
    assert modules.prepare.read_table(tmp_path / "raw.csv").to_dict("list") == {"a": ["1", "3"], "b": ["2", "4"]}


@pytest.mark.parametrize("value", [0.1 + 0.2, 1e-300, 123456789.123456789, 2.2250738585072014e-308, 5e-324])
def test_a_number_written_and_read_again_is_the_same(modules: Any, tmp_path: Path, value: float) -> None:
    modules.prepare.write_table(pd.DataFrame({"n": [value]}), tmp_path / "n.csv")
    assert modules.prepare.as_numbers(modules.prepare.read_table(tmp_path / "n.csv")["n"]).tolist() == [value]


def test_text_is_the_same_from_a_csv_and_from_a_typed_table(modules: Any) -> None:
    for values in (["1", "0", ""], [1.0, 0.0, None], pd.array([1, 0, None], dtype="Int64")):
        assert modules.prepare.as_text(pd.Series(values)).tolist() == ["1", "0", None]


def test_rows_without_label_are_left_out(modules: Any) -> None:
    raw = pd.DataFrame({"n": ["1", "2", "3"], "y": ["5", " ", "many"]})
    assert modules.prepare.clean(raw, "y", "regression", ["n"], [])["y"].tolist() == [5.0]


def test_the_split_is_stratified_complete_and_repeatable(modules: Any) -> None:
    frame = pd.DataFrame({"n": range(100), "y": ["a"] * 80 + ["b"] * 20})
    train, test = modules.prepare.split(frame, "y", "classification", 0.25, 7)
    assert test["y"].value_counts().to_dict() == {"a": 20, "b": 5}
    assert sorted([*train["n"], *test["n"]]) == list(range(100))
    assert test["n"].is_monotonic_increasing
    assert modules.prepare.split(frame, "y", "classification", 0.25, 7)[1].equals(test)
    assert not modules.prepare.split(frame, "y", "classification", 0.25, 8)[1].equals(test)


def test_a_class_of_one_row_stays_in_train(modules: Any) -> None:
    frame = pd.DataFrame({"n": range(21), "y": ["a", "b"] * 10 + ["rare"]})
    train, _ = modules.prepare.split(frame, "y", "classification", 0.2, 1)
    assert "rare" in set(train["y"])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (("y", "classification", ["n", "gone"], []), r"no column \['gone'\]"),
        (("y", "ranking", ["n"], []), "data.task is 'ranking'"),
        (("y", "classification", [], []), "features must be"),
        (("y", "classification", ["n"], ["y"]), "without the target 'y'"),
        (("y", "classification", ["y2"], []), r"no usable value in column \['y2'\]"),
    ],
)
def test_a_wrong_parameter_is_named(modules: Any, columns: tuple[Any, ...], message: str) -> None:
    raw = pd.DataFrame({"n": ["1", "2"], "y": ["a", "b"], "y2": ["a", "b"]})
    with pytest.raises(modules.prepare.DataError, match=message):
        modules.prepare.clean(raw, *columns)


def test_one_class_or_an_impossible_split_is_refused(modules: Any) -> None:
    frame = pd.DataFrame({"n": range(8), "y": ["a"] * 4 + ["b"] * 4})
    with pytest.raises(modules.prepare.DataError, match="one class only, 'a'"):
        modules.prepare.split(frame.head(4), "y", "classification", 0.5, 1)
    for test_size in (0.0, 1.0, 0.9):
        with pytest.raises(modules.prepare.DataError, match=f"split.test_size {test_size} of 8 rows"):
            modules.prepare.split(frame, "y", "classification", test_size, 1)


def test_params_are_read_as_yaml_1_2_and_a_missing_key_is_named(modules: Any, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("train: {tol: 1e-3, n: 010}\ndata: {target: Yes}\n")
    assert modules.prepare.read_params(path, "train.tol", "train.n", "data.target") == [0.001, 10, "Yes"]
    with pytest.raises(modules.prepare.DataError, match=r"has no 'split\.test_size'"):
        modules.prepare.read_params(path, "split.test_size")


def test_a_file_that_is_no_table_is_named(modules: Any, tmp_path: Path) -> None:
    (tmp_path / "latin1.csv").write_bytes("name\nMüller\n".encode("latin-1"))
    (tmp_path / "empty.csv").touch()
    for name in ("latin1.csv", "empty.csv", "gone.csv"):
        with pytest.raises(modules.prepare.DataError, match=name):
            modules.prepare.read_table(tmp_path / name)


def test_a_stage_that_refuses_prints_one_line(
    run: Callable[..., None], modules: Any, write_params: Callable[..., Path], tmp_path: Path
) -> None:
    params = write_params("classification", "y", ["n"], [])
    with pytest.raises(SystemExit, match=r"^error: .*gone\.csv cannot be read"):
        modules.prepare.run(lambda: run("prepare", tmp_path / "gone.csv", params, tmp_path / "a", tmp_path / "b"))
