"""Owns the left side of a formula: counts, amounts, two labels, or successes and failures."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxglm._status import DataError, FormulaError
from jaxglm.io.formula._expression import evaluate
from jaxglm.io.formula._labels import Labels
from jaxglm.io.formula._rtext import Expression, parse_expression
from jaxglm.io.formula._tokens import split_sides
from jaxglm.io.tables import Level, Table, read_table
from jaxglm.rows import ONE_FIT, OneFit
from jaxglm.words import listed


@dataclass(frozen=True, eq=False)
class Response:
    """The response of a fit.

    Attributes
    ----------
    y : float64 [n]
        Values; successes when there are `trials`; of labels their codes, NaN where missing.
    trials : float64 [n] or None
        Successes plus failures.
    levels : tuple or None
        For labels: of the two that a `settled` response has, the second is the event.
    missing : bool [n] or None
    """

    y: np.ndarray
    trials: np.ndarray | None = None
    levels: tuple[Level, ...] | None = None
    missing: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> "Response":
        """The response of some of the rows."""
        trials = None if self.trials is None else self.trials[rows]
        missing = None if self.missing is None else self.missing[rows]
        return Response(self.y[rows], trials, self.levels, missing)

    @classmethod
    def of_labels(cls, labels: Labels, missing: np.ndarray | None = None) -> "Response":
        """The codes of labels, of which a binary response has two in the rows used."""
        y = np.where(labels.codes < 0, np.nan, labels.codes)
        return cls(y, None, labels.levels, missing)

    def settled(self, name: str) -> "Response":
        """The two labels of a response whose rows are those used, as 0 and 1; numbers as they are.

        Raises
        ------
        DataError
            If there are not exactly two labels.
        """
        if self.levels is None or len(self.levels) == 2:
            return self
        used = np.unique(self.y[~np.isnan(self.y)])
        levels = tuple(self.levels[int(code)] for code in used)
        if len(levels) != 2:
            count = f"{len(levels)} label{'s' * (len(levels) != 1)}"
            raise DataError(
                f"the response {name!r} holds {count} ({listed(map(repr, levels), 6)}); a binary "
                "response needs two, of which the second is the event. For other responses convert "
                "it to numbers"
            )
        y = np.where(np.isnan(self.y), np.nan, np.searchsorted(used, self.y))
        return Response(y, self.trials, levels, self.missing)


def evaluate_response(
    expression: Expression,
    table: Table,
    context: Mapping[str, Any] | None,
    fits: OneFit = ONE_FIT,
    learn: bool = True,
) -> Response:
    """Evaluate the left side of a formula over the table; `fits` and `learn` as for `evaluate`.

    Raises
    ------
    FormulaError
        If it is not a vector, nor cbind(successes, failures).
    DataError
        If a column is not there, or holds what cannot be used.
    """
    if expression.call == "cbind":
        return _grouped(expression, table, context, fits, learn)
    value, missing = evaluate(expression, table, {}, context, learn=learn, fits=fits)
    if isinstance(value, Labels):
        return Response.of_labels(value, missing)
    if value.ndim != 1:
        raise FormulaError(f"the response {expression.text!r} must be one column")
    return Response(value.astype(np.float64, copy=False), None, None, missing)


def new_response(
    formula: str, data: Any, context: Mapping[str, Any] | None = None
) -> Response | None:
    """The left side of the formula of a fit over new data; None where it has none.

    Raises
    ------
    FormulaError
        As `evaluate_response`, and where it was computed from all rows of the fit, as scale(y) is.
    DataError
        As `evaluate_response`.
    """
    left, _ = split_sides(formula)
    if not left:
        return None
    expression, table = parse_expression(left), read_table(data)
    table = table.load(name for name in expression.columns() if name in table.names)
    return evaluate_response(expression, table, context, learn=False)


def _grouped(
    expression: Expression,
    table: Table,
    context: Mapping[str, Any] | None,
    fits: OneFit,
    learn: bool,
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
        part = expression.part(argument)
        value, gaps = evaluate(part, table, {}, context, learn=learn, fits=fits)
        if isinstance(value, Labels) or value.ndim != 1:
            raise FormulaError(f"the response {expression.text!r} must be made of two counts")
        columns.append(value.astype(np.float64, copy=False))
        if gaps is not None:
            missing = gaps if missing is None else missing | gaps
    successes, failures = columns
    return Response(successes, successes + failures, None, missing)
