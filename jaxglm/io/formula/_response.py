"""Owns the left side of a formula: counts, amounts, two labels, or successes and failures."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxglm._status import DataError, FormulaError
from jaxglm.io.formula._expression import evaluate
from jaxglm.io.formula._labels import Labels
from jaxglm.io.formula._rtext import Expression
from jaxglm.io.tables import Level, Table
from jaxglm.io.tables._messages import listed
from jaxglm.rows import ONE_FIT, OneFit


@dataclass(frozen=True, eq=False)
class Response:
    """The response of a fit.

    Attributes
    ----------
    y : float64 [n]
        Values; 1 for the event and 0 for the other label; successes when there are `trials`.
    trials : float64 [n] or None
        Successes plus failures.
    levels : tuple of two levels or None
        For labels: the second one is the event.
    missing : bool [n] or None
    """

    y: np.ndarray
    trials: np.ndarray | None = None
    levels: tuple[Level, Level] | None = None
    missing: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> "Response":
        """The response of some of the rows."""
        trials = None if self.trials is None else self.trials[rows]
        missing = None if self.missing is None else self.missing[rows]
        return Response(self.y[rows], trials, self.levels, missing)


def evaluate_response(
    expression: Expression,
    table: Table,
    context: Mapping[str, Any] | None,
    fits: OneFit = ONE_FIT,
) -> Response:
    """Evaluate the left side of a formula over the table; `fits` as for `evaluate`.

    Raises
    ------
    FormulaError
        If it is not a vector, nor cbind(successes, failures).
    DataError
        If it holds labels, but not two of them.
    """
    if expression.call == "cbind":
        return _grouped(expression, table, context, fits)
    value, missing = evaluate(expression, table, {}, context, learn=True, fits=fits)
    if isinstance(value, Labels):
        y, levels = two_labels(value, expression.label)
        return Response(y, None, levels, missing)
    if value.ndim != 1:
        raise FormulaError(f"the response {expression.text!r} must be one column")
    return Response(value.astype(np.float64, copy=False), None, None, missing)


def two_labels(labels: Labels, name: str) -> tuple[np.ndarray, tuple[Level, Level]]:
    """Code labels as 0 and 1, the second level being the event; NaN where missing.

    Raises
    ------
    DataError
        If there are not exactly two levels.
    """
    codes, levels = labels.codes, labels.levels
    if len(levels) > 2:
        used = np.bincount(codes[codes >= 0], minlength=len(levels)) > 0
        levels = tuple(level for level, occurs in zip(levels, used, strict=True) if occurs)
        codes = np.append(np.cumsum(used) - 1, -1)[codes]
    if len(levels) != 2:
        raise DataError(
            f"the response {name!r} holds {len(levels)} labels ({listed(levels, 6)}); a binary "
            "response needs two, of which the second is the event. For other responses convert it "
            "to numbers"
        )
    y = codes.astype(np.float64)
    if (codes < 0).any():
        y[codes < 0] = np.nan
    return y, (levels[0], levels[1])


def _grouped(
    expression: Expression, table: Table, context: Mapping[str, Any] | None, fits: OneFit
) -> Response:
    call = expression.tree
    assert isinstance(call, ast.Call)
    if len(call.args) != 2 or call.keywords:
        raise FormulaError(
            f"the response {expression.text!r} must be cbind(successes, failures): two columns"
        )
    columns = []
    missing = None
    for argument in call.args:
        value, gaps = evaluate(expression.part(argument), table, {}, context, learn=True, fits=fits)
        if isinstance(value, Labels) or value.ndim != 1:
            raise FormulaError(f"the response {expression.text!r} must be made of two counts")
        columns.append(value.astype(np.float64, copy=False))
        if gaps is not None:
            missing = gaps if missing is None else missing | gaps
    successes, failures = columns
    return Response(successes, successes + failures, None, missing)
