"""Owns the checks of what a file holds of a fit, or of many: shapes and kinds."""

import dataclasses
import typing
from typing import Any

import numpy as np

from jaxglm._schema import Damaged, read_fields
from jaxglm.algebra import Covariance, Relations, Root
from jaxglm.diagnostics import RowFacts
from jaxglm.inference import SCALES_ASKED
from jaxglm.results._file import (
    AT_LIMIT,
    BASE,
    PARTS,
    RELATIONS,
    ROOT,
    SIGNS,
    SavedCovariance,
    SavedGroups,
)
from jaxglm.search import Fit
from jaxglm.verbs._saved_numbers import check_facts

# Its square is a number still.
_LARGEST = float(np.sqrt(np.finfo(float).max))


class Arrays:
    """The arrays of a file, taken by name, shape and kind."""

    def __init__(self, arrays: dict[str, np.ndarray]):
        self._arrays = arrays

    def take(
        self, name: str, shape: tuple[int | None, ...], kinds: str, *, finite: bool = True
    ) -> np.ndarray:
        """An array of this shape, None for any length, and of one of these kinds.

        It holds no infinite value, unless it need not be `finite`.

        Raises
        ------
        Damaged
            Where there is none.
        """
        found = self._arrays.get(name)
        if found is None:
            raise Damaged(f"the array {name!r}", "is missing")
        fits = found.ndim == len(shape) and all(
            want is None or want == have for want, have in zip(shape, found.shape, strict=True)
        )
        if not fits or found.dtype.kind not in kinds:
            raise Damaged(f"the array {name!r}", f"is {found.dtype} of the shape {found.shape}")
        if finite and found.dtype.kind == "f" and np.isinf(found).any():
            raise Damaged(f"the array {name!r}", "holds infinite values")
        return found

    def __contains__(self, name: str) -> bool:
        return name in self._arrays

    def beginning(self, prefix: str) -> dict[str, np.ndarray]:
        """All whose names begin so, without that."""
        return {
            name.removeprefix(prefix): values
            for name, values in self._arrays.items()
            if name.startswith(prefix)
        }


def scalars_of(saved: Any) -> dict[str, Any]:
    """The fields of a single fit that are no arrays."""
    hints = typing.get_type_hints(Fit)
    kinds = {
        field.name: (hints[field.name], field.default is not dataclasses.MISSING)
        for field in dataclasses.fields(Fit)
        if field.name not in ("coef", "covariance", RELATIONS, AT_LIMIT)
    }
    return read_fields(saved, kinds, "fit")


def covariance_of(
    arrays: Arrays,
    lead: tuple[int, ...],
    p: int,
    saved: SavedCovariance | None,
    base: SavedCovariance | None,
    scale: Any,
    df: Any,
    at_limit: np.ndarray,
) -> Covariance:
    """The covariance of p coefficients; of many fits where `lead` is their number.

    The first files say nothing of it: theirs comes from the expected information, with the
    dispersion of the fit and its degrees of freedom, which are `scale` and `df`. `base` is that
    which another one was made from. `at_limit`
    ([*lead, p] bool) are the columns that take part in relations at the limit.
    """
    if saved is None:
        saved = SavedCovariance("nonrobust", scale, df)
    aliased = arrays.take("aliased", (*lead, p), "b")
    recession = _recession(arrays, (*lead, p))
    own = _own(arrays, ROOT, lead, p, saved)
    covariance = Covariance(
        aliased=aliased,
        recession=recession,
        open=at_limit & (recession == 0.0),
        signs=_signs(arrays, (*lead, own["root"].dense.shape[-1])),
        **own,
    )
    if base is None:
        return covariance
    own = _own(arrays, BASE, lead, p, base) | {"signs": None}
    return dataclasses.replace(covariance, base=dataclasses.replace(covariance, **own))


def _own(
    arrays: Arrays, prefix: str, lead: tuple[int, ...], p: int, saved: SavedCovariance
) -> dict[str, Any]:
    """What one covariance has of its own, by name."""
    told: dict[str, Any] = {"scale": saved.scale, "df": saved.df}
    for name, value in told.items():
        if value is None:
            continue
        # The numbers of many fits are a list in the header.
        values = np.array(value, float)
        # Of degrees of freedom there may be less than none: weights can count less than a row.
        below = name == "scale" and (values < 0).any()
        if values.shape != lead or below or np.isinf(values).any():
            raise Damaged(f"covariance.{name}", "is below zero, infinite or of another length")
        told[name] = values if lead else value
    if saved.scale_by not in SCALES_ASKED:
        raise Damaged("covariance.scale_by", "is no way to find a dispersion")
    names = [prefix + name for name in PARTS]
    dense = arrays.take(names[0], (*lead, p, None), "f")
    if dense.shape[-1] > max(p, 1):
        raise Damaged(
            f"the array {names[0]!r}", f"has {dense.shape[-1]} columns for {p} coefficients"
        )
    root = Root(dense, arrays.take(names[1], (*lead, p), "f"))
    if any((abs(part) > _LARGEST).any() for part in root):
        raise Damaged(f"the array {names[0]!r}", f"or {names[1]!r} holds numbers without a square")
    told |= {"kind": saved.kind, "notes": saved.notes, "scale_by": saved.scale_by}
    return {"root": root, **told}


def _signs(arrays: Arrays, shape: tuple[int, ...]) -> np.ndarray | None:
    """Those of the columns of a root, where some are subtracted."""
    if SIGNS not in arrays:
        return None
    signs = arrays.take(SIGNS, shape, "f")
    if (np.abs(signs) != 1.0).any():
        raise Damaged(f"the array {SIGNS!r}", "holds other numbers than 1 and -1")
    return signs


def _recession(arrays: Arrays, shape: tuple[int, ...]) -> np.ndarray:
    if "recession" in arrays:
        found = arrays.take("recession", shape, "f")
        if np.isnan(found).any():
            raise Damaged("the array 'recession'", "is no direction")
        return found
    # The first files said which coefficients run to infinity, not whereto.
    infinite = arrays.take("infinite", shape, "b")
    return np.where(infinite, arrays.take("coef", shape, "f"), 0.0)


def relations_of(arrays: Arrays, name: str, p: int) -> Relations | None:
    """How some of p columns follow from others; early files do not say it."""
    if name not in arrays:
        return None
    table = arrays.take(name, (None, 3), "f")
    _check_positions(name, table[:, :2], p)
    return Relations.from_table(table)


def relations_of_many(arrays: Arrays, name: str, count: int, p: int) -> dict[int, Relations] | None:
    """The same of many fits, by their numbers."""
    if name not in arrays:
        return None
    table = arrays.take(name, (None, 4), "f")
    _check_positions(name, table[:, :1], count)
    _check_positions(name, table[:, 1:3], p)
    ends = np.flatnonzero(np.diff(table[:, 0])) + 1
    own = [rows for rows in np.split(table, ends) if rows.size]
    return {int(rows[0, 0]): Relations.from_table(rows[:, 1:]) for rows in own}


def _check_positions(name: str, values: np.ndarray, count: int) -> None:
    if not ((values == np.floor(values)) & (values >= 0) & (values < count)).all():
        raise Damaged(f"the array {name!r}", "names fits or columns that are not there")


def check_coefficients(coef: np.ndarray, aliased: np.ndarray) -> None:
    """Refuse an optimum without all of its coefficients."""
    if (np.isnan(coef) != aliased).any():
        raise Damaged("the array 'coef'", "has no number where there is an estimate, or has one")


def facts_of(saved: SavedGroups, count: int) -> dict[int, RowFacts]:
    """The facts of the rows of many fits, by their numbers."""
    if saved.row_facts is None:
        return {}
    hints = typing.get_type_hints(RowFacts)
    columns = dict(saved.row_facts)
    of = columns.pop("of", ())
    if set(columns) != set(hints) or any(len(own) != len(of) for own in columns.values()):
        raise Damaged("groups.row_facts", "are of different lengths, or missing")
    kinds = {name: (kind, False) for name, kind in hints.items()}
    facts: dict[int, RowFacts] = {}
    for g, row in zip(of, zip(*columns.values(), strict=True), strict=True):
        if type(g) is not int or not 0 <= g < count:
            raise Damaged("groups.row_facts.of", "names fits that are not there")
        named = dict(zip(columns, row, strict=True))
        facts[g] = RowFacts(**read_fields(named, kinds, f"groups.row_facts[{g}]"))
        check_facts(facts[g], f"groups.row_facts[{g}]")
    return facts
