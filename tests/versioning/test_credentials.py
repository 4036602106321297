"""What is a secret, and what only looks like one. No secret is written here: each is put together from its parts."""

from __future__ import annotations

import base64
import json
import random
import string
import time
from pathlib import Path

import pytest

from versioning import credentials

_DRAW = random.Random(20)
ALNUM = string.ascii_letters + string.digits
BASE64, HEX, UPPER, URL = ALNUM + "+/", string.hexdigits[:16], string.ascii_uppercase + "234567", ALNUM + "-_"
KEY_BLOCK = "PRIVATE " + "KEY-----"


def drawn(length: int, letters: str = ALNUM) -> str:
    return "".join(_DRAW.choice(letters) for _ in range(length))


def block(kind: str, lines: int) -> str:
    body = "\n".join("  " + drawn(64, BASE64) for _ in range(lines))
    return f"key: |\n  -----BEGIN {kind}{KEY_BLOCK}\n{body}\n  -----END {kind}{KEY_BLOCK}"


def jwt() -> str:
    parts = [json.dumps({"alg": "HS256", "typ": "JWT"}), json.dumps({"sub": "1234567890", "iat": 1516239022})]
    return ".".join([*(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts), drawn(43, URL)])


SECRETS = {
    "AWS id": "x: AK" + "IA" + drawn(16, UPPER),
    "AWS id and key": "x: AK" + "IA" + drawn(16, UPPER) + "\ny: " + drawn(40, BASE64),
    "AWS key": "aws_secret_access_key = " + drawn(40, BASE64),
    "GitHub": "x: gh" + "p_" + drawn(36),
    "GitHub, in a list": "- gh" + "p_" + drawn(36),
    "GitHub, fine-grained": "x: github" + "_pat_" + drawn(22) + "_" + drawn(59),
    "GitHub, an app's": "x: gh" + "s_" + drawn(36),
    "GitLab": "x: gl" + "pat-" + drawn(20),
    "Slack": "x: xo" + "xb-" + drawn(12, string.digits) + "-" + drawn(12, string.digits) + "-" + drawn(24),
    "Slack's address": "x: https://hooks.sl" + "ack.com/services/T" + drawn(8, UPPER) + "/B" + drawn(8, UPPER) + "/" + drawn(24),
    "Stripe": "x: sk_" + "live_" + drawn(24),
    "npm": "x: np" + "m_" + drawn(36),
    "PyPI": "x: py" + "pi-AgEIcHlwaS5vcmc" + drawn(150, URL),
    "Google": "x: AI" + "za" + drawn(35),
    "OpenAI": "x: sk-" + drawn(20) + "T3Blbk" + "FJ" + drawn(20),
    "OpenAI, a project's": "x: sk-" + "proj-" + drawn(74, URL) + "T3Blbk" + "FJ" + drawn(74, URL),
    "Hugging Face": "x: h" + "f_" + drawn(34, string.ascii_letters),
    "SendGrid": "x: S" + "G." + drawn(22) + "." + drawn(43),
    "RSA": block("RSA ", 12),
    "OpenSSH": block("OPENSSH ", 6),
    "a key in JSON": json.dumps({"extra": {"key": block("", 12)}}, indent=2),
    "JWT": "x: " + jwt(),
    "a URL": "url: https://bob:" + drawn(12) + "@mlflow.acme.test/api",
    "a database": "source: postgresql://svc:" + drawn(14) + "@db.acme.test:5432/churn",
    "Azure, in full": "x: DefaultEndpointsProtocol=https;AccountName=acme;Account" + "Key=" + drawn(86, BASE64) + "==",
    "Azure": "x: Account" + "Key=" + drawn(86, BASE64) + "==",
    "Azure, signed": "x: https://acme.blob.core.windows.net/c?sv=2023-01-03&se=2027-01-01&sig=" + drawn(43) + "%3D",
    "a password": "pass" + "word: hunter2x",
    "a password in JSON": '{"pass' + 'word": "Tr0ub4dor&3"}',
    "a password in TOML": "pass" + "word = 'pa55-phrase'",
    "a database's password": "db_pass" + "word: s3cr3t-" + drawn(6),
    "a password in a comment": "# pass" + "word: hunter2x",
    "an API key": "api_" + "key: " + drawn(32, HEX),
    "a client's secret": '"client_' + 'secret": "' + drawn(34, URL + "~.") + '"',
}
# Values of honest repositories; none is a secret, alone or beside one.
HONEST = [
    "sha256: " + "0a1b2c3d" * 8, '"md5": "' + "0a1b2c3d" * 4 + '"', "commit: " + "0a1b2c3d" * 5, "md5: " + "0a1b2c3d" * 4 + ".dir",
    "id: telco-churn-2020-06-25", "token_pattern: '(?u)\\b\\w\\w+\\b'", "max_tokens: 512", "key: customerID", "secret_dim: 3",
    "password_features: [has_password, password_age]", "numeric: [password_length, token_count, secret_santa_score]",
    '"categories": ["TW9udGgtdG8tbW9udGggY29udHJhY3Q=", "T25lIHllYXIgb2Ygc2VydmljZQ=="]',
    "url: https://example.com/data.csv?version=3", "run_id: 123e4567-e89b-12d3-a456-426614174000", "created_by: Jo <jo@example.com>",
    "url: s3://bucket/prefix/with/a/long/path", "- api_key_age_days", "tokenizer: bert-base-uncased", "pad_token: '[PAD]'",
    "eos_token: '<|endoftext|>'", "password: ${DB_PASSWORD_1}", "api_key: $API_KEY_1", "api_key_env: CHURN_API_KEY_2",
    "password: ''", "token: null", "use_auth_token: true", "password: 3", "target: password_reset", "primary_key: customer_id_2",
    "image: python:3.11@sha256:" + "0a1b2c3d" * 8, "etag: '" + "0a1b2c3d" * 4 + "-12'", "url: ssh://git@example.com/a/b.git",
    "url: git@github.com:acme/churn.git", "url: abfs://container@account.dfs.core.windows.net/path", "account_name: acmestorage1",
    "password: '{{ vault.db1 }}'", "password: <from the vault>", "credentialpath: ~/keys/key1.json", "secret_name: prod/churn/db1",
    "secret: arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf", "secret: vault://prod/db1",
    "random_token_prob: 0.1", "access_key: customer_access_2", "columns: [MonthlyChargesPerTenureMonthSquared, TotalOfServices2020]",
    "key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJvYm9ib2JvYm9ib2JvYm9ib2JvYm9ib2JvYm9i jo@host", "-----BEGIN CERTIFICATE-----",
    "api_key: your-api-key-1", "password: changeme", "password: '********'", "url: http://localhost:5000", "url: https://jo@example.com/r",
    "token: glove.6B.100d", "password_policy: strong", "secret_type: opaque", "api_key_version: v2", "passthrough: [tenure]",
    "facebook: " + "0a1b2c3d" * 4, "- heroku: 123e4567-e89b-12d3-a456-426614174000", "discord_id: 484160457016683184",
    '"path": "data/raw/twitter.csv", "md5": "' + "0a1b2c3d" * 4 + '"', "api_key: category", "secret: label_hidden", "pwd: 1e-3",
    "platform: Linux-6.1.0-x86_64-with-glibc2.36", "created_at: 2026-03-04T05:06:07Z", "# rotate the password every 90 days",
    "x: AK" + "IAIOSFODNN7" + "EXAMPLE", "secret_feature: v2.1", "password_hash: pbkdf2_sha256", "C: 1.0", "",
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _rules_are_compiled_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    credentials._scanner()


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_found_and_not_shown(kind: str) -> None:
    text = SECRETS[kind]
    found = credentials.find(f"version: v0.1.0\n{text}\nseed: 42\n".encode())
    assert found and all(2 <= secret.line <= text.count("\n") + 2 for secret in found), found
    assert all(len(secret.shown) <= 5 and secret.kind and secret.text not in repr(secret) for secret in found)


@pytest.mark.parametrize("text", HONEST)
def test_an_honest_value_is_none(text: str) -> None:
    assert credentials.find(text.encode()) == ()


def test_an_honest_value_is_none_beside_a_secret() -> None:
    """The rules then look at all of the file."""
    text = "\n".join([*HONEST, SECRETS["Google"]])
    assert [secret.line for secret in credentials.find(text.encode())] == [len(HONEST) + 1]


@pytest.mark.parametrize("kind", SECRETS)
def test_what_the_rules_find_is_looked_at(kind: str) -> None:
    """The look beforehand hides nothing of this table from the rules."""
    text = SECRETS[kind]
    assert credentials.is_suspicious(text) or not list(credentials._known(text))


def test_most_files_need_no_rules() -> None:
    ordinary = [
        "sha256: " + "0a1b2c3d" * 8, "commit: " + "0a1b2c3d" * 5, "run_id: 123e4567-e89b-12d3-a456-426614174000", "max_tokens: 512",
        "platform: Linux-6.1.0-x86_64-with-glibc2.36", "created_by: Jo <jo@example.com>", "id: telco-churn-2020-06-25", "C: 1.0",
    ]  # fmt: skip
    assert not credentials.is_suspicious("\n".join(ordinary))


def test_the_template_itself_needs_no_rules(template: Path) -> None:
    """A tag of a new project costs no time here."""
    for path in ("params.yaml", "versioning.yaml", ".dvc/config"):
        assert not credentials.is_suspicious((template / "{{cookiecutter.__project_slug}}" / path).read_text("utf-8")), path


def test_no_odd_bytes_end_in_a_traceback() -> None:
    for content in (
        b"",
        b"\xff\xfe",
        b"\0",
        b"x" * 100_000,
        b"\r\r\n\x0b\x0c" + SECRETS["Google"].encode(),
        b"key: " + b"=" * 5000,
    ):
        credentials.find(content)


@pytest.mark.parametrize(
    "text", ["a" * 16 + "-" * 200_000, "key: " * 40_000, "://a:" * 40_000, "aA1-" * 50_000, "key" * 60_000, "password " * 20_000]
)
def test_no_text_takes_long(text: str) -> None:
    """The look beforehand and the passwords by name take time in proportion, also where a line has no end."""
    start = time.process_time()
    credentials.is_suspicious(text)
    list(credentials._named(text))
    short = "\n".join(text[at : at + 990] for at in range(0, len(text), 990))
    credentials.is_suspicious(short)
    assert time.process_time() - start < 2
