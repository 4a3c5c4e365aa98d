"""From what stands in qa-runner.toml to typed values; errors name the key, the file and the line.

msgspec's own conversion says ``$.targets[...]`` and leaves out which target.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from qa_runner.configuration.locations import Key
from qa_runner.configuration.source import Source
from qa_runner.configuration.variables import is_open

__all__ = ["convert"]

T = TypeVar("T", bound=msgspec.Struct)

_WORDS: dict[type[inspect.Type], str] = {
    inspect.StrType: "text in quotes",
    inspect.IntType: "a whole number",
    inspect.FloatType: "a number",
    inspect.BoolType: "true or false",
    inspect.CustomType: "a path in quotes",
    inspect.DictType: "a table",
    inspect.VarTupleType: "a list",
}

# In this order: true and false are numbers to Python, and a date with a time is a date.
_FOUND: dict[type, str] = {
    bool: "true or false",
    int: "a number",
    float: "a number with a point",
    list: "a list",
    dict: "a table",
    object: "a date",
}


def convert(source: Source, key: Key, value: Any, kind: type[T]) -> T:
    """``value``, which stands at ``key``, as a ``kind``; its paths are absolute.

    Raises UsageError for an unknown or a missing key and for a value of another type.
    """
    converted: T = _convert(source, key, value, inspect.type_info(kind))
    return converted


def _convert(source: Source, key: Key, value: Any, wanted: inspect.Type) -> Any:
    if isinstance(wanted, inspect.UnionType):
        return _union(source, key, value, wanted)
    if not _fits(value, wanted):
        raise source.error(key, f"must be {_word(wanted)}, not {_said(value)}")
    if isinstance(wanted, inspect.StructType):
        return _struct(source, key, value, wanted)
    if isinstance(wanted, inspect.DictType):
        return {
            name: _convert(source, (*key, name), held, wanted.value_type)
            for name, held in value.items()
        }
    if isinstance(wanted, inspect.VarTupleType):
        return tuple(
            _convert(source, (*key, str(at)), held, wanted.item_type)
            for at, held in enumerate(value)
        )
    return _scalar(source, key, value, wanted)


def _scalar(source: Source, key: Key, value: Any, wanted: inspect.Type) -> Any:
    if isinstance(wanted, inspect.FloatType):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise source.error(key, "must be a finite number")
        return number
    if isinstance(wanted, inspect.CustomType):
        if not value:
            raise source.error(key, "is an empty path; leave the key out if there is none")
        if "\0" in value:
            raise source.error(key, "contains a NUL character")
        try:
            return source.absolute(value)
        except RuntimeError:
            raise source.error(key, "begins with ~ and names no user's home") from None
    return value


def _union(source: Source, key: Key, value: Any, wanted: inspect.UnionType) -> Any:
    kinds = [kind for kind in wanted.types if not isinstance(kind, inspect.NoneType)]
    for kind in kinds:
        if _fits(value, kind):
            return _convert(source, key, value, kind)
    words = " or ".join(_word(kind) for kind in kinds)
    raise source.error(key, f"must be {words}, not {_said(value)}")


def _struct(source: Source, key: Key, value: dict[str, Any], wanted: inspect.StructType) -> Any:
    fields = {field.encode_name: field for field in wanted.fields}
    for name in value:
        if name not in fields:
            raise source.unknown((*key, name), "unknown key", fields)
    for name, field in fields.items():
        if field.required and name not in value:
            raise source.error(key, f"the key {name} is missing")
    return wanted.cls(
        **{
            fields[name].name: _convert(source, (*key, name), held, fields[name].type)
            for name, held in value.items()
        }
    )


def _fits(value: Any, wanted: inspect.Type) -> bool:
    match wanted:
        case inspect.StrType() | inspect.CustomType():
            return isinstance(value, str)
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.IntType():
            return isinstance(value, int) and not isinstance(value, bool)
        case inspect.FloatType():
            return isinstance(value, int | float) and not isinstance(value, bool)
        case inspect.VarTupleType():
            return isinstance(value, list)
    return isinstance(value, dict)


def _word(wanted: inspect.Type) -> str:
    return _WORDS.get(type(wanted), "a table")


def _said(value: Any) -> str:
    """What kind of value stands there; not the value, which may be a secret."""
    if isinstance(value, str):
        return "text; variables stand for text only" if is_open(value) else "text"
    return next(words for kind, words in _FOUND.items() if isinstance(value, kind))
