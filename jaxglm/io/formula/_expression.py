"""Owns the evaluation of an expression over the columns of a table.

A walk over the syntax tree with a fixed list of functions and those of the caller's `context`: text
of a formula, from wherever it was loaded, can compute and do nothing else.
"""

import ast
import functools
import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from jaxglm._status import FormulaError
from jaxglm.io.formula._contrasts import CODINGS, Contrast, coding_takes_none, no_coding, treatment
from jaxglm.io.formula._functions import (
    FACTORS,
    OF_SEVERAL,
    PLAIN,
    SHRUNK,
    TRANSFORMS,
    UFUNCS,
    unknown_function,
    without_prefix,
    wrong_arguments,
)
from jaxglm.io.formula._labels import (
    Comparison,
    Labels,
    as_array,
    compare_labels,
    is_member,
    labels_of,
)
from jaxglm.io.formula._rtext import Expression, with_carets
from jaxglm.io.formula._settings import called
from jaxglm.io.formula._splines import warn_beyond
from jaxglm.io.formula._tokens import quoted
from jaxglm.io.formula._transforms import State
from jaxglm.io.tables import Column, Table, rows_text
from jaxglm.io.tables._column import read_column
from jaxglm.rows import ONE_FIT, OneFit

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: np.true_divide,
    ast.Pow: np.power,
    ast.Mod: np.mod,
    ast.FloorDiv: np.floor_divide,
}
# Of whole numbers these are whole numbers, which floats beyond 2**53 do not hold apart.
_EXACT = (ast.Add, ast.Sub, ast.Mult, ast.Mod, ast.FloorDiv)
_EXACT_UFUNCS = (np.abs, np.minimum, np.maximum)
_COMPARE: dict[type[ast.cmpop], Comparison] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def evaluate(
    expression: Expression,
    table: Table,
    states: dict[str, State],
    context: Mapping[str, Any] | None,
    learn: bool,
    fits: OneFit = ONE_FIT,
) -> tuple[np.ndarray | Labels, np.ndarray | None]:
    """The value of an expression, one per row, and where it is missing (None for nowhere).

    `states` holds what the transforms learnt, by the text of their call; it is filled when
    `learn` is set. `fits` refuses rows with infinite values, and complete ones of which the
    expression makes NaN or infinity; where that comes back, what stands there means nothing.

    Raises
    ------
    FormulaError
        If the expression cannot be evaluated.
    DataError
        If a column is not there, or holds what cannot be used.
    """
    walk = _Walk(expression, table, states, context or {}, learn, fits)
    met: set[str] = set()
    with np.errstate(all="call", under="ignore", call=lambda kind, flag: met.add(kind)):
        value = walk.exact(expression.tree)
    if isinstance(value, Labels):
        gaps = value.codes < 0
        if walk.infinite is not None:
            gaps &= ~walk.infinite
        return value, _either(walk.missing, gaps if gaps.any() else None)
    value = np.asarray(value)
    if value.dtype.kind not in "biuf" or value.ndim not in (1, 2) or len(value) != table.n_rows:
        named = "" if any(expression.columns()) else "; it names no column"
        raise FormulaError(
            f"{quoted(expression.text)} does not give a number or label for each of the "
            f"{table.n_rows} rows{named}"
        )
    if value.dtype.kind == "f" and expression.column is None:
        _refuse(expression, value, walk.unusable, met, fits)
    return value, walk.missing


def _refuse(
    expression: Expression,
    value: np.ndarray,
    unusable: np.ndarray | None,
    met: set[str],
    fits: OneFit,
) -> None:
    """Refuse the rows where the value is not finite although the columns can be used.

    `met` is what the arithmetic met with, in NumPy's words.
    """
    finite = np.isfinite(value)
    if finite.all():
        return
    wrong = ~finite if value.ndim == 1 else ~finite.all(axis=1)
    if unusable is not None:
        wrong &= ~unusable
    reasons = ["a result is too large for a number of 64 bits"] if "overflow" in met else []
    if met != {"overflow"}:
        reasons.append("check for zeros or negative values there")
    fits.refuse(
        np.flatnonzero(wrong),
        lambda rows: (
            f"{quoted(expression.text)} is NaN or infinite although the columns are complete, in "
            f"{rows_text(rows)}; {'; '.join(reasons)}"
        ),
        FormulaError,
    )


def _fits(numbers: np.ndarray) -> bool:
    """Whether all are far inside of what 64 bits hold; not so what is no number."""
    return bool((np.abs(numbers) < 2.0**62).all())


def _either(first: np.ndarray | None, second: np.ndarray | None) -> np.ndarray | None:
    if first is None or second is None:
        return second if first is None else first
    return first | second


def _joined(function: np.ufunc, *values: Any) -> Any:
    """A function of two numbers, from the first value to the last."""
    return functools.reduce(function, values)


def _returned(value: Any, text: str) -> Any:
    """What a function of the caller's gave back, of whatever kind, as numbers or labels."""
    if np.ndim(value) != 1 or (isinstance(value, np.ndarray) and value.dtype.kind in "biuf"):
        return value
    column = read_column(value, text)
    return Labels.of(column) if column.values is None else column.numbers


class _Walk:
    """One evaluation; collects where the columns it meets are missing or infinite."""

    def __init__(
        self,
        expression: Expression,
        table: Table,
        states: dict[str, State],
        context: Mapping[str, Any],
        learn: bool,
        fits: OneFit,
    ):
        self.expression = expression
        self.table = table
        self.states = states
        self.context = context
        self.learn = learn
        self.fits = fits
        self.missing: np.ndarray | None = None
        self.infinite: np.ndarray | None = None

    @property
    def unusable(self) -> np.ndarray | None:
        return _either(self.missing, self.infinite)

    def fail(self, reason: str) -> FormulaError:
        return FormulaError(f"{quoted(self.expression.text)} in the formula: {reason}")

    def value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Name):
            return self.name(self.expression.name(node.id))
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.List | ast.Tuple):
            return [self.value(item) for item in node.elts]
        if isinstance(node, ast.Call):
            return self.call(node)
        if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
            exact = type(node.op) in _EXACT
            return self.arithmetic(_BINARY[type(node.op)], node.left, node.right, exact=exact)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            sign = operator.neg if isinstance(node.op, ast.USub) else operator.pos
            return self.arithmetic(sign, node.operand, exact=True)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return np.logical_not(self.truth(node.operand))
        if isinstance(node, ast.BoolOp):
            join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            return functools.reduce(join, [self.truth(item) for item in node.values])
        if isinstance(node, ast.Compare):
            return self.compare(node)
        raise self.fail(f"{self.shown(node)!r} is not arithmetic, a comparison or a call")

    def name(self, name: str) -> Any:
        if name not in self.table.names and name in self.context:
            return self.context[name]
        column = self.column(name)
        if column.values is None:
            return Labels.of(column)
        return column.values if column.values.dtype.kind == "b" else column.numbers

    def column(self, name: str) -> Column:
        column = self.table.column(name, self.fits)
        self.missing = _either(self.missing, column.missing)
        if column.infinite is None:
            return column
        self.infinite = _either(self.infinite, column.infinite)
        return replace(column, values=np.where(column.infinite, np.nan, column.numbers))

    def exact(self, node: ast.expr) -> Any:
        """A value that may serve as a label: whole numbers stay whole beside missing ones."""
        value = self.value(node)
        if isinstance(node, ast.Name) and isinstance(value, np.ndarray):
            name = self.expression.name(node.id)
            return self.column(name).values if name in self.table.names else value
        return value

    def number(self, node: ast.expr) -> Any:
        """A value that arithmetic is for, in float64."""
        return self.in_floats(self.value(node), node)

    def in_floats(self, value: Any, node: ast.expr) -> Any:
        if isinstance(value, Labels):
            raise self.fail(f"{self.shown(node)!r} holds labels, arithmetic needs numbers")
        try:
            if isinstance(value, str | list) or value is None:
                raise TypeError
            return np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            raise self.fail(f"{self.shown(node)!r} is not a number") from None

    def arithmetic(self, function: Callable[..., Any], *nodes: ast.expr, exact: bool) -> Any:
        """A function of single numbers and columns of one shape.

        In whole numbers where all are, the function is `exact` of such, and they fit.
        """
        values = [self.exact(node) for node in nodes]
        numbers = [self.in_floats(value, node) for value, node in zip(values, nodes, strict=True)]
        self.check_shapes(numbers)
        result = function(*numbers)
        whole = exact and all(np.asarray(value).dtype.kind in "iu" for value in values)
        if not whole or not all(_fits(number) for number in (result, *numbers)):
            return result
        return function(*(np.asarray(value).astype(np.int64) for value in values))

    def check_shapes(self, values: list[Any]) -> None:
        if len({np.shape(value) for value in values if np.ndim(value)}) > 1:
            raise self.fail(
                "its parts have different numbers of rows or columns; arithmetic joins single "
                "columns and numbers"
            )

    def shown(self, node: ast.expr) -> str:
        """A part of the expression with the user's sign for powers."""
        text = self.expression.part(node).text
        return with_carets(text) if "^" in self.expression.text else text

    def truth(self, node: ast.expr) -> Any:
        value = self.value(node)
        if isinstance(value, Labels | str | list) or np.asarray(value).dtype.kind != "b":
            raise self.fail(f"{self.shown(node)!r} is not true or false")
        return value

    def compare(self, node: ast.Compare) -> np.ndarray:
        results = []
        left = self.exact(node.left)
        for op, other in zip(node.ops, node.comparators, strict=True):
            right = self.exact(other)
            if isinstance(op, ast.In | ast.NotIn):
                try:
                    inside = is_member(left, right)
                except FormulaError as error:
                    raise self.fail(str(error)) from None
                results.append(inside if isinstance(op, ast.In) else ~inside)
            elif type(op) in _COMPARE:
                results.append(self.compared(_COMPARE[type(op)], left, right))
            else:
                raise self.fail("this comparison has no meaning for columns")
            left = right
        return functools.reduce(np.logical_and, results)

    def compared(self, compare: Comparison, left: Any, right: Any) -> np.ndarray:
        if isinstance(left, Labels) or isinstance(right, Labels):
            try:
                return compare_labels(compare, left, right)
            except FormulaError as error:
                raise self.fail(str(error)) from None
        if isinstance(left, list) or isinstance(right, list):
            raise self.fail("a comparison is with one value; for several there is %in% c(...)")
        if left is None or right is None:
            raise self.fail("nothing can be compared with NULL or None")
        if isinstance(left, str) != isinstance(right, str):
            raise self.fail("numbers are compared with text")
        self.check_shapes([left, right])
        return np.asarray(compare(left, right))

    def call(self, node: ast.Call) -> Any:
        if not isinstance(node.func, ast.Name):
            raise self.fail("only functions with a plain name can be called")
        name = self.expression.name(node.func.id)
        if name in self.context:
            given = [as_array(value) for value in self.positional(node)]
            value = self.context[name](*given, **self.named(node))
            return _returned(value, self.expression.text)
        name = without_prefix(name)
        if name in SHRUNK and node is not self.expression.tree:
            raise self.fail(
                f"{name}(...) is a term by itself and no part of another; what is computed stands "
                f"inside of it, as in {name}(log(x))"
            )
        if name in UFUNCS:
            if len(node.args) != UFUNCS[name].nin or node.keywords:
                raise self.fail(wrong_arguments(name))
            return self.arithmetic(UFUNCS[name], *node.args, exact=UFUNCS[name] in _EXACT_UFUNCS)
        if name in OF_SEVERAL:
            if not node.args or node.keywords:
                raise self.fail(wrong_arguments(name))
            several = functools.partial(_joined, OF_SEVERAL[name])
            return self.arithmetic(several, *node.args, exact=True)
        if name in PLAIN:
            if len(node.args) != 1 or node.keywords:
                raise self.fail(f"{name}(...) takes one expression")
            if name == "offset" and node is not self.expression.tree:
                raise self.fail(
                    "offset(...) is a term by itself and no part of another; what is computed "
                    "stands inside of it, as in offset(log(x))"
                )
            return self.value(node.args[0])
        if name == "c":
            return self.positional(node)
        if name in TRANSFORMS:
            return self.transform(name, node)
        if name in FACTORS:
            return self.factor(name, node)
        if name == "Treatment":
            return self.in_words(name, treatment, [], self.positional(node), self.named(node))
        if name in CODINGS:
            if node.args or node.keywords:
                raise self.fail(coding_takes_none(name, self.coded(node)))
            return Contrast(CODINGS[name])
        raise self.fail(unknown_function(name))

    def coded(self, coding: ast.Call) -> str:
        """The column that a coding stands behind."""
        outer = (node for node in ast.walk(self.expression.tree) if isinstance(node, ast.Call))
        return next((self.shown(node.args[0]) for node in outer if coding in node.args[1:]), "g")

    def in_words(self, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """The answer of a function; what it refuses names the call."""
        try:
            return called(function, *arguments)
        except FormulaError as error:
            raise self.fail(f"{name}(): {error}") from None

    def positional(self, node: ast.Call) -> list[Any]:
        return [self.argument(item, later=i > 0) for i, item in enumerate(node.args)]

    def named(self, node: ast.Call) -> dict[str, Any]:
        if any(item.arg is None for item in node.keywords):
            raise self.fail("arguments are written one by one, without '**'")
        given: dict[str, Any] = {}
        for item in node.keywords:
            name = self.expression.name(item.arg)
            # R's Boundary.knots is boundary_knots.
            key = name.replace(".", "_").lower()
            if key in given:
                raise self.fail(f"the argument {name!r} is given twice")
            given[key] = self.argument(item.value)
        return given

    def argument(self, node: ast.expr, later: bool = True) -> Any:
        """A value, or after the first argument the name of a contrast coding."""
        if later and isinstance(node, ast.Name):
            name = self.expression.name(node.id)
            if name in CODINGS:
                return Contrast(CODINGS[name])
        return self.value(node)

    def transform(self, name: str, node: ast.Call) -> np.ndarray:
        if not node.args:
            raise self.fail(f"{name}() needs a column")
        x = self.number(node.args[0])
        if x.ndim != 1:
            raise self.fail(f"{name}() takes one column")
        transform = TRANSFORMS[name]
        key = self.expression.part(node).text
        if self.learn and key not in self.states:
            settings = [self.value(item) for item in node.args[1:]]
            usable = x if self.unusable is None else x[~self.unusable]
            self.states[key] = self.in_words(
                name, transform.fit, [usable], settings, self.named(node)
            )
        if key not in self.states:
            raise self.fail(f"what {name}() learnt of the column was not saved with the model")
        state = self.states[key]
        if name == "bs":
            warn_beyond(key, state, x)
        return transform.apply(state, x)

    def factor(self, name: str, node: ast.Call) -> Labels:
        if not node.args:
            raise self.fail(f"{name}() needs a column")
        for item in node.args[1:]:
            coding = self.expression.name(item.id) if isinstance(item, ast.Name) else "Treatment"
            if coding not in (*CODINGS, *self.context, *self.table.names):
                raise self.fail(f"{name}(): {no_coding(coding)}")
        value = self.exact(node.args[0])
        settings = [self.argument(item) for item in node.args[1:]]
        if not isinstance(value, Labels):
            given = [self.shown(node), value, self.unusable]
            value = self.in_words(name, labels_of, [], given, {})
        return self.in_words(name, FACTORS[name], [value], settings, self.named(node))
