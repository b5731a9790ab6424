"""Owns factors as values in an expression: making, relevelling and comparing them.

Work is done once per level, then per code.
"""

import functools
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jaxglm._status import FormulaError
from jaxglm.io.formula._contrasts import CODINGS, EACH, TREATMENT, Contrast, no_coding, treatment
from jaxglm.io.tables import Column, Level
from jaxglm.io.tables._column import factor_of_values
from jaxglm.words import listed

Comparison = Callable[[Any, Any], Any]

# a < b is b > a.
_MIRRORED: dict[Comparison, Comparison] = {
    operator.lt: operator.gt,
    operator.gt: operator.lt,
    operator.le: operator.ge,
    operator.ge: operator.le,
}


@dataclass(frozen=True, eq=False)
class Labels:
    """A factor as a value: codes (-1 missing), levels, and the coding it asks for.

    The last `strange` levels are values that are not among the levels the formula gives.
    """

    codes: np.ndarray
    levels: tuple[Level, ...]
    contrast: Contrast = TREATMENT
    strange: int = 0

    @classmethod
    def of(cls, column: Column) -> "Labels":
        """The labels of a column that holds a factor."""
        assert column.codes is not None
        return cls(column.codes, column.levels or ())


def labels_of(text: str, values: Any, missing: np.ndarray | None) -> Labels:
    """Numbers as a factor, the levels in numeric order; `text` is the expression, for messages."""
    values = np.asarray(values)
    if values.dtype.kind not in "biuf" or values.ndim != 1:
        raise FormulaError("a factor is made of one column")
    return Labels.of(factor_of_values(text, values, missing))


def factor(
    labels: Labels,
    contrast: Any = None,
    *,
    contrasts: Any = None,
    levels: Any = None,
) -> Labels:
    """A factor with the coding and the order of levels that C(...) or factor(...) asks for."""
    contrast = next((c for c in (contrast, contrasts) if c is not None), labels.contrast)
    if isinstance(contrast, str) and contrast.startswith(("contr.", *CODINGS)):
        if contrast not in CODINGS:
            raise FormulaError(no_coding(contrast))
        contrast = Contrast(CODINGS[contrast])
    if not isinstance(contrast, Contrast):
        raise FormulaError(
            f"behind the column stands a coding: {listed(CODINGS)}; another reference level is "
            "Treatment('level')"
        )
    if levels is None:
        return replace(labels, contrast=contrast)
    levels = levels.tolist() if isinstance(levels, np.ndarray) else levels
    if not isinstance(levels, list | tuple) or len(set(levels)) < len(levels):
        raise FormulaError("levels must be all levels, each once, as in levels=c('a', 'b')")
    # Whether a value that is not given matters is told by the rows that are used.
    strange = [level for level in labels.levels if level not in levels]
    place = {level: code for code, level in enumerate([*levels, *strange])}
    recode = np.array([place[level] for level in labels.levels] + [-1], np.int32)
    return Labels(recode[labels.codes], (*levels, *strange), contrast, len(strange))


def relevel(labels: Labels, ref: Any) -> Labels:
    """A factor with another reference level, as R's relevel."""
    if isinstance(ref, int | float) and all(isinstance(level, str) for level in labels.levels):
        raise FormulaError("the levels are text; name the reference, as in ref='b'")
    return replace(labels, contrast=treatment(ref))


def random_effect(labels: Labels) -> Labels:
    """A factor of which each level has a column, all held by one penalty."""
    return replace(labels, contrast=EACH)


def as_array(value: Any) -> Any:
    """A factor as an array of its labels, None where missing; other values as they are."""
    if not isinstance(value, Labels):
        return value
    return np.array([*value.levels, None], dtype=object)[value.codes]


def is_member(value: Any, choices: Any) -> np.ndarray:
    """Whether values or labels are among some; False where a label is missing.

    Raises
    ------
    FormulaError
        If text is looked for among numbers, or numbers among text.
    """
    among: list[Any] = []
    for choice in choices if isinstance(choices, list | tuple) else [choices]:
        if isinstance(choice, Labels):
            among.extend(choice.levels[code] for code in np.unique(choice.codes[choice.codes >= 0]))
        else:
            among.extend(np.ravel(np.asarray(choice)).tolist())
    own = value.levels if isinstance(value, Labels) else np.ravel(np.asarray(value))[:1].tolist()
    is_text = bool(own) and isinstance(own[0], str)
    strange = [item for item in among if own and isinstance(item, str) != is_text]
    if strange:
        held = "text" if is_text else "numbers"
        raise FormulaError(f"the values are {held}, and {strange[0]!r} is none; write it as {held}")
    if not isinstance(value, Labels):
        # One by one: an array of choices may have a dtype that does not hold the values apart.
        none = np.zeros(np.shape(value), bool)
        return functools.reduce(operator.or_, (value == choice for choice in among), none)
    chosen = set(among)
    return np.array([level in chosen for level in value.levels] + [False])[value.codes]


def compare_labels(compare: Comparison, left: Any, right: Any) -> np.ndarray:
    """Compare a factor with a label or with another factor; at least one side is a factor.

    Raises
    ------
    FormulaError
        If text is compared with numbers, or two factors for their order.
    """
    if not isinstance(left, Labels):
        left, right, compare = right, left, _MIRRORED.get(compare, compare)
    if isinstance(right, Labels):
        if compare not in (operator.eq, operator.ne):
            raise FormulaError("two columns of labels can only be compared with == and !=")
        place = {level: code for code, level in enumerate(left.levels)}
        recode = np.array([place.get(level, -2) for level in right.levels] + [-1])
        return compare(left.codes, recode[right.codes])
    if not isinstance(right, str | int | float):
        raise FormulaError("labels can be compared with a label, not with a column of numbers")
    if any(isinstance(level, str) != isinstance(right, str) for level in left.levels):
        raise FormulaError(f"labels ({listed(left.levels, 3)}) are compared with {right!r}")
    return np.array([bool(compare(level, right)) for level in left.levels] + [False])[left.codes]
