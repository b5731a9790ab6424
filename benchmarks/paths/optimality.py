"""Owns the judgement of a path: by how much its coefficients miss their conditions, in plain NumPy.

Also the strengths, from the model of the intercept alone. What is minimised at a strength is the
mean loss plus strength times the absolute values of all coefficients but the intercept. Imports
NumPy, SciPy's sparse matrices and `formulas`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from benchmarks import formulas
from benchmarks.spec import Columns, Spec

STRENGTHS_AT_ONCE = 10
TURNS = 100


@dataclass(frozen=True)
class Verdict:
    """How far the coefficients of a path are from its optima.

    Attributes
    ----------
    residuals : [k]
        At each strength the largest by which a coefficient misses its condition, on the scale of
        the mean loss, as the strength is.
    objectives : [k]
    """

    residuals: np.ndarray
    objectives: np.ndarray


def design(spec: Spec, columns: Columns) -> Any:
    """The columns [n, p - 1] beside the intercept: dense, or sparse and without first levels."""
    if columns.X is not None:
        return columns.X[:, 1:]
    parts = []
    for name, levels in spec.factors.items():
        rows = np.flatnonzero(columns.codes[name])
        at = (rows, columns.codes[name][rows] - 1)
        parts.append(sparse.csc_matrix((np.ones(rows.size), at), shape=(spec.n, levels - 1)))
    parts.append(np.column_stack([columns.numeric[name] for name in spec.numeric]))
    return sparse.hstack(parts, format="csc")


def offset(columns: Columns) -> np.ndarray:
    """The part [n] of the linear predictor that is known."""
    return np.zeros(columns.y.size) if columns.exposure is None else np.log(columns.exposure)


def strengths(spec: Spec, columns: Columns, lowest: float, count: int) -> np.ndarray:
    """Falling strengths from the least that leaves all coefficients at zero to a share of it."""
    known, intercept = offset(columns), 0.0
    for _ in range(TURNS):
        terms = formulas.row_terms(spec, columns.y, known + intercept)
        step = terms.score.sum() / terms.expected.sum()
        intercept -= step
        if abs(step) < 1e-13:
            break
    score = formulas.row_terms(spec, columns.y, known + intercept).score
    most = float(np.abs(design(spec, columns).T @ score).max()) / spec.n
    return most * np.geomspace(1.0, lowest, count)


def judge(
    spec: Spec, columns: Columns, strengths: np.ndarray, intercepts: np.ndarray, beta: np.ndarray
) -> Verdict:
    """The verdict on intercepts [k] and coefficients [k, p - 1] at the strengths [k]."""
    X, known, y = design(spec, columns), offset(columns)[:, None], columns.y[:, None]
    residuals, objectives = np.empty(strengths.size), np.empty(strengths.size)
    for at in _parts(strengths.size):
        b, level = beta[at], strengths[at, None]
        terms = formulas.row_terms(spec, y, known + X @ b.T + intercepts[at])
        slopes = (X.T @ terms.score).T / spec.n
        missed = np.where(
            b != 0, np.abs(slopes + level * np.sign(b)), np.maximum(np.abs(slopes) - level, 0.0)
        )
        residuals[at] = np.maximum(missed.max(1), np.abs(terms.score.mean(0)))
        objectives[at] = terms.loss.mean(0) + strengths[at] * np.abs(b).sum(1)
    return Verdict(residuals, objectives)


def _parts(count: int) -> Iterator[slice]:
    for start in range(0, count, STRENGTHS_AT_ONCE):
        yield slice(start, start + STRENGTHS_AT_ONCE)
