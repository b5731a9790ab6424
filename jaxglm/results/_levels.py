"""Owns what a segment lacks: columns without an entry, levels that others are compared with.

A segment without the reference level of a factor has rows of the other levels only: their columns
add up to the intercept, one of them is aliased, and the reference has no prediction there.
"""

import numpy as np

from jaxglm.intake import Columns, Model
from jaxglm.lanes import Fits
from jaxglm.rows import Segments


def mark_levels(fits: Fits, model: Model) -> None:
    """Write into the record in which columns a factor has a part; in none of a matrix."""
    fits.of_levels[:] = False
    if model.spec is None:
        return
    kinds = [component.kind for component in model.spec.components]
    for term, (_, part) in zip(model.spec.terms, model.terms, strict=True):
        fits.of_levels[part] = any(kinds[component] != "numeric" for component in term.components)


def mark_baseless(fits: Fits, model: Model, segments: Segments) -> None:
    """Write into the record which aliased columns owe it to a reference level that is not there."""
    indicators, columns_of = _factors(model)
    which = np.flatnonzero((fits.aliased & ~fits.absent).any(axis=1))
    if not indicators.shape[1] or not which.size:
        return
    segment = segments.of_rows
    of_interest = np.zeros(segments.count + 1, bool)  # the last one stands for -1
    of_interest[which] = True
    rows = np.flatnonzero(segments.problem.rows.live & of_interest[segment])
    columns = Columns(segments.problem.design, segments.problem.order, segment.size).rows(rows)
    at_base = columns.matvec(indicators) == 0
    based = np.zeros((segments.count, indicators.shape[1]), bool)
    row, factor = np.nonzero(at_base)
    based[segment[rows[row]], factor] = True
    excused = ~based[which] @ columns_of
    fits.baseless[which] = fits.aliased[which] & ~fits.absent[which] & excused


def _factors(model: Model) -> tuple[np.ndarray, np.ndarray]:
    """The F factors with a reference level: their own columns, and all that they have a part in.

    Returns
    -------
    indicators : [p, F]
        One where a column stands for a level: a row at the reference level has product 0.
    columns_of : [F, p] bool
        Columns of all terms with that factor.
    """
    p = len(model.names)
    indicators, columns_of = np.zeros((p, 0)), np.zeros((0, p), bool)
    if model.spec is None:
        return indicators, columns_of
    spans = np.zeros((len(model.terms), p), bool)
    for span, (_, part) in zip(spans, model.terms, strict=True):
        span[part] = True
    for term, own in zip(model.spec.terms, spans, strict=True):
        if len(term.components) != 1 or not term.reduced[0]:
            continue
        (factor,) = term.components
        if model.spec.components[factor].contrast.kind != "treatment":
            continue
        taking = [factor in other.components for other in model.spec.terms]
        indicators = np.column_stack([indicators, own])
        columns_of = np.vstack([columns_of, spans[taking].any(axis=0)])
    return indicators, columns_of
