"""Owns what is said of the levels of a factor: those in use, those that clash, likely mistakes."""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from jaxglm._status import DataError, FormulaError
from jaxglm.io.formula._labels import Labels
from jaxglm.io.formula._rtext import Expression
from jaxglm.io.tables import Level, rows_text, spaces_caution
from jaxglm.words import listed, repeated

# A leading zero makes a code of digits, not a number.
_NUMBER = re.compile(r"\s*[+-]?(0|[1-9]\d*|0?[.,]\d+|(0|[1-9]\d*)[.,]\d*)([eE][+-]?\d+)?\s*")
# So many levels that read as numbers are hardly labels.
_MANY = 20


def levels_used(
    value: Labels, expression: Expression, kept: np.ndarray | None, notes: list[str]
) -> tuple[Level, ...]:
    """The levels that occur in the rows used; a note on those that do not.

    Parameters
    ----------
    value : Labels
        In the rows used.
    expression : Expression
    kept : int [n] or None
        Positions of these rows in the data.
    notes : list of str

    Raises
    ------
    FormulaError
        Where a value is not among the levels that the formula gives.
    DataError
        Where two levels would have one name.
    """
    occurs = np.bincount(value.codes, minlength=len(value.levels)) > 0
    declared = len(value.levels) - value.strange
    if occurs[declared:].any():
        code = declared + int(np.argmax(occurs[declared:]))
        rows, level = np.flatnonzero(value.codes == code), value.levels[code]
        raise FormulaError(
            f"{expression.text!r} in the formula: value {level!r} in "
            f"{rows_text(rows if kept is None else kept[rows])} is not among the levels given"
        )
    used = [level for level, there in zip(value.levels, occurs, strict=True) if there]
    unused = [level for level, there in zip(value.levels, occurs, strict=True) if not there]
    if unused:
        notes.append(
            f"factor {expression.label!r}: levels {listed(map(repr, unused))} do not occur in the "
            "rows used and were left out"
        )
    names = [str(level) for level in used]
    name = repeated(names)
    if name is not None:
        same = [f"{level!r} ({type(level).__name__})" for level in used if str(level) == name]
        raise DataError(
            f"factor {expression.label!r} has two levels of one name, {' and '.join(same)}; their "
            "coefficients could not be told apart: convert the column to one type, or rename a "
            "level"
        )
    return tuple(used)


def level_cautions(levels: Sequence[Level], expression: Expression) -> Iterator[str]:
    """What in the levels of a factor is likely not meant, in words."""
    texts = [level for level in levels if isinstance(level, str)]
    # C(...) says that labels are meant.
    many = expression.column is not None and len(texts) >= _MANY
    numbers = [text for text in texts if many and _NUMBER.fullmatch(text)]
    if many and 2 * len(numbers) > len(levels):
        others = [text for text in texts if not _NUMBER.fullmatch(text)]
        but = f", others do not ({listed(map(repr, others), 3)})" if others else ""
        yield (
            f"column {expression.column!r} holds text, so it is a factor of {len(levels):,} "
            f"levels, but most read as numbers ({listed(map(repr, numbers), 3)}){but}. Convert it "
            "to numbers before the fit, as with pandas.to_numeric; if labels are meant, write "
            f"C({expression.text}) in the formula."
        )
    caution = spaces_caution(f"factor {expression.label!r}", levels)
    if caution is not None:
        yield caution


def check_names(names: Sequence[str], terms: Sequence[tuple[str, slice]]) -> None:
    """Refuse two columns of the design that have one name.

    Raises
    ------
    FormulaError
        It names the terms.
    """
    name = repeated(names)
    if name is None:
        return
    of = dict.fromkeys(repr(label) for label, columns in terms if name in names[columns])
    where = f"the terms {' and '.join(of)}" if len(of) > 1 else "a column of the data and a term"
    raise FormulaError(
        f"two coefficients would both be called {name!r}, those of {where}; rename that column or "
        "level of the data"
    )
