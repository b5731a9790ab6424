"""Owns the reading of plain JSON values as the types that they should have.

What is read came from a file, so nothing about it is taken on trust.
"""

import contextlib
import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from jaxglm._status import DataError

T = TypeVar("T")

# The numbers that JSON has no notation for, as `plain` writes them.
_UNWRITTEN = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_MOST = 2**63


class Damaged(DataError):
    """A file holds something else than it should; the message names the field."""

    def __init__(self, field: str, wrong: str):
        super().__init__(f"{field} {wrong}")


def plain(value: Any) -> Any:
    """A value JSON can hold: numbers that it has no notation for become tagged strings."""
    if hasattr(value, "tolist"):  # a number or array of NumPy's
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def read(value: Any, kind: Any, field: str) -> Any:
    """A JSON value as a type: a plain one, tuple, dict, union of such, or dataclass of them.

    Raises
    ------
    Damaged
        Where it is none; the message names `field`.
    """
    if kind is Any:
        return value
    if dataclasses.is_dataclass(kind):
        assert isinstance(kind, type)
        return read_record(value, kind, field)
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        *others, last = [one for one in inner if (one is type(None)) == (value is None)] or inner
        for one in others:
            with contextlib.suppress(Damaged):
                return read(value, one, field)
        return read(value, last, field)
    if origin is tuple and isinstance(value, list):
        kinds = [inner[0]] * len(value) if inner[-1] is ... else list(inner)
        if len(kinds) == len(value):
            pairs = zip(value, kinds, strict=True)
            return tuple(read(item, one, f"{field}[{i}]") for i, (item, one) in enumerate(pairs))
    elif origin is dict and isinstance(value, dict):
        return {key: read(item, inner[1], f"{field}.{key}") for key, item in value.items()}
    elif kind is float:
        if isinstance(value, dict) and str(value.get("float")) in _UNWRITTEN:
            return _UNWRITTEN[str(value["float"])]
        if isinstance(value, float) or (type(value) is int and abs(value) < _MOST):
            return value
    elif kind is int:
        if type(value) is int and abs(value) < _MOST:
            return value
    elif (kind in (bool, str) and type(value) is kind) or (kind is type(None) and value is None):
        return value
    raise Damaged(field, f"is no {_words(kind)}")


def read_record(value: Any, kind: type[T], field: str, **given: Any) -> T:
    """A JSON object as a dataclass, but for the fields that are `given`.

    Fields that it does not know are left out: a later version may write more.
    """
    return kind(**given, **read_fields(value, _kinds_of(kind, given), field))


def read_fields(value: Any, kinds: Mapping[str, tuple[Any, bool]], field: str) -> dict[str, Any]:
    """The members of a JSON object, each by its kind and whether it may be missing."""
    if not isinstance(value, dict):
        raise Damaged(field, "is no object")
    found = {}
    for name, (kind, optional) in kinds.items():
        if name in value:
            found[name] = read(value[name], kind, f"{field}.{name}")
        elif not optional:
            raise Damaged(f"{field}.{name}", "is missing")
    return found


def _kinds_of(kind: type, given: Mapping[str, Any]) -> dict[str, tuple[Any, bool]]:
    hints = typing.get_type_hints(kind)
    fields: Any = dataclasses.fields(kind)
    return {
        one.name: (hints[one.name], one.default is not dataclasses.MISSING)
        for one in fields
        if one.name not in given
    }


def _words(kind: Any) -> str:
    names = {float: "number", int: "whole number", bool: "true or false", str: "text"}
    names |= {type(None): "null"}
    return names.get(kind, "list of the right kind" if typing.get_origin(kind) is tuple else "such")
