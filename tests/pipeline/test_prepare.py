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


def columns(modules: Any, numeric: list[str], dates: dict[str, str] | None = None, decimal: str = ".") -> Any:
    return modules.prepare.Columns("y", "classification", numeric, [], dates or {}, decimal)


def test_a_sample_depends_on_table_and_seed_and_not_on_the_parts(modules: Any, tmp_path: Path) -> None:
    path = tmp_path / "raw.csv"
    path.write_text("n,y\n" + "".join(f"{row},{['a', 'b', ''][row % 3]}\n" for row in range(1000)))
    kept = {}
    for rows in (1, 7, 100, 1000, 5000):
        parts = modules.prepare.read_parts(path, ["n", "y"], rows)
        kept[rows] = modules.prepare.sample(parts, columns(modules, ["n"]), 50, 3)
    assert all(frame.equals(kept[1]) for frame in kept.values())
    assert len(kept[1]) == 50 and kept[1]["n"].is_monotonic_increasing and kept[1]["n"].max() > 500
    assert set(kept[1]["y"]) == {"a", "b"}, "rows without a label do not count"
    other = modules.prepare.sample(modules.prepare.read_parts(path), columns(modules, ["n"]), 50, 4)
    assert not other.equals(kept[1])


def test_rows_with_equal_labels_are_cleaned(modules: Any) -> None:
    raw = pd.DataFrame({"n": ["1", "2"], "y": ["a", "b"]})
    assert modules.prepare.clean(pd.concat([raw, raw]), *columns(modules, ["n"])[:6])["n"].tolist() == [1, 2, 1, 2]


def test_a_sample_of_a_small_table_is_all_of_it(modules: Any) -> None:
    raw = pd.DataFrame({"n": ["1", "2", "3"], "y": ["a", "b", "a"]})
    frame = modules.prepare.sample([raw.head(2), raw.tail(1)], columns(modules, ["n"]), 3, 1)
    assert frame.equals(modules.prepare.clean(raw, *columns(modules, ["n"])[:6]))


@pytest.mark.parametrize(
    ("text", "form", "days"),
    [
        ("1970-01-02", "%Y-%m-%d", 1.0),
        (" 02.01.1970 ", "%d.%m.%Y", 1.0),
        ("1970-01-02 12:00:00", "iso", 1.5),
        ("1970-01-02T02:00:00+02:00", "iso", 1.0),
        ("1970-01-02", "%d.%m.%Y", 1.0),
        ("02.01.70", "%d.%m.%y", 1.0),
        ("1.5", "%d.%m.%Y", 1.5),
        ("-3", "iso", -3.0),
        ("02/01/1970", "%d.%m.%Y", None),
        ("NA", "iso", None),
        ("", "iso", None),
    ],
)
def test_a_date_is_days_since_1970(modules: Any, text: str, form: str, days: float | None) -> None:
    (found,) = modules.prepare.as_dates(pd.Series([text]), form).tolist()
    assert found == days or (days is None and pd.isna(found))


def test_dates_of_a_typed_table(modules: Any) -> None:
    times = pd.to_datetime(pd.Series(["1970-01-02 06:00", None]))
    assert modules.prepare.as_dates(times, "iso").tolist()[0] == 1.25
    assert modules.prepare.as_dates(times.dt.tz_localize("Europe/Berlin"), "iso").tolist()[0] == pytest.approx(1.25 - 1 / 24)
    assert modules.prepare.as_dates(times.dt.date, "%d.%m.%Y").tolist()[0] == 1.0


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [
        ("1,5", ",", 1.5),
        ("1.5", ",", 1.5),
        ("-1,5e2", ",", -150.0),
        ("1,234,5", ",", None),
        ("1,5", ".", None),
        ("1_0", ".", None),
    ],
)
def test_a_decimal_comma_is_read_where_it_is_said(modules: Any, text: str, decimal: str, number: float | None) -> None:
    (found,) = modules.prepare.as_numbers(pd.Series([text]), decimal).tolist()
    assert found == number or (number is None and pd.isna(found))


def test_a_number_whose_square_is_infinite_is_missing(modules: Any) -> None:
    for values in (["1e308", "-1e308", "1e99"], [1e308, -1e308, 1e99]):
        assert modules.prepare.as_numbers(pd.Series(values)).isna().tolist() == [True, True, False]


def test_a_row_that_is_too_long_is_refused_also_where_few_columns_are_used(modules: Any, tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_text("a,b,c\n1,2,3\n1,2,\n1,2,3,4\n")
    with pytest.raises(modules.prepare.DataError, match=r"raw\.csv cannot be read as a table: .*line 4, saw 4"):
        modules.prepare.read_table(tmp_path / "raw.csv", ["a", "b"])


def test_columns_are_found_by_any_mark(modules: Any, tmp_path: Path) -> None:
    path = tmp_path / "raw.csv"
    path.write_text('"size, net, m2"; city ;y\n1,5;"Bonn; Süd";a\n', encoding="utf-8-sig")
    assert modules.prepare.read_table(path).to_dict("list") == {"size, net, m2": ["1,5"], "city": ["Bonn; Süd"], "y": ["a"]}
    assert list(modules.prepare.read_table(path, ["y", "gone", "city"]).columns) == ["y", "city"]
    path.write_text("a,b,c;y\n1,2,3;4\n")
    assert modules.prepare.read_table(path, ["y"]).to_dict("list") == {"y": ["4"]}


def test_a_column_that_is_there_twice_is_refused_where_it_is_used(modules: Any, tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_text("x,x,y\n1,2,3\n")
    assert modules.prepare.read_table(tmp_path / "raw.csv", ["y"])["y"].tolist() == ["3"]
    with pytest.raises(modules.prepare.DataError, match=r"raw\.csv has more than one column 'x'"):
        modules.prepare.read_table(tmp_path / "raw.csv")


def test_a_table_without_rows_keeps_its_columns(modules: Any, tmp_path: Path) -> None:
    pd.DataFrame({"a": [1.5], "b": ["x"]}).head(0).to_csv(tmp_path / "t.csv", index=False)
    pd.DataFrame({"a": [1.5], "b": ["x"]}).head(0).to_parquet(tmp_path / "t.parquet")
    for name in ("t.csv", "t.parquet"):
        assert list(modules.prepare.read_table(tmp_path / name).columns) == ["a", "b"]


def test_a_parquet_file_that_is_none_is_named(modules: Any, tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(modules.prepare.DataError, match=r"t\.parquet cannot be read as a table"):
        modules.prepare.read_table(tmp_path / "t.parquet")


@pytest.mark.parametrize(
    ("section", "message"),
    [("split: {test_size: 0.5, max_rows: 0}", "split.max_rows in .* is 0"), ("decimal: x", "features.decimal in .* is 'x', not")],
)
def test_a_wrong_option_is_named(run: Callable[..., None], modules: Any, tmp_path: Path, section: str, message: str) -> None:
    split, features = (section, "") if section.startswith("split") else ("split: {test_size: 0.5}", f", {section}")
    (tmp_path / "p.yaml").write_text(
        f"seed: 1\ndata: {{target: y, task: regression}}\n{split}\nfeatures: {{numeric: [x], categorical: []{features}}}\n"
    )
    (tmp_path / "raw.csv").write_text("x,y\n1,2\n")
    with pytest.raises(modules.prepare.DataError, match=message):
        run("prepare", tmp_path / "raw.csv", tmp_path / "p.yaml", tmp_path / "a", tmp_path / "b")


def prepared(run: Callable[..., None], tmp_path: Path, capsys: Any, rows: list[str], params: str) -> list[str]:
    """Return what prepare prints of a table with the columns n and y."""
    (tmp_path / "raw.csv").write_text("n,y\n" + "\n".join(rows) + "\n")
    (tmp_path / "p.yaml").write_text(f"seed: 1\n{params}\n")
    run("prepare", tmp_path / "raw.csv", tmp_path / "p.yaml", tmp_path / "a.csv", tmp_path / "b.csv")
    return capsys.readouterr().out.splitlines()[1:]


CLASSES = "data: {target: y, task: classification}\nfeatures: {numeric: [n], categorical: []}"
NUMBERS = CLASSES.replace("classification", "regression")


def test_rows_without_a_target_are_counted(run: Callable[..., None], tmp_path: Path, capsys: Any) -> None:
    rows = [f"{row},{['a', 'b', ''][row % 3]}" for row in range(600)]
    said = prepared(run, tmp_path, capsys, rows, f"{CLASSES}\nsplit: {{test_size: 0.2}}")
    assert said == ["200 of 600 rows have no target and are left out: the column 'y' has no usable value there"]
    rows = [f"{row},{['1.5', '2', '24 %'][row % 3]}" for row in range(30)]
    (said,) = prepared(run, tmp_path, capsys, rows, f"{NUMBERS}\nsplit: {{test_size: 0.2}}")
    assert said == "10 of 30 rows have no target and are left out: the column 'y' has no usable value there, such as '24 %'"


@pytest.mark.parametrize(("most", "sampled"), [(100, True), (350, True), (400, False), (600, False)])
def test_a_sample_is_said_with_what_it_is_of(
    run: Callable[..., None], tmp_path: Path, capsys: Any, most: int, sampled: bool
) -> None:
    rows = [f"{row},{['a', 'b', ''][row % 3]}" for row in range(600)]
    (said,) = prepared(run, tmp_path, capsys, rows, f"{CLASSES}\nsplit: {{test_size: 0.2, max_rows: {most}}}")
    assert said.startswith(f"{most} of 600 rows are sampled (split.max_rows)" if sampled else "200 of 600 rows have no target")


def test_nothing_is_said_where_every_row_is_used(run: Callable[..., None], tmp_path: Path, capsys: Any) -> None:
    rows = [f"{row},{'ab'[row % 2]}" for row in range(60)]
    assert prepared(run, tmp_path, capsys, rows, f"{CLASSES}\nsplit: {{test_size: 0.2, max_rows: 60}}") == []


def test_a_column_that_cannot_be_read_is_named_with_a_value(
    run: Callable[..., None], modules: Any, tmp_path: Path, capsys: Any
) -> None:
    rows = [f"{row} %,{'ab'[row % 2]}" for row in range(24, 60)]
    with pytest.raises(modules.prepare.DataError, match=r"no usable value in column \['n'\], such as '24 %': is it in"):
        prepared(run, tmp_path, capsys, rows, f"{CLASSES}\nsplit: {{test_size: 0.2}}")


def test_classes_for_a_regression_are_named(run: Callable[..., None], modules: Any, tmp_path: Path, capsys: Any) -> None:
    rows = [f"{row},{['ja', ''][row % 2]}" for row in range(60)]
    with pytest.raises(modules.prepare.DataError, match="no value of the target 'y' is a number, but text such as 'ja'"):
        prepared(run, tmp_path, capsys, rows, f"{NUMBERS}\nsplit: {{test_size: 0.2}}")
    with pytest.raises(modules.prepare.DataError, match="no row is left to learn from: of 2, 2 have no target 'y'"):
        prepared(run, tmp_path, capsys, ["1,", "2,NA"], f"{CLASSES}\nsplit: {{test_size: 0.2}}")
