"""Owns the reading of linear constraints: equations among coefficients, as text."""

import ast
import re
from collections.abc import Sequence

import numpy as np

from jaxglm._status import DataError
from jaxglm.words import near_text

_EXAMPLE = "write equations of coefficients, as in 'x1 = x2, 2 * x3 - x4 = 0.5'"


def linear_constraints(text: str, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """R and q of R b = q, from equations separated by commas; one without `=` is one with 0.

    Parameters
    ----------
    text : str
    names : sequence of str
        Of the p coefficients. A name is found whatever is in it, the longest first.

    Returns
    -------
    R : [m, p]
    q : [m]

    Raises
    ------
    DataError
        For an equation that is not linear, or names no coefficient.

    Examples
    --------
    >>> R, q = linear_constraints("x = g[T.b], 2 * x + 1 = 4", ["Intercept", "x", "g[T.b]"])
    >>> R
    array([[ 0.,  1., -1.],
           [ 0.,  2.,  0.]])
    >>> q
    array([0., 3.])
    """
    written = text
    for j in sorted(range(len(names)), key=lambda j: -len(names[j])):
        bounded = rf"(?<![\w.]){re.escape(names[j])}(?![\w.])"
        written = re.sub(bounded, f" b__{j} ", written)
    equations = [part for part in written.split(",") if part.strip()]
    if not equations:
        raise DataError(f"there is no equation in {text!r}; {_EXAMPLE}")
    rows = [_equation(part, names) for part in equations]
    both = np.array(rows)
    return both[:, :-1], 0.0 - both[:, -1]


def _equation(part: str, names: Sequence[str]) -> np.ndarray:
    """Coefficients and constant, [p + 1], of the left side less the right one."""
    shown = re.sub(r" ?b__(\d+) ?", lambda found: names[int(found[1])], part).strip()
    sides = part.replace("==", "=").split("=")
    if len(sides) > 2:
        raise DataError(f"{shown!r} has more than one '='; {_EXAMPLE}")
    try:
        values = [_linear(ast.parse(side.strip(), mode="eval").body, names) for side in sides]
    except (SyntaxError, ValueError, ZeroDivisionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{shown!r} is no linear equation; {_EXAMPLE}") from None
    row = values[0] - (values[1] if len(values) == 2 else 0.0)
    if not row[:-1].any():
        raise DataError(f"{shown!r} constrains no coefficient; {_EXAMPLE}")
    if not np.isfinite(row).all():
        raise DataError(f"{shown!r} has a number that is not finite")
    return row


def _linear(node: ast.expr, names: Sequence[str]) -> np.ndarray:
    """An expression as coefficients and constant; a ValueError where it is not linear."""
    p = len(names)
    out = np.zeros(p + 1)
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            out[p] = value
        case ast.Name(id=name) if name.startswith("b__"):
            out[int(name[3:])] = 1.0
        case ast.Name(id=name):
            raise DataError(f"no coefficient {name!r}; {near_text(name, names)}")
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=inner):
            out = _linear(inner, names) * (-1.0 if isinstance(sign, ast.USub) else 1.0)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as sign, right=right):
            first, second = _linear(left, names), _linear(right, names)
            out = first - second if isinstance(sign, ast.Sub) else first + second
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div() as by, right=right):
            first, second = _linear(left, names), _linear(right, names)
            if isinstance(by, ast.Mult) and not first[:p].any():
                first, second = second, first
            if second[:p].any():
                raise ValueError("a product of coefficients")
            out = first / second[p] if isinstance(by, ast.Div) else first * second[p]
        case _:
            raise ValueError("no linear expression")
    return out


def in_words(R: np.ndarray, q: np.ndarray, names: Sequence[str]) -> str:
    """The equations R b = q as text."""
    return ", ".join(_row_in_words(row, value, names) for row, value in zip(R, q, strict=True))


def _row_in_words(row: np.ndarray, value: float, names: Sequence[str]) -> str:
    terms = []
    for j in np.flatnonzero(row).tolist():
        size = "" if abs(row[j]) == 1 else f"{abs(row[j]):.6g} * "
        terms.append(f"{'-' if row[j] < 0 else '+'} {size}{names[j]}")
    return f"{' '.join(terms).removeprefix('+ ')} = {value:.6g}"
