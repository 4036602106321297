"""SE01: a secret in what is released."""

from __future__ import annotations

import pytest

from tests.versioning.checks.conftest import Change, Changes, Trial, codes, hints, put, refused_commit, refused_tag, said, swap
from tests.versioning.conftest import SIDECAR, Project
from versioning.findings import Report, as_json

TOKEN = "gh" + "p_" + "a1B2c3D4" * 4 + "e5F6"
SAYS = "holds what looks like a secret"


def line(text: str) -> Change:
    return lambda old: f"{old}{text}\n"


LIES: dict[str, tuple[str, Change]] = {
    "in the sidecar": (SIDECAR, put({"note": TOKEN}, "extra")),
    "in a hyperparameter": (SIDECAR, put(TOKEN, "hyperparameters", "train", "hub")),
    "in params": ("params.yaml", line(f"hub: {TOKEN}")),
    "in a comment": ("params.yaml", line(f"# {TOKEN}")),
    "in the policy": ("versioning.yaml", line(f"# {TOKEN}")),
    "in DVC's configuration": (".dvc/config", line("['remote \"s3\"']\n    secret_access_key = " + "aB3+" * 10)),
    "in a manifest": ("deploy/prod.yaml", f"uri: https://bob:{TOKEN}@models.acme.test\n"),
}


@pytest.mark.parametrize("lie", LIES)
def test_se01_a_secret(trial: Trial, lie: str) -> None:
    path, change = LIES[lie]
    for found in (trial.tagged({path: change}), trial.staged({path: change})):
        secrets = [it for it in found if it.code == "SE01"]
        assert secrets and all(it.file == path and it.message.startswith("line ") and SAYS in it.message for it in secrets), said(
            found
        )
        # Nor do other rules print it, as HP01 would print a hyperparameter.
        assert TOKEN[5:] not in as_json(Report(found)) and "aB3+aB3+" not in said(found)


def test_se01_in_another_file_of_parameters(trial: Trial) -> None:
    changes: Changes = {
        "dvc.yaml": swap("      - seed\n      - train\n", "      - seed\n      - train\n      - hub.toml:\n          - token\n"),
        "hub.toml": f"token = '{TOKEN}'\n",
    }
    (finding,) = [it for it in trial.tagged(changes) if it.code == "SE01"]
    assert finding.file == "hub.toml" and "line 1" in finding.message


def test_se01_is_told_before_it_is_committed(project: Project) -> None:
    project.replace("params.yaml", "seed: 42", "api_" + "key: hunter2xyz-\nseed: 42")
    output = refused_commit(project, f"params.yaml: SE01 line 5 {SAYS} (api_key): hu…", "revoke it if it was committed before")
    (hint,) = hints(output)
    project.ok("sh", "-c", hint.partition(",")[0])
    assert project.git("diff", "--cached", "--name-only") == ""
    project.replace("params.yaml", "api_" + "key: hunter2xyz-\n", "api_" + "key: ${API_KEY}\n")
    project.commit("Name where it is")


def test_se01_a_secret_that_was_committed(project: Project) -> None:
    project.write("deploy/prod.yaml", "pass" + "word: hunter2xyz-\n")
    project.force_commit()
    refused_tag(project, f"deploy/prod.yaml: SE01 line 1 {SAYS} (password): hu…", "hint: revoke it where it was issued")
    project.write("deploy/prod.yaml", "model: customer-churn\n")
    project.commit("Take it out")
    project.tag("v0.1.0")


NEAR: dict[str, Changes] = {
    "names": {"params.yaml": line("tokens: {token_pattern: '(?u)\\b\\w\\w+\\b', max_tokens: 512, secret_dim: 3}")},
    "where a secret is": {"params.yaml": line("password: ${DB_PASSWORD_1}"), "deploy/prod.yaml": "token: env:MODEL_TOKEN_1\n"},
    "a secret in a file that is not released": {"README.md": TOKEN, "notes/params.yaml": TOKEN},
    "odd bytes": {"deploy/prod.yaml": b"\xff\xfe\0"},
}


@pytest.mark.parametrize("near", NEAR)
def test_near_misses_pass(trial: Trial, near: str) -> None:
    for found in (trial.tagged(NEAR[near]), trial.staged(NEAR[near])):
        assert "SE01" not in codes(found), said(found)
