"""One table with everything at once: what spreadsheets, databases and people put into a CSV."""

from __future__ import annotations

import csv
import random
from pathlib import Path

HEADER = [
    "", "Kunden-ID", "yes", "null", "1e3", "2020", "Größe, m²", "Umsatz: €", "#Notiz", " Stadt ", "seit", "zuletzt",
    "gemischt", "Tag/Monat", "leer", "Land", "riesig", "größter", 'it\'s "ja"', "Klasse",
]  # fmt: skip
ROWS = 300


def write_wild(path: Path) -> Path:
    """Write the table: BOM, semicolons, CRLF, line breaks in fields, a class with one row, and a blank line at the end."""
    draw = random.Random(7)
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, delimiter=";", lineterminator="\r\n")
        writer.writerow(HEADER)
        writer.writerows(_row(number, draw) for number in range(ROWS))
        stream.write("\r\n")
    return path


def _row(number: int, draw: random.Random) -> list[object]:
    size = draw.uniform(20, 200)
    day, month, year = draw.randint(1, 12), draw.randint(1, 12), draw.randint(1990, 2024)
    label = "gekündigt" if size + draw.gauss(0, 20) > 110 else 'bleibt, "gern"'
    return [
        number,
        f"K{number:05}",
        draw.choice(["ja", "nein", "NA", "", "NULL", "n/a", "nan"]),
        draw.randint(0, 9),
        draw.choice(["1", "2", "?", "3"]),
        f"{draw.uniform(-1, 1):.3f}".replace(".", ","),
        f"{size:.2f}".replace(".", ",") if number % 9 else draw.choice(["", "NA", "N/A", "null", "NaN"]),
        f"{draw.uniform(1, 9000):.1e}".replace(".", ","),
        f'Zeile {number}\r\nund "noch" eine; ja',
        draw.choice(["Köln", "Bonn; Süd", 'Das "Dorf"', "München\nOst", "東京"]),
        f"{draw.randint(1, 28):02}.{month:02}.{year}",
        f"2024-{month:02}-{day:02} 1{day % 10}:30:00" if number % 7 else "",
        f"2024-{month:02}-{day:02}" if number % 2 else f"{day:02}.{month:02}.2024",
        f"{day:02}/{month:02}/{year}",
        "",
        "DE",
        draw.choice(["1e308", "-1e308", "5", "0"]),
        draw.randint(0, 10**18),
        draw.choice(["a", "b"]),
        {17: "einmalig", 40: "NA"}.get(number, label),
    ]
