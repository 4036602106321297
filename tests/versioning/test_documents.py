"""JSON is read strictly, YAML as DVC reads it; each refusal says why."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.versioning.conftest import Project
from versioning import documents
from versioning.documents import MAX_JSON_BYTES, dump_json, load_json, load_yaml
from versioning.errors import Malformed

REFUSED_JSON = {
    b'{"a": 1, "a": 2}': "has the key 'a' twice",
    b'{"b": {"a": 1, "c": 3, "a": 1}}': "has the key 'a' twice",
    b'{"a": NaN}': "holds NaN, which is no JSON number",
    b'{"a": Infinity}': "holds Infinity, which is no JSON number",
    b'{"a": -Infinity}': "holds -Infinity, which is no JSON number",
    b'{"a": 1e999}': "holds 1e999, which is larger than any number of 64 bits",
    b'{"a": -1e999}': "holds -1e999, which is larger than any number of 64 bits",
    b"\xef\xbb\xbf{}": "begins with a byte order mark",
    b'{"a": "\xff"}': "is not UTF-8: byte 7 is 0xff",
    "{}".encode("utf-16"): "is not UTF-8: byte 0 is 0xff",
    b"": "is not JSON: line 1 column 1: Expecting value",
    b"{'a': 1}": "is not JSON: line 1 column 2: Expecting property name enclosed in double quotes",
    b'{"a": 1,}': "is not JSON: line 1 column",
    b'{"a": 01}': "is not JSON: line 1 column 8: Expecting ',' delimiter",
    b"{}\n{}": "is not JSON: line 2 column 1: Extra data",
    b'{"a": "\n"}': "is not JSON: line 1 column 8: Invalid control character at",
    b"[" * 200_000: "is nested too deeply",
    b"1" * 5000: "is not JSON: Exceeds the limit",
    b" " * (MAX_JSON_BYTES + 1): "is 1,048,577 bytes; at most 1,048,576 are read",
    rb'{"a": "\u0000"}': r"holds '\x00', which is no character of a text",
    rb'{"\ud800": 1}': r"holds '\ud800', which is no character of a text",
    rb'["\udc00\ud800"]': r"holds '\udc00', which is no character of a text",
}

REFUSED_YAML = {
    b"a: 1\na: 2\n": "is not YAML: line 2 column 1: found duplicate key",
    b"a: [1\n": "is not YAML: line 2 column 1: ",
    b"a: b: c\n": "is not YAML: line 1 column 5: mapping values are not allowed here",
    b"a: \xff\n": "is not UTF-8: byte 3 is 0xff",
    b"a: \x00\n": "is not YAML:",
    b"a: !!python/object:os.system {}\n": "is not YAML: line 1 column 4: could not determine a constructor",
    b"--- 1\n--- 2\n": "is not YAML:",
    b"<<<<<<< HEAD\na: 1\n=======\n": "is not YAML:",
    b"a: *nothing\n": "is not YAML:",
}

#: What YAML 1.2 says, and PyYAML reads otherwise in the first lines.
YAML_FACTS = {
    "1e-3": 0.001,
    "010": 10,
    "0o10": 8,
    "yes": "yes",
    "on": "on",
    "1_000": 1000,
    "12:30": "12:30",
    "0.1": 0.1,
    ".inf": math.inf,
    "true": True,
    "null": None,
    "~": None,
    "": None,
    "'1'": "1",
    "0x1F": 31,
    "1.": 1.0,
    "v1.2.0": "v1.2.0",
    "1.10": 1.1,
    "{a: [1, 2]}": {"a": [1, 2]},
    "é": "é",
}


@pytest.mark.parametrize(("content", "message"), REFUSED_JSON.items(), ids=lambda value: repr(value)[:30])
def test_json_that_could_be_read_in_two_ways_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(Malformed) as caught:
        load_json(content)
    assert str(caught.value).startswith(message)


def test_json_at_the_limit_is_read() -> None:
    assert load_json(b" " * (MAX_JSON_BYTES - 2) + b"{}") == {}


def test_escaped_characters_are_read() -> None:
    assert load_json(rb'{"a": "\u00e9 \ud83d\ude00 \n"}') == {"a": "é 😀 \n"}


def test_json_is_written_in_one_way() -> None:
    assert dump_json({"b": 1, "a": ["é", 0.1]}) == '{\n  "b": 1,\n  "a": [\n    "é",\n    0.1\n  ]\n}\n'.encode()


def test_nan_is_not_written() -> None:
    with pytest.raises(ValueError, match="Out of range float values"):
        dump_json({"a": math.nan})


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
leaves = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=20)


@given(values)
def test_json_that_was_written_is_read_back(value: object) -> None:
    assert load_json(dump_json(value)) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for load in (load_json, load_yaml):
        try:
            load(content)
        except Malformed as error:
            assert str(error).startswith(("is ", "has ", "holds ", "begins "))  # noqa: PT017 (it may be read as well)


@pytest.mark.parametrize(("content", "message"), REFUSED_YAML.items(), ids=lambda value: repr(value)[:30])
def test_yaml_that_cannot_be_read_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(Malformed) as caught:
        load_yaml(content)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(("text", "value"), YAML_FACTS.items())
def test_yaml_is_read_as_dvc_reads_it(text: str, value: object) -> None:
    from dvc.utils.serialize import parse_yaml

    content = f"key: {text}\n"
    read = load_yaml(content.encode())["key"]
    assert (read, type(read)) == (value, type(value))
    assert parse_yaml(content, "params.yaml")["key"] == value


@pytest.mark.parametrize("content", [b"", b"# a comment\n", b"---\n"])
def test_an_empty_yaml_file_is_an_empty_mapping(content: bytes) -> None:
    assert load_yaml(content) == {}


# --- the quick reader of YAML: it says what ruamel says, or nothing ---

SCALARS = st.one_of(
    st.sampled_from(
        "1e-3 1e5 1.0e+5 1.5e-07 010 0o7 0x1F 0b11 1_000 12e03 1.5 .5 5. +1 -0 -0.0 0.0 ~ null Null NULL true True TRUE false yes no on off "
        "y n 2020-01-01 2020-01-01T00:00:00Z 12:30 1:30:00 = << .inf -.inf .nan 12345678901234567890 3b0bfab28a8101b4e4fdd08025a5c235 "
        "12345678901234567890123456789012 1234567890123456789012345678901e 0b0bfab28a8101b4e4fdd08025a5c235.dir v0.1.0 a:b http://x/y "
        "src/a.py ./a -a - ? : # @a `a` %a {a} [a] [] {} [] {} {a:1} {a: 1} !a &a *a | > 'a' \"a\" a#b é".split()
    ),
    st.from_regex(r"[-+.0-9a-fA-FexobnuliTrsyN_:/]{1,12}", fullmatch=True),
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=8),
)


def _block(value: Any, indent: int = 0) -> str:
    pad = "  " * indent
    if isinstance(value, dict):
        lines = [f"{pad}{key}:{_nested(item, indent)}" for key, item in value.items()]
    else:
        lines = [f"{pad}-{_nested(item, indent)}" for item in value]
    return "\n".join(lines)


def _nested(item: Any, indent: int) -> str:
    return (
        f"\n{_block(item, indent + 1)}" if isinstance(item, dict | list) and item else f" {item if isinstance(item, str) else ''}"
    )


@settings(max_examples=400, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCALARS, inner, max_size=3), max_leaves=8)
)
def test_what_the_quick_reader_takes_ruamel_reads_alike(value: Any) -> None:
    content = (_block(value) if isinstance(value, dict | list) else value).encode("utf-8")
    try:
        quick = documents._load_plain_yaml(content) or {}
    except documents._Unsure:
        return
    assert _typed(documents._load_any_yaml(content)) == _typed(quick), content


def _typed(value: Any) -> Any:
    """A value with its types: 1, 1.0 and true are three."""
    if isinstance(value, dict):
        return {key: _typed(item) for key, item in value.items()}
    return [_typed(item) for item in value] if isinstance(value, list) else (type(value).__name__, repr(value))


def test_the_quick_reader_takes_what_dvc_and_the_template_write(project: Project) -> None:
    for name in ("dvc.yaml", "dvc.lock", "params.yaml", "data/raw/telco-customer-churn.csv.dvc"):
        content = project.read(name).encode()
        assert _typed(documents._load_plain_yaml(content)) == _typed(documents._load_any_yaml(content)), name
