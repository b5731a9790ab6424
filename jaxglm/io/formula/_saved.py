"""Owns the checks of a recipe that was read from a file: that it can be carried out, and is small.

Text and numbers of a file may say anything: a degree of a billion, a level that is not there.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxglm._schema import Damaged, read
from jaxglm._status import FormulaError
from jaxglm.io.formula._contrasts import CODINGS, EACH, TREATMENT
from jaxglm.io.formula._encode import Component, Labelled, term_names
from jaxglm.io.formula._functions import TRANSFORMS
from jaxglm.io.formula._rtext import parse_expression
from jaxglm.io.formula._transforms import State

_KINDS = ("numeric", "bool", "factor")
# What each number in a state is; the others are lists of numbers.
_WHOLE, _TRUTH = ("degree",), ("raw", "intercept")


def check_expression(text: str, field: str) -> None:
    """Refuse what is no expression."""
    try:
        tuple(parse_expression(text).columns())
    except (FormulaError, ValueError, RecursionError, MemoryError) as error:
        raise Damaged(field, f"is no expression: {text[:80]!r}") from error


def check_component(component: Component, field: str, most: int) -> None:
    """Refuse a component that has no columns, or more than the `most` of the model."""
    check_expression(component.text, f"{field}.text")
    kind, levels, contrast = component.kind, component.levels, component.contrast
    if kind not in _KINDS or contrast.kind not in (*CODINGS.values(), EACH.kind):
        raise Damaged(field, f"is of the kind {kind!r}, coded as {contrast.kind!r}")
    if not 1 <= component.width <= max(most, 1):
        raise Damaged(f"{field}.width", f"is {component.width}")
    if len(set(levels)) != len(levels) or (kind != "numeric" and not levels):
        raise Damaged(f"{field}.levels", "are none, or some twice")
    try:
        contrast.reference_code(levels, component.label)
    except FormulaError as error:
        if kind != "numeric" or contrast != TREATMENT:
            raise Damaged(f"{field}.contrast", f"has no such level: {error}") from error


def check_names(parts: Sequence[Sequence[tuple[Component, bool]]], names: tuple[str, ...]) -> None:
    """Refuse terms that do not make columns of these names."""
    width = sum(math.prod(_width(*part) for part in term) for term in parts)
    if width != len(names):
        raise Damaged("the terms of the formula", f"make {width} columns, not {len(names)}")
    made = (name for term in parts for name in term_names([Labelled(*part) for part in term]))
    if tuple(made) != names:
        raise Damaged("the terms of the formula", "make columns of other names")


def check_state(text: str, state: Any, field: str, most: int) -> State:
    """What a transform learnt, as it learns it."""
    name = _transform_of(text)
    if name not in TRANSFORMS:
        raise Damaged(field, "belongs to no function of a formula")
    known = {key: _learnt(key, value, f"{field}.{key}") for key, value in dict(state).items()}
    if not 1 <= known.get("degree", 1) <= max(most, 1):
        raise Damaged(f"{field}.degree", f"is {known['degree']}")
    try:
        with np.errstate(all="ignore"):
            made = np.asarray(TRANSFORMS[name].apply(known, np.array([0.0, 1.0])))
    except (KeyError, IndexError, TypeError, ValueError, ArithmeticError) as error:
        raise Damaged(field, f"is not what {name}() learns") from error
    if made.dtype != float or np.isnan(made).any() or made.size > 2 * max(most, 1):
        raise Damaged(field, f"is not what {name}() learns")
    return known


def _transform_of(text: str) -> str | None:
    try:
        return parse_expression(text).call
    except (FormulaError, ValueError, RecursionError, MemoryError):
        return None


def _learnt(key: str, value: Any, field: str) -> Any:
    if key in _WHOLE:
        return read(value, int, field)
    if key in _TRUTH:
        return read(value, bool, field)
    known = read(value, float | tuple[float, ...] | tuple[tuple[float, ...], ...], field)
    if not _finite(known):
        raise Damaged(field, "is not finite")
    return list(known) if isinstance(known, tuple) else known


def _finite(value: Any) -> bool:
    return all(map(_finite, value)) if isinstance(value, tuple) else math.isfinite(value)


def _width(component: Component, reduced: bool) -> int:
    return component.width if component.kind == "numeric" else len(component.levels) - reduced
