"""Write the sidecar of the model on disk, from facts. The sidecar stage of `dvc.yaml` runs this."""

from __future__ import annotations

import argparse
from typing import Any

from .. import policy
from .. import sidecar as sidecars
from ..errors import UsageError
from ..git import Repository
from ..snapshot import DiskSnapshot

EXAMPLE = "dvc repro -f -s sidecar"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `model sidecar`."""
    parser.add_argument("model", nargs="?", help="default: the model of versioning.yaml")


def sidecar(arguments: argparse.Namespace) -> int:
    """Write it and print what to do next."""
    with Repository.discover() as repository:
        content = write(repository, arguments.model)
    print(f"{sidecars.path_of(content['model_name'])}: {content['version']} of {content['data_id']}, {_metrics(content)}")
    # DVC's own hint ends here too, and leaves the sidecar out.
    print('Next: git add -A && git commit -m "Train"')
    return 0


def write(repository: Repository, model: str | None = None) -> dict[str, Any]:
    """Describe the model on disk and write its sidecar.

    Raises:
        VersioningError: the pipeline has not made what a sidecar describes.
    """
    disk = DiskSnapshot(repository)
    rules = policy.load(disk)
    name = model or rules.model
    if not name:
        raise UsageError(f"{policy.FILE} names no model", "python3 -m versioning sidecar MODEL")
    content = sidecars.describe(disk, rules.of(name), name)
    sidecars.write(repository.path, content)
    return content


def _metrics(content: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in content["metrics"].items() if not isinstance(value, dict))
