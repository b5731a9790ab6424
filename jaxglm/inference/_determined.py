"""Owns for which rows a fit has a prediction: those in the span of the rows that it saw.

Where columns were left out, because in the rows of the fit they follow from others, coefficients
stand for sums of effects that nothing tells apart. Predictions of rows in which the columns follow
from the others likewise are as good as any; of other rows nothing is known, and a number would be
an accident of which column was left out.
"""

from collections.abc import Sequence

import numpy as np

from jaxglm._status import DataWarning, JaxglmWarning, RankWarning
from jaxglm.algebra import Relations
from jaxglm.intake import Columns
from jaxglm.words import warn

# A relation holds in a row up to this share of the terms in it, as in R's `predict.lm`.
_TOLERANCE = 1e-6
# Relations looked at together, and told in words.
_AT_ONCE, _MOST_TOLD = 32, 3


def undetermined(columns: Columns, aliased: np.ndarray, relations: Relations | None) -> np.ndarray:
    """Rows whose linear predictor a fit does not determine, [n] bool.

    Parameters
    ----------
    columns : Columns
        Of n rows, in p columns.
    aliased : [p] bool
        Columns that were left out of the fit.
    relations : Relations or None
        How they follow from the others; those that do not are zero in all rows of the fit. None
        where this is not known: nothing is said then.
    """
    if relations is None or not aliased.any():
        return np.zeros(columns.n, bool)
    sizes = columns.absolute()
    found = sizes.matvec(_zero_in_fit(aliased, relations).astype(float)) > 0
    directions = relations.directions(aliased.size).T
    for first in range(0, directions.shape[1], _AT_ONCE):
        some = directions[:, first : first + _AT_ONCE]
        found |= broken(columns.matvec(some), sizes.matvec(np.abs(some))).any(axis=1)
    return found


def broken(sums: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Where a relation does not hold, from the sum of its terms and that of their sizes."""
    return np.abs(sums) > _TOLERANCE * sizes


def warn_undetermined(
    rows: np.ndarray,
    names: Sequence[str],
    aliased: np.ndarray,
    relations: Relations,
    seen: str = "the rows of the fit",
) -> None:
    """Say which rows ([n] bool) have no prediction, if any, and why; `seen` are rows in words."""
    if rows.any():
        this = "this one" if np.count_nonzero(rows) == 1 else "these"
        holds = what_holds(names, aliased, relations)
        say_nan(rows, f"{seen} do not determine it. In all of them {holds}, but not in {this}.")


def say_nan(rows: np.ndarray, why: str, category: type[JaxglmWarning] = RankWarning) -> None:
    """Say which rows ([n] bool) have no prediction, if any."""
    which = np.flatnonzero(rows)
    if not which.size:
        return
    first = ", ".join(map(str, which[:5])) + (", ..." if which.size > 5 else "")
    subject = "1 row" if which.size == 1 else f"{which.size:,} rows"
    gets = "gets" if which.size == 1 else "get"
    warn(f"No prediction for {subject} ({first}), which {gets} nan: {why}", category)


def say_missing(rows: np.ndarray | None) -> None:
    """Say which rows ([n] bool) have no prediction for want of what it is made of, if any."""
    if rows is not None:
        say_nan(rows, "a predictor, or the offset, is missing there.", DataWarning)


def what_holds(names: Sequence[str], aliased: np.ndarray, relations: Relations) -> str:
    """What is so in the rows of a fit and need not be so in others, in words."""
    facts = [
        f"{names[j]!r} is 0" for j in np.flatnonzero(_zero_in_fit(aliased, relations)).tolist()
    ]
    for j in np.unique(relations.aliased).tolist():
        own = (relations.aliased == j) & (relations.times != 0)
        if not own.any():
            facts.append(f"{names[j]!r} is 0")
            continue
        terms = [
            f"{'-' if times < 0 else '+'} {_factor(abs(times))}{names[i]!r}"
            for i, times in zip(relations.on[own], relations.times[own], strict=True)
        ]
        right = " ".join(terms[:_MOST_TOLD]).removeprefix("+ ")
        facts.append(f"{names[j]!r} = {right}" + (" + ..." if len(terms) > _MOST_TOLD else ""))
    told = facts[:_MOST_TOLD]
    if len(facts) > len(told):
        more = len(facts) - len(told)
        told.append("1 more relation holds" if more == 1 else f"{more:,} more relations hold")
    return " and ".join(told)


def _factor(times: float) -> str:
    return "" if abs(times - 1) < 1e-9 else f"{times:.6g} * "


def _zero_in_fit(aliased: np.ndarray, relations: Relations) -> np.ndarray:
    zero = aliased.copy()
    zero[relations.aliased] = False
    return zero
