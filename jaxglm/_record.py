"""Owns `Record`, frozen dataclasses that are jax pytrees.

A field is either a *leaf*, a number that may change without recompiling, or *static*, something
that selects code. Subclasses become dataclasses and pytrees by being subclasses, so that a user's
own link or family is nothing but its mathematics.
"""

import copy
import dataclasses
from typing import Any, ClassVar, Self, dataclass_transform

import jax


def static(*, default: Any = dataclasses.MISSING, kw_only: bool = False) -> Any:
    """A dataclass field that selects code: hashable, part of the tree structure."""
    return dataclasses.field(default=default, kw_only=kw_only, metadata={"static": True})


@dataclass_transform(frozen_default=True, field_specifiers=(static, dataclasses.field))
@dataclasses.dataclass(frozen=True)
class Record:
    """Base class of links, families and penalties."""

    # True where every field is static (links: they are hashable parts of a compiled program).
    _all_static: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclasses.dataclass(frozen=True)(cls)
        jax.tree_util.register_pytree_node(cls, _flatten, lambda *parts: _unflatten(cls, *parts))

    def _with(self, **changes: Any) -> Self:
        """A copy with some fields changed; needs no knowledge of how `__init__` calls them."""
        new = copy.copy(self)
        for name, value in changes.items():
            object.__setattr__(new, name, value)
        return new


def _split(record: Record | type[Record]) -> tuple[list[str], list[str]]:
    """Names of the leaf fields and of the static fields."""
    leaves: list[str] = []
    fixed: list[str] = []
    for field in dataclasses.fields(record):
        is_static = record._all_static or field.metadata.get("static", False)
        (fixed if is_static else leaves).append(field.name)
    return leaves, fixed


def _flatten(record: Record) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    leaves, fixed = _split(record)
    return (
        tuple(getattr(record, name) for name in leaves),
        tuple(getattr(record, name) for name in fixed),
    )


def _unflatten(cls: type[Record], fixed: tuple[Any, ...], leaves: Any) -> Record:
    # Around __init__: jax also rebuilds trees with placeholders, which no validation should see.
    record = object.__new__(cls)
    leaf_names, fixed_names = _split(cls)
    for name, value in zip(leaf_names + fixed_names, [*leaves, *fixed], strict=True):
        object.__setattr__(record, name, value)
    return record
