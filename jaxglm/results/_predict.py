"""Owns linear predictors of rows that have coefficients of their own: those of their segment."""

import numpy as np

from jaxglm.algebra import movement, run_off
from jaxglm.intake import Columns, Model
from jaxglm.lanes import Fits
from jaxglm.results._levels import without_base

# Numbers in a chunk of rows: 32 MiB, several of which are at work.
_CHUNK_NUMBERS = 1 << 22


def linear_predictor(fits: Fits, model: Model, columns: Columns, segment: np.ndarray) -> np.ndarray:
    """x_i' b of row i's segment, without offset; nan where that says nothing about the row.

    A column that other columns determine in the segment has no part, as in a single fit. What the
    segment has no row of is unknown: a column that is zero in all its rows, a reference level.

    Parameters
    ----------
    fits, model : Fits, Model
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
    eta[without_base(fits, model, columns, segment)] = np.nan
    return eta


def at_limit(fits: Fits, columns: Columns, segment: np.ndarray, eta: np.ndarray) -> np.ndarray:
    """Linear predictors of rows, inf or -inf where a separated segment lets them run to it."""
    separated = np.asarray(fits.infinite.any(axis=1))
    rows = np.flatnonzero((segment >= 0) & separated[segment])
    recession = fits.covariance.recession[:, columns.order]
    along = columns.design.take_rows(rows).times_rows(recession[segment[rows]])
    eta[rows] = run_off(eta[rows], movement(along))
    return eta
