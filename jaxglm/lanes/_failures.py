"""Owns what is said of segments without an ordinary optimum: which, of what kind, in words."""

from collections.abc import Iterator, Sequence

import numpy as np

from jaxglm._status import Status
from jaxglm.lanes._fits import Fits
from jaxglm.search import _notes

# The kinds, the gravest last; each is what a count of segments is said to be.
KINDS = (
    "ordinary",
    "bias reduced",
    "essentially perfect",
    "rank deficient",
    "at a boundary",
    "separated",
    "not converged",
    "not fitted",
)
_ORDINARY, _REDUCED, _PERFECT, _DEFICIENT, *_OTHERS = range(len(KINDS))
_BOUNDARY, _SEPARATED, _STOPPED, _REFUSED = _OTHERS
_KIND_OF_STATUS = {
    Status.CONVERGED: _ORDINARY,
    Status.BOUNDARY: _BOUNDARY,
    Status.SEPARATED: _SEPARATED,
    Status.INVALID: _REFUSED,
}


def kinds(fits: Fits) -> np.ndarray:
    """The kind of each segment, as a position in `KINDS`; [G]."""
    table = np.array([_KIND_OF_STATUS.get(status, _STOPPED) for status in Status], np.int8)
    of_status = table[fits.scalars["status"]]
    deficient = np.where(fits.collinear().any(axis=1), _DEFICIENT, _ORDINARY)
    # Nothing is left for a dispersion; where there are no degrees of freedom none is looked for.
    left = (fits.scalars["df_resid"] > 0) & fits.usable
    nothing = np.isnan(fits.covariance.expected.scale) & left
    perfect = np.where(nothing, _PERFECT, _ORDINARY)
    alpha = fits.scalars["alpha"]
    edge = np.where(fits.shaped & (alpha == 0.0), _BOUNDARY, _ORDINARY)
    reduced = np.where(fits.reduced, _REDUCED, _ORDINARY)
    return np.maximum.reduce([of_status, reduced, perfect, deficient, edge]).astype(np.int8)


def failed(fits: Fits) -> np.ndarray:
    """The segments without an ordinary optimum, [k] int; one that was asked for is none of them."""
    return np.flatnonzero(kinds(fits) > _REDUCED)


def notes(fits: Fits, names: Sequence[str], g: int) -> Iterator[str]:
    """What went wrong with a segment, in the sentences of a single fit."""
    status = Status(fits.scalars["status"][g])
    if status is Status.INVALID:
        yield from fits.words[g].notes
        return
    of = np.asarray(names, dtype=object)
    decrement, turns, alpha = (fits.scalars[k][g].item() for k in ("decrement", "turns", "alpha"))
    found = [
        *_notes.reduction(status, fits.words.get(g, fits.usual).method, separated=True),
        *_notes.ending(status, of[fits.infinite[g]], of[fits.covariance.open[g]], decrement, turns),
        *_notes.rank(of[fits.collinear(g)]),
        *_notes.shape(alpha if fits.shaped[g] else None),
        *_notes.dispersion(
            status,
            estimated=fits.covariance.expected.df is not None,
            nobs=fits.scalars["nobs"][g].item(),
            df_resid=fits.scalars["df_resid"][g].item(),
            scale=fits.covariance.expected.scale[g].item(),
        ),
    ]
    yield from (note.text for note in found)


def lacking(fits: Fits, names: Sequence[str], g: int, unit: str) -> Iterator[str]:
    """Which columns were left out because of levels that a segment, or another unit, lacks."""
    of = np.asarray(names, dtype=object)
    absent = of[fits.aliased[g] & fits.absent[g] & ~fits.collinear(g)]
    if absent.size:
        are = "is" if absent.size == 1 else "are"
        yield (
            f"{_notes.named(absent)} {are} zero in all rows of this {unit} (aliased): "
            "nothing is known of the coefficient, which is nan."
        )
    baseless = of[fits.baseless[g]]
    if baseless.size:
        are = "is" if baseless.size == 1 else "are"
        yield (
            f"{_notes.named(baseless)} {are} compared with a level that has no row in this "
            f"{unit} (aliased): the coefficient is nan, and the other coefficients take its part."
        )


def counts(fits: Fits) -> dict[str, int]:
    """How many segments there are of each kind."""
    numbers = np.bincount(kinds(fits), minlength=len(KINDS))
    return dict(zip(KINDS, numbers.tolist(), strict=True))


def headline(fits: Fits, unit: str) -> str | None:
    """One sentence for those without an ordinary optimum; None where there are none."""
    of = counts(fits)
    wrong = failed(fits).size
    if not wrong:
        return None
    parts = [f"{of[kind]:,} {kind}" for kind in KINDS[_REDUCED + 1 :] if of[kind]]
    have = "has" if wrong == 1 else "have"
    return (
        f"{wrong:,} of {fits.count:,} {unit}s {have} no ordinary optimum: {', '.join(parts)}; "
        "see .failed"
    )
