"""JSON is read strictly, YAML as DVC reads it; each refusal says why."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
