"""Lines of keys: known documents by hand, made-up ones by writing them and looking again."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa_runner.configuration.locations import key_lines

DOCUMENT = r"""# a comment with [brackets] and x = 1
default_target = "shop"   # "quotes" [x]

[targets.shop] # here
url = 'http://x#y'
paths = { "/a#b" = "/c", '/d = e' = "/f" }
long = '''
[not.a.table]
x = 2
'''
quoted.'dotted key'.deep = @@@ \@@@ ] } = @@@@@

[targets."with.dot".project]
hosts = [ # first
  "a", "b]", # [second]
  { name = "c", list = [1, [2, 3]] },
]
when = 1979-05-27 07:32:00
number=-1.5e3
empty = {}
none = []

[targets]
late = true
""".replace("@", '"')


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (("default_target",), 2),
        (("targets", "shop"), 4),
        (("targets", "shop", "url"), 5),
        (("targets", "shop", "paths", "/a#b"), 6),
        (("targets", "shop", "paths", "/d = e"), 6),
        (("targets", "shop", "long"), 7),
        (("targets", "shop", "quoted", "dotted key"), 11),
        (("targets", "shop", "quoted", "dotted key", "deep"), 11),
        (("targets", "with.dot"), 13),
        (("targets", "with.dot", "project", "hosts"), 14),
        (("targets", "with.dot", "project", "hosts", "1"), 15),
        (("targets", "with.dot", "project", "hosts", "2", "list", "1", "0"), 16),
        (("targets", "with.dot", "project", "when"), 18),
        (("targets", "with.dot", "project", "number"), 19),
        (("targets", "with.dot", "project", "none"), 21),
        (("targets",), 23),
        (("targets", "late"), 24),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_keys_of_every_form_have_their_line(key: tuple[str, ...], line: int, ending: str) -> None:
    text = DOCUMENT.replace("\n", ending)
    tomllib.loads(text)
    assert key_lines(text)[key] == line


def test_what_only_looks_like_a_key_has_none() -> None:
    lines = key_lines(DOCUMENT)
    assert ("not",) not in lines
    assert ("targets", "shop", "x") not in lines
    assert ("x",) not in lines


def test_an_array_of_tables_and_an_empty_text() -> None:
    assert key_lines("[[a]]\nb = 1\n[[a]]\nc = 2") == {
        ("a",): 3,
        ("a", "b"): 2,
        ("a", "c"): 4,
    }
    assert key_lines("") == key_lines("\n# nothing\n") == {}


names = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=8)
scalars = st.one_of(st.booleans(), st.integers(-99, 99), names)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


def quoted(text: str) -> str:
    escaped = "".join(
        f"\\U{ord(character):08x}"
        if not character.isprintable() or character in '"\\'
        else character
        for character in text
    )
    return f'"{escaped}"'


def written(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return quoted(value)
        case list():
            return "[" + ", ".join(map(written, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{quoted(k)} = {written(v)}" for k, v in value.items()) + "}"
    return str(value)


def keys_of(value: Any, key: tuple[str, ...]) -> list[tuple[str, ...]]:
    pairs: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        pairs = list(value.items())
    if isinstance(value, list):
        pairs = [(str(at), held) for at, held in enumerate(value)]
    return [key, *(found for name, held in pairs for found in keys_of(held, (*key, name)))]


@settings(max_examples=40)
@given(st.dictionaries(names, st.dictionaries(names, values, max_size=4), max_size=4))
def test_whatever_a_line_holds_all_its_keys_are_on_it(document: dict[str, Any]) -> None:
    lines: list[str] = []
    expected: dict[tuple[str, ...], int] = {}
    for table, pairs in document.items():
        lines += ["", f"[{quoted(table)}]  # [x] = 'y'"]
        expected[table,] = len(lines)
        for name, value in pairs.items():
            lines.append(f"{quoted(name)} = {written(value)} # = ]")
            expected |= dict.fromkeys(keys_of(value, (table, name)), len(lines))
    text = "\n".join(lines)
    assert tomllib.loads(text) == document
    assert key_lines(text) == expected
