"""A project that starts from the user's own table."""

from __future__ import annotations

import ast
import csv
import hashlib
import random
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import yaml

from template_answers import table
from template_answers.columns import MISSING
from template_answers.errors import RefusedAnswer
from tests.conftest import ROOT, TEMPLATE, Generate, Generated
from tests.wild import write_wild

SAMPLE = ROOT / TEMPLATE / "data/raw/telco-customer-churn.csv"


@pytest.fixture
def houses(tmp_path: Path) -> Path:
    """A table as a German spreadsheet saves it: BOM, semicolons, decimal commas, quotes, CRLF, a blank last line."""
    draw = random.Random(1)
    path = tmp_path / "Mäine Häuser (2).csv"
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, delimiter=";", lineterminator="\r\n")
        writer.writerow(["House ID", "nr_id", "Größe m²", " Zimmer ", "Stadt", "Notiz", "Land", "leer", "Preis"])
        for row in range(120):
            size = draw.uniform(30, 200)
            city = draw.choice(["Köln", "Bonn; Süd", 'Das "Dorf"', "NA"])
            note, size_text = f"Notiz {row // 2}", f"{size:.2f}".replace(".", ",")
            writer.writerow([f"h{row}", row, size_text, draw.randint(1, 6), city, note, "DE", "", round(size * 20)])
        stream.write("\r\n")
    return path


@pytest.fixture
def own(generate: Generate, houses: Path) -> Generated:
    return generate(data_csv=str(houses), target="Preis")


def test_table_is_kept_byte_for_byte(own: Generated, houses: Path) -> None:
    assert (own.project / "data/raw/maine-hauser-2.csv").read_bytes() == houses.read_bytes()


def test_params_describe_the_table(own: Generated) -> None:
    params = read_yaml(own.project / "params.yaml")
    snapshot = params["data"].pop("id")
    assert snapshot.startswith("maine-hauser-2-20")
    assert params["data"] == {"path": "data/raw/maine-hauser-2.csv", "target": "Preis", "task": "regression"}
    assert params["split"] == {"max_rows": 1_000_000, "test_size": 0.2}
    assert params["features"] == {"decimal": ",", "numeric": ["Größe m²", "Zimmer"], "categorical": ["Stadt"]}
    assert params["train"] == {"alpha": 1.0}
    assert {"version", "seed", "split"} < set(params)
    text = (own.project / "params.yaml").read_text(encoding="utf-8")
    for left_out in (
        "House ID (different in every row: an id)",
        "nr_id (different in every row: an id)",
        "Notiz (text with more than 50 different values)",
        "Land (the same in every row)",
        "leer (empty)",
    ):
        assert f"# left out: {left_out}\n" in text
        assert f"left out: {left_out}\n" in own.output


def test_pointer_cache_and_remote_hold_the_table(own: Generated) -> None:
    data = own.project / "data/raw/maine-hauser-2.csv"
    raw = data.read_bytes()
    md5 = hashlib.md5(raw, usedforsecurity=False).hexdigest()
    pointer = {"md5": md5, "size": len(raw), "hash": "md5", "path": data.name}
    assert read_yaml(Path(f"{data}.dvc")) == {"outs": [pointer]}
    for store in (own.project / ".dvc/cache", own.storage / "dvc"):
        assert (store / "files/md5" / md5[:2] / md5[2:]).read_bytes() == raw


def test_nothing_of_the_sample_is_left(own: Generated) -> None:
    assert own.git("ls-files", "data/raw").splitlines() == ["data/raw/.gitignore", "data/raw/maine-hauser-2.csv.dvc"]
    assert own.git("status", "--porcelain") == ""
    for path in own.git("ls-files", "*.yaml").splitlines():
        assert "telco" not in (own.project / path).read_text(encoding="utf-8")


def test_pipeline_is_that_of_a_regression(own: Generated) -> None:
    assert "reports/residuals.csv" in read_yaml(own.project / "versioning.yaml")["paths"]["evaluation"]
    prepare = read_yaml(own.project / "dvc.yaml")["stages"]["prepare"]
    assert "data/raw/maine-hauser-2.csv" in prepare["deps"]


def test_table_is_read_by_the_pipeline(own: Generated) -> None:
    package = next((own.project / "src").iterdir()).name
    arguments = ["data/raw/maine-hauser-2.csv", "params.yaml", "train.csv", "test.csv"]
    done = subprocess.run(
        [sys.executable, "-m", f"src.{package}.prepare", *arguments], cwd=own.project, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "96 rows to train.csv, 24 rows to test.csv\n"), done.stderr


def test_path_is_relative_to_where_cookiecutter_is_run(generate: Generate, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "flowers.csv").write_text("petal,sort\n" + "1.5,a\n2.5,b\n" * 10)
    made = generate(options=("--output-dir", "deep/down"), data_csv="flowers.csv", target="sort")
    assert made.status == 0, made.output
    assert (folder / "deep/down/customer-churn/data/raw/flowers.csv").exists()
    assert "  cd deep/down/customer-churn\n" in made.output


def test_sample_given_as_own_data_has_the_shipped_columns() -> None:
    found = table.describe(str(SAMPLE), "Churn")
    shipped = read_yaml(ROOT / TEMPLATE / "params.yaml")
    assert found["task"] == shipped["data"]["task"] == "classification"
    assert set(found["numeric"] + found["categorical"]) == set(
        shipped["features"]["numeric"] + shipped["features"]["categorical"]
    )
    assert found["dropped"] == {"customerID": "different in every row: an id"}


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["yes", "no", "", "yes"], "classification"),
        (["0", "1", "1.0", "0"], "classification"),
        (["1", "2", "3", "4", "5"], "classification"),
        (["0.25", "0.75", "0.25", "0.75"], "classification"),
        (["0.1", "0.2", "0.3", "0.4"], "regression"),
        ([str(year) for year in range(1990, 2020)], "regression"),
        (["1e3", "-2.5", "7", "nan"] * 2, "regression"),
        (["1e3", "-2.5", "7", "3.5"] * 2, "regression"),
    ],
)
def test_task_follows_from_the_target(tmp_path: Path, values: list[str], task: str) -> None:
    path = write(tmp_path, "x,y\n" + "".join(f"{row % 7}.5,{value}\n" for row, value in enumerate(values * 3)))
    assert table.describe(str(path), "y")["task"] == task


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    rows = [["a", '"b,|; c"', "y"], ["1", "x", "u"], ["2", "z", "v"], ["3", "x", "u"], ["4", "z", "v"]]
    path = write(tmp_path, "\n".join(delimiter.join(row) for row in rows))
    found = table.describe(str(path), "y")
    assert (found["numeric"], found["categorical"]) == (["a"], ["b,|; c"])


def test_delimiter_is_the_one_that_cuts_the_target_out(tmp_path: Path) -> None:
    path = write(
        tmp_path, "size, m2, net;price, net, EUR;y\n" + "".join(f"{row}.5;{row % 3};{'uv'[row % 2]}\n" for row in range(9))
    )
    assert table.describe(str(path), "y")["numeric"] == ["size, m2, net", "price, net, EUR"]


@pytest.mark.parametrize("name", ["paid", "valid", "id_type", "grid", "Sid"])
def test_word_that_ends_like_an_id_is_none(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, f"{name},y\n" + "".join(f"{row},{'uv'[row % 2]}\n" for row in range(10)))
    assert table.describe(str(path), "y")["numeric"] == [name]


@pytest.mark.parametrize(
    "name", ["id", "ID", "user_id", "customerID", "userId", "Row-ID", "uuid", "order id", "index", "sku", "rownames", "Nr"]
)
def test_counting_id_is_left_out(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, f"{name},x,y\n" + "".join(f"{row},{row % 3},{'uv'[row % 2]}\n" for row in range(10)))
    assert table.describe(str(path), "y")["dropped"] == {name: "different in every row: an id"}


@pytest.mark.parametrize(
    ("content", "target", "words"),
    [
        ("", "y", "data_csv: table.csv is empty"),
        ("\n\n", "y", "data_csv: table.csv is empty"),
        ("x,y\n", "y", "target: 'y' in table.csv has 0 values"),
        ("x,y\n1,a\n2,b,c\n", "y", "data_csv: line 3 of table.csv has 3 fields, the header 2"),
        ("x,y\n1,a\n2\n", "y", "data_csv: line 3 of table.csv has 1 fields, the header 2"),
        ("x,y\n1,a\n2,b\n", "z", "target: 'z' is no column of table.csv; it has x, y"),
        ("x,y\n1,a\n2,b\n", "", "target: '' is no column of table.csv; it has x, y"),
        ("x,,y\n1,2,a\n", "y", "data_csv: column 2 of table.csv has no name"),
        ("x,x,y\n1,2,a\n", "y", "data_csv: table.csv has more than one column 'x'"),
        ('"x\ny",z\n1,2\n', "z", "holds a line break or control character"),
        ("x,y\n" + "1,a\n2,a\n" * 9, "y", "target: 'y' in table.csv has 18 values, 1 different: nothing to learn"),
        ("x,y\n1,a\n", "y", "target: 'y' in table.csv has 1 values, 1 different"),
        ("x,y\n" + "".join(f"{row},{row}\n" for row in range(20, 25)), "y", "has 5 classes, and not two of more than one row"),
        ("x,y\n" + "1,a\n2,a\n3,a\n4,b\n", "y", "and not two of more than one row: 'a' (3), 'b' (1)"),
        ("x,y\n" + "".join(f"{row},{row}.5\n" for row in range(5)), "y", "has 5 values: six are needed"),
        ("x,y\n" + "".join(f"1,name {row}\n" for row in range(99)), "y", "is text with more than 50 classes"),
        ("x,y\n" + "".join(f"1,{row}\n" for row in [*range(99), "x"]), "y", "more than 50 classes, as 'x' is no number"),
        ("x;y\n" + "".join(f"{row};{row},125\n" for row in range(1, 99)), "y", "1,125 is a thousand, or a decimal comma"),
        ("y\na\nb\na\nb\n", "y", "data_csv: table.csv has no column to learn from beside 'y'"),
        ("x,y\n" + "1,a\n1,b\n" * 9, "y", "no column to learn from beside 'y'; left out: 'x' (the same in every row)"),
        ('x,y\n1,"a\n2,b\n', "y", "data_csv: table.csv is not a CSV file: line 3: unexpected end of data"),
        ('x,y\n1,"a"b\n2,b\n', "y", "data_csv: table.csv is not a CSV file: line 2: "),
        ("5.1,3.5,1.4,a\n4.9,3.0,1.5,b\n", "sort", "if these are values, add a first line that names the columns"),
        (b"x,y\n\xe4,a\n", "y", "data_csv: table.csv is not UTF-8 text (byte 0xe4); if it is from Windows: iconv"),
        (b"x,\xfc\n1,a\n", "y", "data_csv: table.csv is not UTF-8 text (byte 0xfc)"),
        ("x,y\n1,a\n".encode("utf-16"), "y", "data_csv: table.csv is UTF-16; save it as UTF-8: iconv -f UTF-16"),
        (b"PK\x03\x04\x00", "y", "data_csv: table.csv is a spreadsheet or a zip archive; save the sheet as CSV"),
        (b"\x1f\x8b\x08", "y", "data_csv: table.csv is compressed; unpack it: gunzip -k "),
        (b"PAR1\x15\x04", "y", "data_csv: table.csv cannot be read as Parquet: "),
    ],
)
def test_table_that_cannot_be_used_is_refused(tmp_path: Path, content: str | bytes, target: str, words: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(RefusedAnswer) as refused:
        table.describe(str(path), target)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"x,y\n\xe4,a\n", "x,y\n1,ä\n".encode("utf-16")])
def test_hint_for_another_encoding_makes_a_table_that_is_read(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path, content, "my table.csv")
    with pytest.raises(RefusedAnswer) as refused:
        table.describe(str(path), "y")
    subprocess.run(["sh", "-c", "iconv" + str(refused.value).partition("iconv")[2]], cwd=tmp_path, check=True)
    assert "ä" in (tmp_path / "my table-utf8.csv").read_text("utf-8")


def test_parquet_without_pyarrow_is_refused_with_its_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, b"PAR1", "t.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        RefusedAnswer, match=r"no pyarrow to read it: .*python.* -m pip install pyarrow \(or run uvx --with pyarrow"
    ):
        table.describe(str(path), "y")


def test_missing_values_are_those_of_the_pipeline() -> None:
    (prepare,) = (ROOT / TEMPLATE).glob("src/*/prepare.py")
    (line,) = (line for line in prepare.read_text("utf-8").splitlines() if line.startswith("MISSING = "))
    assert ast.literal_eval(line.removeprefix("MISSING = ")) == MISSING


def test_disk_without_room_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table.shutil, "disk_usage", lambda _: SimpleNamespace(free=5_000_000_000))
    assert table.check_room({"size": 1_600_000_000}, "") == "4800000000"
    assert table.check_room({}, "") == "0"
    with pytest.raises(RefusedAnswer, match=r"the project keeps 3 copies of the table, 6\.0 GB; .* has 5\.0 GB free"):
        table.check_room({"size": 2_000_000_000}, "")
    assert table.check_room({"size": 2_000_000_000}, "s3://bucket") == "4000000000"


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["2024-01-31", "2023-2-1"], {"dates": {"x": "%Y-%m-%d"}}),
        (["2024-01-31", "2024-01-31 10:00:00", "2024-01-31T10:00:00.123456789Z"], {"dates": {"x": "iso"}}),
        (["31.01.2024", "1.2.2024", "unknown"], {"dates": {"x": "%d.%m.%Y"}}),
        (["31/01/2024", "01/02/2024"], {"dates": {"x": "%d/%m/%Y"}}),
        (["01/31/2024 23:59", "01/02/2024 00:00"], {"dates": {"x": "%m/%d/%Y %H:%M"}}),
        (["Jan 31 2024", "Feb 1 2024"], {"dates": {"x": "%b %d %Y"}}),
        (["01/02/2024", "02/01/2024"], {"dropped": {"x": "dates whose day may be the month: under dates, write the format, "
                                                          '"%d/%m/%Y" or "%m/%d/%Y"'}}),
        (["20240131", "20240201"], {"numeric": ["x"]}),
        (["2024-01-31", "31.01.2024"], {"categorical": ["x"]}),
        (["2024_01", "2024_02"], {"categorical": ["x"]}),
        (["1,5", "2", "-3,25e2", "?"], {"numeric": ["x"], "decimal": ","}),
        (["1,234", "2,345"], {"dropped": {"x": "numbers of which 1,234 is a thousand, or a decimal comma"}}),
        (["1,234", "0,345"], {"numeric": ["x"], "decimal": ","}),
        (["1,5", "1.5"], {"dropped": {"x": "numbers with a decimal comma and with a point: 1,5 and 1.5"}}),
        (["1.234", "2.345"], {"numeric": ["x"], "decimal": "."}),
        ([*map(str, range(60)), "out of range"], {"dropped": {"x": "numbers, but also 'out of range': under numeric, these count "
                                                              "as missing"}}),
        (["1.5", "-", "2.5", "NA", "n/a"], {"numeric": ["x"]}),
        (["01109", "10115", "80331"], {"categorical": ["x"]}),
        (["007", "12", "NA"], {"categorical": ["x"]}),
        (["00", "1", "2"], {"categorical": ["x"]}),
        (["01", "0.5", "2"], {"numeric": ["x"]}),
        (["0", "0.5", "10"], {"numeric": ["x"]}),
        (["0", "1", "10", "?"], {"numeric": ["x"]}),
        (["-01", "5"], {"numeric": ["x"]}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_kind_of_a_column(tmp_path: Path, values: list[str], kind: dict[str, Any], delimiter: str) -> None:
    path = tmp_path / "table.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=delimiter)
        writer.writerow(["x", "z", "y"])
        writer.writerows([value, row % 3, "uv"[row % 2]] for row, value in enumerate(values * 4))
    found = table.describe(str(path), "y")
    assert {key: [name for name in found[key] if name != "z"] if key == "numeric" else found[key] for key in kind} == kind


@pytest.mark.parametrize(
    ("values", "positive"),
    [
        (["ja", "nein", "nein", ""], "ja"),
        (["Yes", "No", "Yes", "Yes", "No"], "No"),
        (["ja", "nein"], "nein"),
        (["0", "1", "0"], "1"),
        (["a", "b", "c"], ""),
        ([str(number) for number in range(40)], ""),
    ],
)
def test_the_rarer_of_two_classes_is_what_is_looked_for(tmp_path: Path, values: list[str], positive: str) -> None:
    path = write(tmp_path, "x,y\n" + "".join(f"{row % 7}.5,{value}\n" for row, value in enumerate(values * 3)))
    assert table.describe(str(path), "y")["positive"] == positive


def test_the_positive_class_is_written_and_said(generate: Generate, tmp_path: Path) -> None:
    path = write(tmp_path, "x,y\n" + "".join(f"{row}.5,{'ja' if row % 4 == 0 else 'nein'}\n" for row in range(20)))
    made = generate(data_csv=str(path), target="y")
    assert '  positive: "ja"  # of the target\'s two classes: ' in (made.project / "params.yaml").read_text("utf-8")
    assert "  f1, roc_auc, brier and the calibration are about ja (5 of 20 rows): features.positive\n" in made.output


def test_without_two_classes_there_is_no_positive_one(own: Generated) -> None:
    assert "positive" not in (own.project / "params.yaml").read_text("utf-8")
    assert "features.positive" not in own.output


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("last", ["01109", "00", "0", "0.5", "nan"])
def test_one_leading_zero_in_a_large_table_makes_a_code(tmp_path: Path, last: str, suffix: str) -> None:
    """Once a column has many numbers, most of what is done for a value is left out."""
    frame = pd.DataFrame({"x": [str(10000 + row % 90) for row in range(30_000)] + [last] * 2, "z": [1.5, 2.5] * 15_001})
    frame["y"] = ["u", "v"] * 15_001
    path = tmp_path / f"t.{suffix}"
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path, index=False)
    found = table.describe(str(path), "y")
    if last in ("01109", "00"):
        assert found["dropped"] == {"x": "codes with leading zeros, more than 50 different"}
    else:
        assert found["numeric"] == ["x", "z"]


EURO = "\N{EURO SIGN}"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([f"{row + 1}.{row + 100},10" for row in range(60)], "numbers with a thousands mark: 1.100,10"),
        ([f"{row + 1},{row + 100},{row + 100}.5" for row in range(60)], "numbers with a thousands mark: 1,100,100.5"),
        ([f"1642,{row + 10} {EURO}" for row in range(60)], f"numbers with a unit: 1642,10 {EURO}"),
        ([f"${row + 10}" for row in range(60)], "numbers with a unit: $10"),
        ([f"{row + 10.5}kg" for row in range(60)], "numbers with a unit: 10.5kg"),
        ([f"{row + 10} m²" for row in range(60)] * 2, "numbers with a unit: 10 m²"),
        ([f"{row + 10} %" for row in range(60)] * 2, "numbers with a percent sign: 10 %"),
        ([f"{row + 10}{'abcdefg'[row % 7]}" for row in range(60)], "different in every row: an id"),
        ([f"K{row:05}" for row in range(60)], "different in every row: an id"),
        ([f"{row:05}" for row in range(60)], "codes with leading zeros, different in every row: an id"),
        ([f"{row % 28 + 1:02}.{row % 12 + 1:02}.{row % 30 + 70}" for row in range(90)],
         'dates with two digits of the year, 01.01.70: under dates, write the format, "%d.%m.%y"'),
        ([f"The part {row} came late again." for row in range(60)], "free text: see FREE_TEXT in src/*/featurize.py"),
        (["?", "-", "none", "missing"], "nothing but marks for missing values"),
        ([f"Part {row}" for row in range(60)], "text that is different in every row: an id, or free text"),
        ([f"Part {row}" for row in range(60)] * 2, "text with more than 50 different values"),
    ],
)  # fmt: skip
def test_the_reason_says_what_the_values_are(tmp_path: Path, values: list[str], reason: str) -> None:
    path = tmp_path / "table.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["x", "z", "y"])
        writer.writerows([value, row % 3, "uv"[row % 2]] for row, value in enumerate(values))
    assert table.describe(str(path), "y")["dropped"] == {"x": reason}


def test_a_target_of_many_codes_is_refused_with_one(tmp_path: Path) -> None:
    path = write(tmp_path, "x,y\n" + "".join(f"1,{row:05}\n" for row in range(99)))
    with pytest.raises(RefusedAnswer, match="is text with more than 50 classes, as 00000 is a code"):
        table.describe(str(path), "y")


def test_thousands_with_a_point_among_decimal_commas(tmp_path: Path) -> None:
    """Read as Python does, 1.234 would be one and a bit."""
    path = write(tmp_path, "a;b;y\n" + "1,5;1.234;u\n2,5;2.345;v\n" * 4)
    found = table.describe(str(path), "y")
    assert (found["numeric"], found["decimal"]) == (["a"], ",")
    assert found["dropped"] == {"b": "numbers of which 1.234 is a thousand, or a decimal point"}


def test_numbers_of_the_rows_are_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, ",x,y\n" + "".join(f"{row},{row % 3},{'uv'[row % 2]}\n" for row in range(10)))
    assert table.describe(str(path), "y")["dropped"] == {"(no name)": "the numbers of the rows"}


def test_measure_that_is_different_in_every_row_is_kept(tmp_path: Path) -> None:
    path = write(tmp_path, "id,y\n" + "".join(f"{row}.25,{'uv'[row % 2]}\n" for row in range(10)))
    assert table.describe(str(path), "y")["numeric"] == ["id"]


def test_what_is_known_does_not_depend_on_the_size_of_the_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wild = write_wild(tmp_path / "wild.csv")
    whole = table.describe(str(wild), "Klasse")
    monkeypatch.setattr(table, "VALUES_IN_A_BLOCK", 1)
    table.describe.cache_clear()
    assert table.describe(str(wild), "Klasse") == whole


def test_refusal_leaves_nothing_behind(generate: Generate, tmp_path: Path) -> None:
    made = generate(data_csv=str(write(tmp_path, "x,y\n1,a\n2,b,c\n")), target="y")
    assert (made.status, made.output) == (1, "data_csv: line 3 of table.csv has 3 fields, the header 2\n")
    assert not any(made.folder.iterdir()), "neither a project nor its storage"


@pytest.mark.parametrize("name", ["😀.csv", "null.csv", "1e3.csv", "it's {{ mine }}.CSV", "-rf.csv", "x" * 200 + ".csv"])
def test_any_file_name_becomes_a_plain_one(generate: Generate, tmp_path: Path, name: str) -> None:
    path = write(tmp_path, "x,y\n" + "1.5,a\n2.5,b\n" * 9, name)
    made = generate(data_csv=str(path) if "{{" not in name else f"{{% raw %}}{path}{{% endraw %}}", target="y")
    (pointer,) = (made.project / "data/raw").glob("*.dvc")
    assert read_yaml(pointer)["outs"][0]["path"] == pointer.stem
    assert read_yaml(made.project / "dvc.yaml")["stages"]["prepare"]["deps"][0] == f"data/raw/{pointer.stem}"
    assert made.git("status", "--porcelain") == ""


def test_column_names_of_any_kind_are_kept(generate: Generate, tmp_path: Path) -> None:
    columns = ["no", "1e3", "a: b", "#x", "it's", '"q"', "{{ x }}", "[a", "😀", "- y", "null", "\\n"]
    path = tmp_path / "odd.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*columns, "it's: {% y %}"])
        writer.writerows([*(f"{row % 3}.5" for _ in columns), "ab"[row % 2]] for row in range(12))
    made = generate(data_csv=str(path), target="{% raw %}it's: {% y %}{% endraw %}")
    params = read_yaml(made.project / "params.yaml")
    assert params["features"] == {"positive": "b", "numeric": columns, "categorical": []}
    assert params["data"]["target"] == "it's: {% y %}"


def write(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    """Write a table."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read_yaml(path: Path) -> Any:
    """Return what a YAML file holds."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))
