"""What a large table costs: make one, start a project from it, and measure each stage's time and peak memory.

python benchmarks/large_table.py GIGABYTES, in an environment that has requirements-dev.lock. It needs five times the room.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
ROWS = 20_000


def main() -> int:
    """Measure a table of as many gigabytes as the first argument says."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        rows = write(Path("orders.csv"), float(sys.argv[1]) * 1e9)
        print(f"orders.csv: {rows:,} rows, 21 columns, {Path('orders.csv').stat().st_size / 1e9:.2f} GB")
        answers = ["data_csv=orders.csv", "target=left", "project_name=orders", "_install=no"]
        measure("cookiecutter", "-m", "cookiecutter", str(ROOT), "--no-input", *answers)
        os.chdir("orders")
        prepared, features = (tuple(f"data/{name}/{part}.csv" for part in ("train", "test")) for name in ("prepared", "features"))
        model, spec = "models/orders.skops", "models/orders.features.json"
        stage = "src.orders.{}".format
        measure("prepare", "-m", stage("prepare"), "data/raw/orders.csv", "params.yaml", *prepared)
        measure("featurize", "-m", stage("featurize"), "params.yaml", *prepared, spec, *features)
        measure("train", "-m", stage("train"), "params.yaml", spec, features[0], model)
        measure("evaluate", "-m", stage("evaluate"), model, spec, features[1], "reports")
        print(Path("reports/metrics.json").read_text(encoding="utf-8"))
        os.chdir(ROOT)
    return 0


def measure(name: str, *arguments: str) -> None:
    """Run Python with arguments, and print what it took."""
    start = time.perf_counter()
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    process = os.posix_spawn(sys.executable, [sys.executable, *arguments], dict(os.environ), file_actions=quiet)
    _, status, used = os.wait4(process, 0)
    if status:
        sys.exit(f"{name} failed")
    seconds, processor = time.perf_counter() - start, used.ru_utime + used.ru_stime
    print(
        f"{name:12} {seconds:4.0f} s, of the processor {processor:4.0f} s, peak memory {used.ru_maxrss / 1024:5.0f} MiB",
        flush=True,
    )


def write(path: Path, size: float) -> int:
    """Write orders: twelve measures, four categories, two dates, an id, a remark and who left; return how many."""
    draw = np.random.default_rng(0)
    rows = 0
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        measures = ",".join(f"m{number}" for number in range(12))
        stream.write(f"order_id,ordered,shipped,city,plan,channel,segment,{measures},note,left\n")
        while stream.tell() < size:
            values = draw.normal(size=(ROWS, 12)).round(4)
            plan = draw.integers(0, 4, ROWS)
            left = np.where(values[:, 0] + values[:, 1] + (plan == 2) + draw.normal(size=ROWS) > 0.7, "yes", "no")
            seconds = draw.integers(0, 86400 * 2000, ROWS)
            shipped = (np.datetime64("2018-01-01T00:00:00") + seconds + 86400).astype(str)
            ordered = (np.datetime64("2018-01-01") + seconds // 86400).astype(str)
            cities, channels, segments = (draw.integers(0, most, ROWS) for most in (40, 6, 12))
            stream.writelines(
                f"o{rows + row},{ordered[row]},{shipped[row].replace('T', ' ')},city {cities[row]},plan {plan[row]},"
                f'{channels[row]},"seg, {segments[row]}",{",".join(map(str, values[row].tolist()))},'
                f"note {rows + row},{left[row]}\n"
                for row in range(ROWS)
            )
            rows += ROWS
    return rows


if __name__ == "__main__":
    sys.exit(main())
