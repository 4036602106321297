"""A small but complete repository that the gate accepts as a release: written by hand in a fraction of a second, and the
same, down to the commit ids, on every machine. Nothing is trained, and DVC is not run.

Tests forge commits of it, and benchmarks ask it for thousands of releases.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

MODEL = "customer-churn"
SIDECAR = f"models/{MODEL}.json"
FEATURES = f"models/{MODEL}.features.json"
ARTIFACT = f"models/{MODEL}.skops"
METRICS = "reports/metrics.json"
DATA = "data/raw/telco-customer-churn.csv"
REPORTS = [f"reports/{name}" for name in ("confusion_matrix.csv", "confusion_matrix.png", "calibration.csv", "calibration.png")]
WHO = "Ada Lovelace <ada@example.org>"
START = 1_704_067_200  # 2024-01-01T00:00:00Z; a release an hour
HOUR = 3600
SRC = "src/customer_churn"

# --- what a person writes ---------------------------------------------------------------------------------------------

MODULES = {
    "prepare": "def read(path):\n    return open(path).read().split()\n",
    "featurize": "from .prepare import read\n\n\ndef transform(path):\n    return [line.split(',') for line in read(path)]\n",
    "train": "from .featurize import transform\nfrom .prepare import read\n\nSTEPS = [read, transform]\n",
    "predict": "from .featurize import transform\nfrom .prepare import read\n\nSTEPS = [transform, read]\n",
    "evaluate": "from .featurize import transform\nfrom .predict import STEPS\nfrom .prepare import read\n\nSTEPS = [*STEPS, read]\n"
    "BEST = max(1, len(STEPS), len([transform]))\n",
}


def _code(*names: str) -> list[str]:
    return [f"{SRC}/{name}.py" for name in names]


PIPELINE: dict[str, Any] = {
    "stages": {
        "prepare": {
            "cmd": f"python -m src.customer_churn.prepare {DATA} params.yaml data/prepared/train.csv data/prepared/test.csv",
            "deps": [DATA, *_code("prepare")],
            "params": ["seed", "data.target", "data.task", "split", "features"],
            "outs": ["data/prepared/train.csv", "data/prepared/test.csv"],
        },
        "featurize": {
            "cmd": "python -m src.customer_churn.featurize params.yaml data/prepared/train.csv data/prepared/test.csv "
            f"{FEATURES} data/features/train.csv data/features/test.csv",
            "deps": ["data/prepared/train.csv", "data/prepared/test.csv", *_code("featurize", "prepare")],
            "params": ["data.target", "data.task", "features"],
            "outs": [FEATURES, "data/features/train.csv", "data/features/test.csv"],
        },
        "train": {
            "cmd": f"python -m src.customer_churn.train params.yaml {FEATURES} data/features/train.csv {ARTIFACT}",
            "deps": [FEATURES, "data/features/train.csv", "requirements.lock", *_code("train", "featurize", "prepare")],
            "params": ["seed", "train"],
            "outs": [ARTIFACT],
        },
        "evaluate": {
            "cmd": f"python -m src.customer_churn.evaluate {ARTIFACT} {FEATURES} data/features/test.csv reports",
            "deps": [ARTIFACT, FEATURES, "data/features/test.csv", *_code("evaluate", "predict", "featurize", "prepare")],
            "metrics": [{METRICS: {"cache": False}}],
            "plots": REPORTS,
        },
        "sidecar": {
            "cmd": "python -m versioning sidecar",
            "deps": [ARTIFACT, FEATURES, "data/prepared/test.csv", "requirements.lock", METRICS, *REPORTS],
            "params": ["version", "data.id"],
        },
    },
    "artifacts": {MODEL: {"path": ARTIFACT, "type": "model", "desc": "scikit-learn pipeline in the skops format"}},
}
POLICY: dict[str, Any] = {
    "model": MODEL,
    "team": "data-science",
    "policy": "solo",
    "registry": "git",
    "ci": "github",
    "stages": ["staging", "canary", "prod"],
    "allow_pickle": False,
    "checklist": ["artifact", "data", "evaluation_data", "features", "environment", "evaluation", "seed", "team", "README.md"],
    "thresholds": {"roc_auc": {"min": 0.75}},
    "waivers": [],
    "paths": {"metrics": METRICS, "evaluation_data": "data/prepared/test.csv", "evaluation": REPORTS},
}
RAW = (
    b"customerID,tenure,MonthlyCharges,Contract,Churn\n1,5,20.5,One year,No\n2,1,70.0,Month-to-month,Yes\n3,9,19.0,Two year,No\n"
)


def params(number: int) -> dict[str, Any]:
    """What `params.yaml` says when release `number` is made."""
    return {
        "version": f"v0.{number}.0",
        "seed": 42,
        "data": {"id": "telco-churn-2020-06-25", "path": DATA, "target": "Churn", "task": "classification"},
        "split": {"test_size": 0.2},
        "features": {"numeric": ["tenure", "MonthlyCharges"], "categorical": ["Contract"]},
        "train": {"C": float(number), "max_iter": 1000},
    }


def _sources() -> dict[str, bytes]:
    """All that Git holds and no stage makes, but for `params.yaml`."""
    texts = {
        ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
        ".dvc/config": "[core]\n    analytics = false\n    remote = storage\n",
        ".dvcignore": "__pycache__/\n*.pyc\n.venv/\n",
        ".gitattributes": "* -text\n",
        ".gitignore": ".venv\n__pycache__/\n*.pyc\n",
        "README.md": "# Customer Churn\n",
        "data/.gitignore": "/prepared\n/features\n",
        "data/raw/.gitignore": "/telco-customer-churn.csv\n",
        "dvc.yaml": yaml(PIPELINE),
        "models/.gitignore": f"/{MODEL}.skops\n/{MODEL}.features.json\n",
        "reports/.gitignore": "".join(f"/{path.removeprefix('reports/')}\n" for path in REPORTS),
        "requirements.lock": "scikit-learn==1.9.1\nskops==0.16.0\n",
        "versioning.yaml": yaml(POLICY),
        f"{DATA}.dvc": yaml({"outs": [{"md5": _md5(RAW), "size": len(RAW), "hash": "md5", "path": DATA.rpartition("/")[2]}]}),
    }
    texts |= {f"{SRC}/{name}.py": text for name, text in MODULES.items()}
    return {path: text.encode() for path, text in texts.items()}


# --- what the stages make ---------------------------------------------------------------------------------------------


def spec() -> dict[str, Any]:
    """The serialized feature spec."""
    return {
        "schema_version": 1,
        "task": "classification",
        "target": "Churn",
        "classes": ["No", "Yes"],
        "features": [
            {"name": "tenure", "type": "number"},
            {"name": "MonthlyCharges", "type": "number"},
            {"name": "Contract", "type": "category", "categories": ["Month-to-month", "One year", "Two year"]},
        ],
    }


def metrics(number: int) -> dict[str, Any]:
    """What the model of release `number` is measured to be."""
    return {"accuracy": 0.805536, "roc_auc": round(0.8 + number % 1000 / 10_000, 4), "rows": 1}


def _kept(number: int) -> dict[str, bytes]:
    """The files that DVC keeps at release `number`: only the model is another each time."""
    head, *rows = RAW.splitlines(keepends=True)
    files = {DATA: RAW, FEATURES: _json(spec()), ARTIFACT: f"a model with C={float(number)}\n".encode()}
    for step in ("prepared", "features"):
        files |= {f"data/{step}/train.csv": head + b"".join(rows[:2]), f"data/{step}/test.csv": head + rows[2]}
    return files | {path: f"{path} of a small model\n".encode() for path in REPORTS}


def _lock(stages: Mapping[str, Any], made: Mapping[str, bytes], parameters: Mapping[str, Any]) -> dict[str, Any]:
    def hashes(paths: list[str]) -> list[dict[str, Any]]:
        return [{"path": it, "hash": "md5", "md5": _md5(made[it]), "size": len(made[it])} for it in sorted(paths)]

    locked = {}
    for name, stage in stages.items():
        outs = [*stage.get("outs", []), *(path for item in stage.get("metrics", []) for path in item), *stage.get("plots", [])]
        taken = {key: _at(parameters, key) for key in sorted(stage.get("params", []))}
        locked[name] = {
            "cmd": stage["cmd"],
            "deps": hashes(stage["deps"]),
            **({"params": {"params.yaml": taken}} if taken else {}),
            **({"outs": hashes(outs)} if outs else {}),
        }
    return {"schema": "2.0", "stages": locked}


def _sidecar(number: int, commit: str, made: Mapping[str, bytes]) -> dict[str, Any]:
    said, policy = params(number), POLICY["paths"]
    when = datetime.fromtimestamp(START + number * HOUR, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "schema_version": 1,
        "model_name": MODEL,
        "version": said["version"],
        "commit": commit,
        "data_id": said["data"]["id"],
        "hyperparameters": {
            "data": {"target": said["data"]["target"], "task": said["data"]["task"]},
            **{key: said[key] for key in ("features", "seed", "split", "train")},
        },
        "metrics": metrics(number),
        "created_by": WHO,
        "created_at": when,
        "stage": "staging",
        "team": POLICY["team"],
        "artifact": {
            "path": ARTIFACT,
            "sha256": _sha256(made[ARTIFACT]),
            "md5": _md5(made[ARTIFACT]),
            "size": len(made[ARTIFACT]),
            "format": "skops",
        },
        "data": {"path": DATA, "md5": _md5(RAW), "size": len(RAW), "source": "dvc"},
        "evaluation_data": {"path": policy["evaluation_data"], "md5": _md5(made[policy["evaluation_data"]])},
        "features": {"path": FEATURES, "sha256": _sha256(made[FEATURES])},
        "environment": {
            "python": "3.12.1",
            "platform": "Linux-6.1-x86_64-with-glibc2.36",
            "lock_sha256": _sha256(made["requirements.lock"]),
        },
        "seed": said["seed"],
        "evaluation": [{"path": path, "sha256": _sha256(made[path])} for path in policy["evaluation"]],
        "tags": {"experiment_id": None, "data_snapshot": said["data"]["id"], "approved": False},
    }


# --- the repository ---------------------------------------------------------------------------------------------------


class Folder:
    """A working tree whose files a test edits as a person does."""

    path: Path

    def write(self, path: str, text: str) -> None:
        (self.path / path).parent.mkdir(parents=True, exist_ok=True)
        (self.path / path).write_text(text, "utf-8")

    def replace(self, path: str, old: str, new: str) -> None:
        text = (self.path / path).read_text("utf-8")
        assert old in text
        self.write(path, text.replace(old, new, 1))


@dataclass
class Small:
    """A repository whose last commit is ready to be released; forged commits lie beside it, on no branch."""

    path: Path
    #: The last commit, and the version that may be released there.
    commit: str
    version: str
    #: What Git holds there.
    files: dict[str, bytes] = field(repr=False)
    _known: dict[bytes, str] = field(default_factory=dict, repr=False)

    def forge(self, changes: Mapping[str, bytes | None]) -> str:
        """A commit on top of the last one with some files changed or (None) gone; costs no process."""
        files = {path: content for path, content in {**self.files, **changes}.items() if content is not None}
        when = f"{WHO} {START} +0000"
        text = f"tree {self._tree(files)}\nparent {self.commit}\nauthor {when}\ncommitter {when}\n\nOn trial\n"
        return self._object(b"commit", text.encode())

    def renamed(self, version: str) -> dict[str, bytes | None]:
        """The changes that make the last commit one of another version, the sidecar left out."""
        old, new = self.version.encode(), version.encode()
        return {path: self.files[path].replace(old, new) for path in ("params.yaml", "dvc.lock")}

    def with_spec(self, content: bytes) -> dict[str, bytes | None]:
        """The changes that give the last commit another feature spec, whose bytes DVC's cache gets."""
        _keep(self.path, {FEATURES: content})
        old = _kept(int(self.version.split(".")[1]))[FEATURES]
        recorded = self.files["dvc.lock"].replace(_md5(old).encode(), _md5(content).encode())
        return {
            "dvc.lock": recorded.replace(b"size: %d\n" % len(old), b"size: %d\n" % len(content)),
            SIDECAR: self.files[SIDECAR].replace(_sha256(old).encode(), _sha256(content).encode()),
        }

    def cached(self, path: str) -> Path:
        """Where DVC's cache holds what the last commit has under a path."""
        return _place(self.path, _md5((self.path / path).read_bytes()))

    def _tree(self, files: Mapping[str, bytes]) -> str:
        entries: dict[str, Any] = {}
        for path, content in files.items():
            name, slash, rest = path.partition("/")
            if slash:
                entries.setdefault(name, {})[rest] = content
            else:
                entries[name] = content
        # Git sorts a folder as if its name ended with a slash.
        lines = [
            (f"{name}/", f"40000 {name}", self._tree(entry))
            if isinstance(entry, dict)
            else (name, f"100644 {name}", self._object(b"blob", entry))
            for name, entry in entries.items()
        ]
        return self._object(b"tree", b"".join(head.encode() + b"\0" + bytes.fromhex(oid) for _, head, oid in sorted(lines)))

    def _object(self, kind: bytes, content: bytes) -> str:
        data = b"%s %d\0%s" % (kind, len(content), content)
        if data not in self._known:
            oid = hashlib.sha1(data, usedforsecurity=False).hexdigest()
            place = self.path / ".git/objects" / oid[:2] / oid[2:]
            if not place.exists():
                place.parent.mkdir(exist_ok=True)
                place.write_bytes(zlib.compress(data, 1))
            self._known[data] = oid
        return self._known[data]


def build(folder: Path, released: int = 1) -> Small:
    """Make the repository in an empty folder.

    Args:
        released: how many releases it has; the commit after the last of them is ready to be the next.
    """
    command = ["git", "init", "-q", "-b", "main", "--object-format=sha1", "--template=", str(folder)]
    subprocess.run(command, check=True)
    writer = subprocess.Popen(["git", "fast-import", "--quiet"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert writer.stdin and writer.stdout
    sources, commit, files = _sources(), "", {}
    for number in range(1, released + 2):
        changes = {"params.yaml": yaml(params(number)).encode(), **(sources if number == 1 else {})}
        trained = _commit(writer.stdin, writer.stdout, number, f"Set C to {number}", changes)
        files |= changes
        kept = _kept(number)
        made = sources | kept | {METRICS: _json(metrics(number))}
        results = {
            METRICS: made[METRICS],
            "dvc.lock": yaml(_lock(PIPELINE["stages"], made, params(number))).encode(),
            SIDECAR: _json(_sidecar(number, trained, made)),
        }
        commit = _commit(writer.stdin, writer.stdout, number, "Train", results)
        files |= results
        _keep(folder, kept)
        if number <= released:
            _tag(writer.stdin, number, commit)
    writer.stdin.close()
    writer.stdout.close()
    assert writer.wait() == 0
    subprocess.run(["git", "reset", "-q", "--hard"], cwd=folder, check=True)
    for path, content in _kept(released + 1).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return Small(folder, commit, f"v0.{released + 1}.0", files)


def _commit(stream: IO[bytes], answers: IO[bytes], number: int, message: str, changes: Mapping[str, bytes]) -> str:
    when = f"{WHO} {START + number * HOUR} +0000"
    stream.write(f"commit refs/heads/main\nmark :1\nauthor {when}\ncommitter {when}\n".encode() + _data(message.encode()))
    for path, content in changes.items():
        stream.write(f"M 100644 inline {path}\n".encode() + _data(content))
    stream.write(b"\nget-mark :1\n")
    stream.flush()
    return answers.readline().decode().strip()


def _tag(stream: IO[bytes], number: int, commit: str) -> None:
    name, when = f"v0.{number}.0", f"{WHO} {START + number * HOUR} +0000"
    stream.write(f"tag {name}\nfrom {commit}\ntagger {when}\n".encode() + _data(name.encode()))


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _keep(folder: Path, kept: Mapping[str, bytes]) -> None:
    """Fill DVC's cache."""
    for content in kept.values():
        place = _place(folder, _md5(content))
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
            place.chmod(0o444)


def _place(folder: Path, md5: str) -> Path:
    return folder / ".dvc/cache/files/md5" / md5[:2] / md5[2:]


def rewrite(examples: Path) -> None:
    """Bring what has changed in the sidecar of the small repository into every example; each keeps its lie."""
    old = (examples / "valid/full.json").read_bytes()
    named = json.loads(old)["commit"].encode()
    with tempfile.TemporaryDirectory() as scratch:
        before, after = Path(scratch, "before"), Path(scratch, "after")
        before.write_bytes(old)
        new = build(Path(scratch, "small")).files[SIDECAR]
        after.write_bytes(new)
        for example in sorted(examples.rglob("*.json")):
            # What is no text cannot be merged, and tells its lie whatever else it says.
            subprocess.run(["git", "merge-file", "-q", "--ours", example, before, after], check=False)
            # Beside a line that the lie has changed, or in another layout, nothing is merged; the commit is known by its id.
            example.write_bytes(example.read_bytes().replace(named, json.loads(new)["commit"].encode()))


# --- how it is written ------------------------------------------------------------------------------------------------


def yaml(value: Any) -> str:
    """YAML in DVC's layout: block style, lists as deep as their key. A library's writer takes 50 times as long."""
    return "".join(f"{line}\n" for line in _lines(value))


def _lines(value: Any) -> Iterator[str]:
    for key, item in value.items() if isinstance(value, dict) else ():
        if not isinstance(item, dict | list):
            yield f"{key}: {_scalar(item)}"
        else:
            yield f"{key}:"
            indent = "" if isinstance(item, list) else "  "
            yield from (f"{indent}{line}" for line in _lines(item))
    for item in value if isinstance(value, list) else ():
        lines = list(_lines(item)) if isinstance(item, dict) else [_scalar(item)]
        yield f"- {lines[0]}"
        yield from (f"  {line}" for line in lines[1:])


def _scalar(value: Any) -> str:
    if isinstance(value, str) and value[:1].isalpha() and ": " not in value and " #" not in value:
        return value
    return json.dumps(value)


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()


def _at(values: Any, key: str) -> Any:
    for part in key.split("."):
        values = values[part]
    return values


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    rewrite(Path(__file__).resolve().parents[2] / "examples")
