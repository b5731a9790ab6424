"""Owns a linear hypothesis on coefficients: what may be given for one, and which rows it needs."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from jaxglm.inference.hypotheses._hypothesis_text import Equation, equations
from jaxglm.words import FloatArray, listed, near_text

# Of rows of length 1, what is left of one beside others where only rounding is left.
_ROUNDING = 1e-9
# Coefficients that a combination shows by name.
_MOST_SHOWN = 4

_FORMS = (
    "give text such as 'x1 = x2, x3 = 0', a list of such, a dict {name: coefficient}, a vector, a "
    "matrix R with a column for each coefficient, or a pair (R, q) for R b = q"
)


@dataclasses.dataclass(frozen=True)
class Hypothesis:
    """``matrix @ coefficients = value``.

    Attributes
    ----------
    matrix : [m, p]
    value : [m]
    labels : tuple of str
        Each row in words.
    """

    matrix: FloatArray
    value: FloatArray
    labels: tuple[str, ...]

    def independent(self) -> tuple["Hypothesis", str]:
        """The rows that do not follow from earlier ones, and a sentence on those that do.

        Raises
        ------
        ValueError
            If rows contradict each other, or there is none.
        """
        scaled = _unit_columns(self.matrix)
        lengths = np.linalg.norm(scaled, axis=1)
        rows = scaled / np.where(lengths > 0, lengths, 1.0)[:, None]
        value = self.value / np.where(lengths > 0, lengths, 1.0)
        basis = np.zeros((0, rows.shape[1]))
        kept: list[int] = []
        for i, row in enumerate(rows):
            # Projected twice: what is left is orthogonal to rounding.
            rest = row - basis.T @ (basis @ row)
            rest -= basis.T @ (basis @ rest)
            size = np.linalg.norm(rest)
            if size > _ROUNDING:
                basis = np.vstack([basis, rest / size])
                kept.append(i)
                continue
            times = np.linalg.lstsq(rows[kept].T, row, rcond=None)[0] if kept else np.zeros(0)
            terms = times * value[kept]
            if abs(value[i] - terms.sum()) > _ROUNDING * (abs(value[i]) + np.abs(terms).sum()):
                among = [self.labels[k] for k, t in zip(kept, times, strict=True) if abs(t) > 1e-6]
                raise ValueError(_contradiction(self.labels[i], among))
        if not kept:
            raise ValueError(f"the hypothesis is about no coefficient: {listed(self.labels, 3)}")
        left = [repr(label) for i, label in enumerate(self.labels) if i not in kept]
        word = f"{listed(left, 3)} {'follows' if len(left) == 1 else 'follow'}"
        note = f"{word} from the rest of the hypothesis, and counts for nothing." if left else ""
        labels = tuple(self.labels[i] for i in kept)
        return Hypothesis(self.matrix[kept], self.value[kept], labels), note


def _contradiction(label: str, among: Sequence[str]) -> str:
    if not among:
        return f"no coefficients can make {label!r} true"
    return f"{label!r} cannot be true together with {listed(map(repr, among), 3)}"


def _unit_columns(matrix: FloatArray) -> FloatArray:
    """Columns of largest entry 1, so that units of measurement do not matter."""
    largest = np.abs(matrix).max(axis=0, initial=0.0)
    return matrix / np.where(largest > 0, largest, 1.0)


def read_hypothesis(given: Any, names: Sequence[str]) -> Hypothesis:
    """What was given for a hypothesis as rows over the coefficients of these names.

    Parameters
    ----------
    given : str, list of str, dict, Series, vector, matrix, DataFrame or (R, q)
        A dict or Series has a coefficient for each name, of a combination that is 0; the columns
        of a frame may be names. A pair is ``R b = q``.

    Raises
    ------
    ValueError
        If it is none of these, a name is not there, or the shape does not fit.

    Examples
    --------
    >>> read_hypothesis({"x1": 1, "x2": -1}, ["Intercept", "x1", "x2"]).labels
    ('x1 - x2 = 0',)
    """
    if isinstance(given, str):
        return _of_equations(equations(given, names))
    if _is_texts(given):
        return _of_equations([one for text in given for one in equations(text, names)])
    value = None
    if _is_pair(given):
        given, value = given
        if isinstance(given, str) or _is_texts(given):
            raise ValueError("in text the value stands behind '=': 'x1 + x2 = 0.5'")
    matrix, rows = _matrix(given, names)
    q = _values(value, len(matrix))
    labels = tuple(
        f"{combination(row, names) if name is None else name} = {number:.6g}"
        for row, number, name in zip(matrix, q, rows, strict=True)
    )
    return Hypothesis(matrix, q, labels)


def read_combination(given: Any, names: Sequence[str]) -> tuple[FloatArray, float, str]:
    """One combination of coefficients [p], what is added to it, and how it is called.

    Raises
    ------
    ValueError
        As `read_hypothesis`; and where it is more than one, or an equation.
    """
    if isinstance(given, str):
        found = equations(given, names)
        if len(found) > 1 or found[0].right:
            raise ValueError(
                f"lincom estimates one combination, and {given!r} is a hypothesis: give its left "
                "side less its right side, or test it with t_test or wald_test"
            )
        return found[0].coef, -found[0].value, found[0].left
    if _is_texts(given) or _is_pair(given):
        raise ValueError("lincom estimates one combination; t_test takes several, and values")
    matrix, rows = _matrix(given, names)
    if len(matrix) > 1:
        raise ValueError(f"lincom estimates one combination, not {len(matrix)}; t_test takes more")
    return matrix[0], 0.0, rows[0] or combination(matrix[0], names)


def combination(row: FloatArray, names: Sequence[str]) -> str:
    """A combination of coefficients in words.

    Examples
    --------
    >>> combination(np.array([0.0, 2.0, -1.0]), ["Intercept", "x", "z"])
    '2*x - z'
    """
    used = np.flatnonzero(row)
    parts = []
    for i in used[:_MOST_SHOWN]:
        factor = "" if abs(row[i]) == 1 else f"{abs(row[i]):.6g}*"
        parts.append(f"{'-' if row[i] < 0 else '+'} {factor}{names[i]}")
    text = " ".join(parts).removeprefix("+ ") or "0"
    text = "-" + text.removeprefix("- ") if text.startswith("- ") else text
    more = used.size - _MOST_SHOWN
    return text if more <= 0 else f"{text} + ... ({more} more)"


def _of_equations(found: Sequence[Equation]) -> Hypothesis:
    return Hypothesis(
        np.array([one.coef for one in found]),
        np.array([one.value for one in found]),
        tuple(f"{one.left} = {one.right or 0}" for one in found),
    )


def _is_texts(given: Any) -> bool:
    is_list = isinstance(given, list | tuple) and len(given) > 0
    return is_list and all(isinstance(text, str) for text in given)


def _is_pair(given: Any) -> bool:
    """Whether it is (R, q), R a matrix, a vector or texts, and no vector of two numbers."""
    is_two = isinstance(given, tuple) and len(given) == 2
    return is_two and not isinstance(given[0], str | int | float | np.number)


def _matrix(given: Any, names: Sequence[str]) -> tuple[FloatArray, list[str | None]]:
    """Rows [m, p] of numbers, and the names that they have themselves."""
    rows: list[str | None] = []
    if isinstance(given, pd.Series) and given.index.inferred_type == "string":
        given = given.to_dict()
    if isinstance(given, Mapping):
        given = pd.DataFrame([dict(given)])
    elif isinstance(given, pd.DataFrame) and given.index.inferred_type == "string":
        rows = [str(label) for label in given.index]
    if isinstance(given, pd.DataFrame) and given.columns.inferred_type == "string":
        given = _aligned(given, names)
    matrix = np.atleast_2d(_numbers(given))
    if matrix.ndim != 2 or matrix.shape[1] != len(names) or not len(matrix):
        shape = " x ".join(map(str, np.shape(given))) or "one number"
        raise ValueError(
            f"a hypothesis has a number for each of the {len(names)} coefficients, and what was "
            f"given is {shape}: {_FORMS}"
        )
    if not np.isfinite(matrix).all():
        raise ValueError("a hypothesis is made of finite numbers; there is nan or inf in it")
    return matrix, rows or [None] * len(matrix)


def _aligned(frame: pd.DataFrame, names: Sequence[str]) -> FloatArray:
    """The columns of a frame put where the coefficients of their names are."""
    place = {name: i for i, name in enumerate(names)}
    out = np.zeros((len(frame), len(names)))
    for name in frame.columns:
        if name not in place:
            raise ValueError(f"there is no coefficient {name!r}; {near_text(name, names)}")
        out[:, place[name]] = _numbers(frame[name])
    return out


def _numbers(given: Any) -> FloatArray:
    try:
        return np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"a hypothesis cannot be read from {given!r}: {_FORMS}") from None


def _values(value: Any, m: int) -> FloatArray:
    """The right side q of ``R b = q``, [m]; one number stands for all rows."""
    if value is None:
        return np.zeros(m)
    try:
        q = np.ravel(np.asarray(value, dtype=float))
    except (TypeError, ValueError):
        raise ValueError(
            f"q of a pair (R, q) is a number for each row of R, not {value!r}"
        ) from None
    if q.size not in (1, m) or not np.isfinite(q).all():
        raise ValueError(
            f"in a pair (R, q), q has one finite number for each of the {m} rows of R, and "
            f"{value!r} was given; several rows alone are a list or an array"
        )
    return np.broadcast_to(q, m).copy()
