"""Owns the evaluation of an expression over the columns of a table.

A walk over the syntax tree with a fixed list of functions and those of the caller's `context`:
text of a formula, from wherever it was loaded, can compute and do nothing else. Imports
`_column`, `_contrasts`, `_rtext`, `_transforms`, `_splines`, `_table`, `_messages`, `_status`.
"""

import ast
import functools
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jaxglm._status import DataError, FormulaError
from jaxglm.io._column import Level, factor_of_values
from jaxglm.io._contrasts import CODINGS, TREATMENT, Contrast
from jaxglm.io._messages import listed, near_text, rows_text
from jaxglm.io._rtext import Expression, parse_expression
from jaxglm.io._splines import SPLINES
from jaxglm.io._table import Table
from jaxglm.io._transforms import SCALINGS, State


@dataclass(frozen=True, eq=False)
class Labels:
    """A factor as a value: codes (-1 missing), levels, and the coding it asks for."""

    codes: np.ndarray
    levels: tuple[Level, ...]
    contrast: Contrast = TREATMENT


_UFUNCS = {
    "log": np.log, "log2": np.log2, "log10": np.log10, "log1p": np.log1p,
    "exp": np.exp, "expm1": np.expm1, "sqrt": np.sqrt, "abs": np.abs,
    "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "minimum": np.minimum, "maximum": np.maximum, "pmin": np.minimum, "pmax": np.maximum,
}  # fmt: skip
_TRANSFORMS = SCALINGS | SPLINES
_FACTORS = ("C", "factor", "as.factor")
_OTHERS = ("I", "offset", "relevel", "c")
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: np.true_divide,
    ast.Pow: np.power,
    ast.Mod: np.mod,
    ast.FloorDiv: np.floor_divide,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
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
) -> tuple[np.ndarray | Labels, np.ndarray | None]:
    """The value of an expression, one per row, and where it is missing (None for nowhere).

    `states` holds what the transforms learnt, by the text of their call; it is filled when
    `learn` is set.

    Raises
    ------
    FormulaError
        If the expression cannot be evaluated, or gives NaN or infinity on complete rows.
    DataError
        If a column is not there, or holds what cannot be used.
    """
    walk = _Walk(expression, table, states, context or {}, learn)
    with np.errstate(all="ignore"):
        value = walk.value(expression.tree)
    if isinstance(value, Labels):
        gaps = value.codes < 0
        return value, _either(walk.missing, gaps if gaps.any() else None)
    value = np.asarray(value)
    if value.dtype.kind not in "biuf" or value.ndim not in (1, 2) or len(value) != table.n_rows:
        raise FormulaError(
            f"{expression.text!r} does not give a number or label for each of the "
            f"{table.n_rows} rows"
        )
    if value.dtype.kind == "f" and expression.column is None:
        _refuse_nonfinite(expression, value, walk.missing)
    return value, walk.missing


def function_names() -> list[str]:
    """The functions that a formula may call without a context."""
    return sorted([*_UFUNCS, *_TRANSFORMS, *_FACTORS, *_OTHERS, "cbind"], key=str.casefold)


def _refuse_nonfinite(
    expression: Expression, value: np.ndarray, missing: np.ndarray | None
) -> None:
    finite = np.isfinite(value)
    if finite.all():
        return
    wrong = ~finite if value.ndim == 1 else ~finite.all(axis=1)
    if missing is not None:
        wrong &= ~missing
    if wrong.any():
        raise FormulaError(
            f"{expression.text!r} is NaN or infinite although the columns are complete, in "
            f"{rows_text(wrong)}; check for zeros or negative values there"
        )


def _either(first: np.ndarray | None, second: np.ndarray | None) -> np.ndarray | None:
    if first is None or second is None:
        return second if first is None else first
    return first | second


def _as_array(value: Any) -> Any:
    """What a function of the caller's gets: a factor as an array of its labels, None if missing."""
    if not isinstance(value, Labels):
        return value
    return np.array([*value.levels, None], dtype=object)[value.codes]


class _Walk:
    """One evaluation; collects where the columns it meets are missing."""

    def __init__(
        self,
        expression: Expression,
        table: Table,
        states: dict[str, State],
        context: Mapping[str, Any],
        learn: bool,
    ):
        self.expression = expression
        self.table = table
        self.states = states
        self.context = context
        self.learn = learn
        self.missing: np.ndarray | None = None

    def fail(self, reason: str) -> FormulaError:
        return FormulaError(f"{self.expression.text!r} in the formula: {reason}")

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
            return _BINARY[type(node.op)](self.number(node.left), self.number(node.right))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            number = self.number(node.operand)
            return -number if isinstance(node.op, ast.USub) else number
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return np.logical_not(self.truth(node.operand))
        if isinstance(node, ast.BoolOp):
            join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            return functools.reduce(join, [self.truth(item) for item in node.values])
        if isinstance(node, ast.Compare):
            return self.compare(node)
        raise self.fail(f"{ast.unparse(node)!r} is not arithmetic, a comparison or a call")

    def name(self, name: str) -> Any:
        if name not in self.table.names and name in self.context:
            return self.context[name]
        column = self.table.column(name)
        self.missing = _either(self.missing, column.missing)
        if column.codes is not None:
            return Labels(column.codes, column.levels or ())
        return column.values

    def number(self, node: ast.expr) -> Any:
        """A value that arithmetic is for, in float64."""
        value = self.value(node)
        if isinstance(value, Labels):
            raise self.fail(f"{ast.unparse(node)!r} holds labels, arithmetic needs numbers")
        if isinstance(value, str | list) or value is None:
            raise self.fail(f"{ast.unparse(node)!r} is not a number")
        return np.asarray(value, dtype=np.float64)

    def truth(self, node: ast.expr) -> Any:
        value = self.value(node)
        if isinstance(value, Labels | str | list) or np.asarray(value).dtype.kind != "b":
            raise self.fail(f"{ast.unparse(node)!r} is not true or false")
        return value

    def compare(self, node: ast.Compare) -> np.ndarray:
        results = []
        left = self.value(node.left)
        for op, other in zip(node.ops, node.comparators, strict=True):
            right = self.value(other)
            if isinstance(op, ast.In | ast.NotIn):
                inside = self.member(left, right)
                results.append(inside if isinstance(op, ast.In) else ~inside)
            elif type(op) in _COMPARE:
                results.append(self.compared(_COMPARE[type(op)], left, right))
            else:
                raise self.fail("this comparison has no meaning for columns")
            left = right
        return functools.reduce(np.logical_and, results)

    def member(self, value: Any, choices: Any) -> np.ndarray:
        choices = choices if isinstance(choices, list) else [choices]
        if isinstance(value, Labels):
            chosen = np.array([level in choices for level in value.levels] + [False])
            return chosen[value.codes]
        return np.isin(value, choices)

    def compared(self, compare: Callable[[Any, Any], Any], left: Any, right: Any) -> np.ndarray:
        """Compare numbers by value; labels by level, each level once."""
        if isinstance(right, Labels) and not isinstance(left, Labels):
            swap = {operator.lt: operator.gt, operator.le: operator.ge}
            swap |= {mirror: side for side, mirror in swap.items()}
            left, right, compare = right, left, swap.get(compare, compare)
        equality = compare in (operator.eq, operator.ne)
        if isinstance(left, Labels) and isinstance(right, Labels):
            if not equality:
                raise self.fail("two columns of labels can only be compared with == and !=")
            place = {level: code for code, level in enumerate(left.levels)}
            recode = np.array([place.get(level, -2) for level in right.levels] + [-1])
            return compare(left.codes, recode[right.codes])
        if isinstance(left, Labels):
            text = all(isinstance(level, str) for level in left.levels)
            if text != isinstance(right, str) and not (text and equality and right is None):
                raise self.fail(f"labels {listed(left.levels, 3)} compared with {right!r}")
            truth = [bool(compare(level, right)) for level in left.levels]
            return np.array([*truth, False])[left.codes]
        if isinstance(left, str) != isinstance(right, str):
            raise self.fail("numbers compared with text")
        return np.asarray(compare(left, right))

    def call(self, node: ast.Call) -> Any:
        if not isinstance(node.func, ast.Name):
            raise self.fail("only functions with a plain name can be called")
        name = self.expression.name(node.func.id)
        if name in self.context:
            given = [_as_array(value) for value in self.positional(node)]
            return self.context[name](*given, **self.named(node))
        name = name.removeprefix("np.") if name.removeprefix("np.") in _UFUNCS else name
        if name in _UFUNCS:
            return _UFUNCS[name](*[self.number(item) for item in node.args])
        if name in ("I", "offset") and len(node.args) == 1 and not node.keywords:
            return self.value(node.args[0])
        if name == "c":
            return self.positional(node)
        if name in _TRANSFORMS:
            return self.transform(name, node)
        if name in _FACTORS:
            return self.factor(*self.positional(node), **self.named(node))
        if name == "relevel":
            return self.relevel(*self.positional(node), **self.named(node))
        if name == "Treatment":
            return self.treatment(*self.positional(node), **self.named(node))
        if name in CODINGS:
            if node.args or node.keywords:
                raise self.fail("only Treatment('level') takes an argument among the contrasts")
            return Contrast(CODINGS[name])
        raise self.fail(
            f"there is no function {name!r}; {near_text(name, function_names())}. "
            "Pass your own as context={name: function}, also when predicting with a loaded model"
        )

    def positional(self, node: ast.Call) -> list[Any]:
        return [self.argument(item) for item in node.args]

    def named(self, node: ast.Call) -> dict[str, Any]:
        names = (self.expression.name(item.arg) for item in node.keywords)
        values = (self.argument(item.value) for item in node.keywords)
        return {
            name.replace(".", "_").lower(): value for name, value in zip(names, values, strict=True)
        }

    def argument(self, node: ast.expr) -> Any:
        """A value, or the name of a contrast coding."""
        if isinstance(node, ast.Name):
            name = self.expression.name(node.id)
            if name in CODINGS and name not in self.table.names:
                return Contrast(CODINGS[name])
        return self.value(node)

    def transform(self, name: str, node: ast.Call) -> np.ndarray:
        if not node.args:
            raise self.fail(f"{name}() needs a column")
        x = self.number(node.args[0])
        if x.ndim != 1:
            raise self.fail(f"{name}() takes one column")
        transform = _TRANSFORMS[name]
        key = self.text_of(node)
        try:
            if self.learn and key not in self.states:
                settings = [self.value(item) for item in node.args[1:]]
                usable = x if self.missing is None else x[~self.missing]
                self.states[key] = transform.fit(usable, *settings, **self.named(node))
        except (TypeError, FormulaError) as error:
            raise self.fail(f"{name}(): {str(error).replace('_fit_', '')}") from None
        return transform.apply(self.states[key], x)

    def text_of(self, node: ast.expr) -> str:
        source = ast.unparse(node)
        for alias, name in self.expression.aliases.items():
            source = source.replace(alias, f"`{name}`")
        return parse_expression(source).text

    def labels(self, value: Any) -> Labels:
        if isinstance(value, Labels):
            return value
        value = np.asarray(value)
        if value.dtype.kind not in "biuf" or value.ndim != 1:
            raise self.fail("a factor is made of one column")
        column = factor_of_values(self.expression.text, value, self.missing)
        return Labels(column.codes, column.levels or ())  # type: ignore[arg-type]

    def factor(
        self,
        value: Any,
        contrast: Contrast | None = None,
        *,
        contrasts: Contrast | None = None,
        levels: list[Level] | None = None,
    ) -> Labels:
        labels = self.labels(value)
        contrast = contrast or contrasts or labels.contrast
        if not isinstance(contrast, Contrast):
            raise self.fail(f"{contrast!r} is not a contrast; there is {listed(CODINGS)}")
        if levels is not None:
            place = {level: code for code, level in enumerate(levels)}
            recode = np.array([place.get(level, -2) for level in labels.levels] + [-1], np.int32)
            codes = recode[labels.codes]
            if (codes == -2).any():
                first = int(np.argmax(codes == -2))
                raise DataError(
                    f"{self.expression.text!r}: value {labels.levels[labels.codes[first]]!r} in "
                    f"row {first} (counting from 0) is not among the levels given"
                )
            labels = Labels(codes, tuple(levels))
        return replace(labels, contrast=contrast)

    def treatment(self, reference: Level | None = None) -> Contrast:
        return Contrast("treatment", reference)

    def relevel(self, value: Any, ref: Level) -> Labels:
        labels = self.labels(value)
        return replace(labels, contrast=Contrast("treatment", ref))
