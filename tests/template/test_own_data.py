"""A project that starts from the user's own table."""

from __future__ import annotations

import csv
import hashlib
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from template_answers import table
from template_answers.errors import RefusedAnswer
from tests.conftest import ROOT, TEMPLATE, Generate, Generated

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


def test_table_becomes_plain_csv(own: Generated, houses: Path) -> None:
    data = own.project / "data/raw/maine-hauser-2.csv"
    raw = data.read_bytes()
    assert raw.startswith("House ID,nr_id,Größe m²,Zimmer,Stadt,Notiz,Land,leer,Preis\n".encode())
    assert b"\r" not in raw
    with data.open(encoding="utf-8", newline="") as stream, houses.open(encoding="utf-8-sig", newline="") as source:
        written, given = list(csv.reader(stream)), [row for row in csv.reader(source, delimiter=";") if row]
    assert [[*row[:2], row[2].replace(",", "."), *row[3:]] for row in given[1:]] == written[1:]


def test_params_describe_the_table(own: Generated) -> None:
    params = read_yaml(own.project / "params.yaml")
    snapshot = params["data"].pop("id")
    assert snapshot.startswith("maine-hauser-2-20")
    assert params["data"] == {"path": "data/raw/maine-hauser-2.csv", "target": "Preis", "task": "regression"}
    assert params["features"] == {"numeric": ["Größe m²", "Zimmer"], "categorical": ["Stadt"]}
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
    assert (found["delimiter"], found["numeric"], len(found["categorical"])) == (delimiter, ["a"], 1)


@pytest.mark.parametrize("name", ["paid", "valid", "id_type", "grid", "Sid"])
def test_word_that_ends_like_an_id_is_none(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, f"{name},y\n" + "".join(f"{row},{'uv'[row % 2]}\n" for row in range(10)))
    assert table.describe(str(path), "y")["numeric"] == [name]


@pytest.mark.parametrize("name", ["id", "ID", "user_id", "customerID", "userId", "Row-ID", "uuid", "order id", "index"])
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
        ("x,y\n" + "1,a\n2,a\n" * 9, "y", "target: 'y' in table.csv has 18 values, 1 different"),
        ("x,y\n" + "".join(f"1,name {row}\n" for row in range(99)), "y", "is text with more than 50 classes"),
        ("x,y\n" + "1,a\n1,b\n" * 9, "y", "data_csv: table.csv has no column to learn from beside 'y'"),
        ('x,y\n1,"a\n2,b\n', "y", "data_csv: table.csv is not a CSV file: "),
        (b"x,y\n\xe4,a\n", "y", "data_csv: table.csv is not UTF-8 text"),
        ("x,y\n1,a\n".encode("utf-16"), "y", "data_csv: table.csv is not UTF-8 text"),
        (b"PAR1\x15\x04", "y", "data_csv: table.csv is a Parquet file; save it as CSV first"),
    ],
)
def test_table_that_cannot_be_used_is_refused(tmp_path: Path, content: str | bytes, target: str, words: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(RefusedAnswer) as refused:
        table.describe(str(path), target)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_refusal_leaves_nothing_behind(generate: Generate, tmp_path: Path) -> None:
    made = generate(data_csv=str(write(tmp_path, "x,y\n1,a\n2,b,c\n")), target="y")
    assert (made.status, made.output) == (1, "data_csv: line 3 of table.csv has 3 fields, the header 2\n")
    assert not any(made.folder.iterdir())


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
    assert params["features"] == {"numeric": columns, "categorical": []}
    assert params["data"]["target"] == "it's: {% y %}"


def write(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    """Write a table."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read_yaml(path: Path) -> Any:
    """Return what a YAML file holds."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))
