"""Owns which columns of the table a formula reads, and as what."""

import ast
from dataclasses import dataclass

from jaxglm.io.formula._functions import FACTORS
from jaxglm.io.formula._rtext import Expression, parse_expression
from jaxglm.io.formula._spec import TermsSpec
from jaxglm.io.formula._tokens import split_sides
from jaxglm.io.tables import Level


@dataclass(frozen=True)
class ColumnsRead:
    """The columns of the table that a formula reads.

    Names of a context that are no functions stand among them: a table need not have all.

    Attributes
    ----------
    response : tuple of str
        Those of the left side; empty where it has none.
    predictors : tuple of str
        Those of the terms.
    offset : tuple of str
        Those of offset(...).
    factors : dict of str to tuple
        The predictors whose values stand in the formula as labels, with their levels.
    """

    response: tuple[str, ...]
    predictors: tuple[str, ...]
    offset: tuple[str, ...]
    factors: dict[str, tuple[Level, ...]]


def columns_read(formula: str, spec: TermsSpec) -> ColumnsRead:
    """The columns that a formula and what it has become read.

    Examples
    --------
    >>> from jaxglm.io.formula import model_frame
    >>> table = {"y": [1, 2, 4], "x": [1.0, 2.0, 3.0], "g": ["a", "b", "a"], "t": [1, 1, 2]}
    >>> formula = "log(y) ~ x + x:C(g, Sum) + offset(log(t))"
    >>> found = columns_read(formula, model_frame(formula, table).spec)
    >>> found.response, found.predictors, found.offset, found.factors
    (('y',), ('x', 'g'), ('t',), {'g': ('a', 'b')})
    """
    left, _ = split_sides(formula)
    return ColumnsRead(
        response=_columns([left] if left else []),
        predictors=_columns([component.text for component in spec.components]),
        offset=_columns(spec.offsets),
        factors={name: spec.components[i].levels for i, name in factor_columns(spec).items()},
    )


def factor_columns(spec: TermsSpec) -> dict[int, str]:
    """The columns that stand in a formula as labels, as they are, by component."""
    columns = {
        i: _labelled(parse_expression(component.text)).column
        for i, component in enumerate(spec.components)
        if component.kind != "numeric"
    }
    return {i: column for i, column in columns.items() if column is not None}


def _labelled(expression: Expression) -> Expression:
    """What stands in C(...) and the like, without the coding; the expression itself elsewhere."""
    tree = expression.tree
    if expression.call not in FACTORS or not isinstance(tree, ast.Call):
        return expression
    return expression.part(tree.args[0])


def reads(expression: Expression) -> list[str]:
    """The columns of the table that an expression is of."""
    return list(_labelled(expression).columns())


def _columns(texts: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for text in texts for name in reads(parse_expression(text))))
