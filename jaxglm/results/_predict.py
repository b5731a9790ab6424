"""Owns linear predictors of rows that have coefficients of their own: those of their segment."""

import numpy as np

from jaxglm.algebra import Relations, movement, run_off
from jaxglm.inference import broken
from jaxglm.intake import Columns
from jaxglm.lanes import Fits

# Numbers in a chunk of rows: 32 MiB, several of which are at work.
_CHUNK_NUMBERS = 1 << 22


def linear_predictor(fits: Fits, columns: Columns, segment: np.ndarray) -> np.ndarray:
    """x_i' b of row i's segment, without offset; nan where that says nothing about the row.

    A column that other columns determine in the segment has no part, as in a single fit. What the
    rows of the segment do not determine is unknown: a column that is zero in all of them, a
    reference level that they lack, a row in which aliased columns do not follow from the others.

    Parameters
    ----------
    fits : Fits
    columns : Columns
        Of n rows.
    segment : [n] int
        The segment of each row; negative for none.
    """
    coef = np.where(fits.aliased & ~fits.absent, 0.0, fits.coef)[:, columns.order]
    has_fit = ~np.isnan(fits.coef).all(axis=1)
    known = np.flatnonzero((segment >= 0) & has_fit[segment])
    eta = np.full(columns.n, np.nan)
    step = max(1, _CHUNK_NUMBERS // max(columns.order.size, 1))
    for first in range(0, known.size, step):
        rows = known[first : first + step]
        eta[rows] = columns.design.take_rows(rows).times_rows(coef[segment[rows]])
    eta[_undetermined(fits.relations or {}, columns, segment)] = np.nan
    return eta


def at_limit(fits: Fits, columns: Columns, segment: np.ndarray, eta: np.ndarray) -> np.ndarray:
    """Linear predictors of rows, inf or -inf where a separated segment lets them run to it.

    nan where they do not, and the rows of the segment that stay finite do not determine them.
    """
    separated = np.asarray(fits.infinite.any(axis=1))
    rows = np.flatnonzero((segment >= 0) & separated[segment])
    recession = fits.covariance.recession[:, columns.order]
    along = columns.design.take_rows(rows).times_rows(recession[segment[rows]])
    moves = movement(along)
    eta[rows] = run_off(eta[rows], moves)
    still = np.full(columns.n, -1)
    still[rows] = np.where(moves == 0, segment[rows], -1)
    eta[_undetermined(fits.relations_at_limit, columns, still)] = np.nan
    return eta


def _undetermined(
    relations: dict[int, Relations], columns: Columns, segment: np.ndarray
) -> np.ndarray:
    """Rows in which columns do not follow from others as they do in their segment; [n] bool."""
    found = np.zeros(columns.n, bool)
    if not relations:
        return found
    p = columns.order.size
    which = np.array(sorted(relations))
    place = np.minimum(np.searchsorted(which, segment), which.size - 1)
    rows = np.flatnonzero(which[place] == segment)
    directions = [relations[g].directions(p)[:, columns.order] for g in which.tolist()]
    step = max(1, _CHUNK_NUMBERS // p)
    # One relation of each segment at a time.
    for nth in range(max(map(len, directions))):
        own = np.array([all_[nth] if nth < len(all_) else np.zeros(p) for all_ in directions])
        for first in range(0, rows.size, step):
            some = rows[first : first + step]
            design, times = columns.design.take_rows(some), own[place[some]]
            sizes = design.absolute().times_rows(np.abs(times))
            found[some] |= broken(design.times_rows(times), sizes)
    return found
