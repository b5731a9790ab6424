"""Owns what the rows of a fit say of the power of a Tweedie variance, in numbers and words."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from jaxglm._jax import computing
from jaxglm._status import DataError
from jaxglm.algebra import movement
from jaxglm.families import Family, Tweedie
from jaxglm.inference._shown import as_html, as_text
from jaxglm.inference._wald import check_alpha
from jaxglm.inference.comparisons._submodels import check_optimum, record
from jaxglm.inference.covariances._dispersion import with_dispersion_of
from jaxglm.inference.shapes._power_search import (
    HIGH,
    LOW,
    Point,
    PowerLikelihood,
    interval_of,
    maximum,
)
from jaxglm.intake import Dataset, Model
from jaxglm.rows import Problem, merge_rows
from jaxglm.search import Fit
from jaxglm.words import measure, understands_habits

_GRID = (1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8)
_PLACES = 4
_WHAT = "power_profile()"
_ESTIMATED = "The Tweedie power"


@dataclasses.dataclass(frozen=True, repr=False)
class PowerProfile:
    """The power of a Tweedie variance by profile likelihood, made by `Results.power_profile`.

    Attributes
    ----------
    power : float
        The estimate; nan where the likelihood has no maximum between 1 and 2, as `notes` explain.
    dispersion, llf : float
        The dispersion of maximum likelihood there, and the log-likelihood at it.
    table : DataFrame
        A row for each power that was asked for and the estimate: `power`, `dispersion` (of maximum
        likelihood), `deviance` and `llf`, the log-likelihood at that dispersion.
    alpha : float
        One minus the level of the interval.
    notes : tuple of str
        What has to be said of it, in sentences.
    """

    power: float
    dispersion: float
    llf: float
    table: pd.DataFrame
    alpha: float
    notes: tuple[str, ...]
    _ends: tuple[float, float]
    _fit: Any = None
    # For intervals of other levels; not pickled, since it holds rows.
    _likelihood: PowerLikelihood | None = None

    @property
    def fit(self) -> Any:
        """The `Results` of the model with the power at its estimate.

        Raises
        ------
        DataError
            Where there is none.
        """
        if self._fit is None:
            raise DataError(f"There is no fit at the best power. {self.notes[0]}")
        return self._fit

    @understands_habits
    def conf_int(self, alpha: float | None = None) -> pd.DataFrame:
        """The powers whose likelihood is not significantly lower, in columns 0 and 1.

        An end of 1 or 2 is one that the data do not exclude.

        Parameters
        ----------
        alpha : float, optional
            One minus the level; that of the call of `power_profile` when left out. Another one
            takes some more fits.

        Raises
        ------
        ValueError
            When `alpha` is outside (0, 1).
        DataError
            For another level where the profile was pickled, which leaves the rows behind, or a
            power has no optimum.
        """
        ends = self._ends
        if alpha is not None and alpha != self.alpha:
            check_alpha(alpha)
            ends = self._interval(alpha)
        return pd.DataFrame([ends], index=["power"])

    @understands_habits
    def tidy(self, alpha: float | None = None) -> pd.DataFrame:
        """One row: `term, estimate, conf_low, conf_high`.

        Raises
        ------
        ValueError, DataError
            As `conf_int`.
        """
        low, high = self.conf_int(alpha).to_numpy()[0]
        row = {"term": "power", "estimate": self.power, "conf_low": low, "conf_high": high}
        return pd.DataFrame([row])

    def _interval(self, alpha: float) -> tuple[float, float]:
        if np.isnan(self.power):
            return np.nan, np.nan
        if self._likelihood is None:
            raise DataError(
                "This profile has left the rows of the fit behind (it was pickled or copied), and "
                f"knows its interval of alpha={self.alpha:g} only: ask again, "
                f"power_profile(alpha={alpha:g})."
            )
        return interval_of(self._likelihood, self._likelihood.at(self.power), alpha)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_likelihood": None}

    @property
    def _title(self) -> str:
        if np.isnan(self.power):
            return "Tweedie power by profile likelihood: no maximum between 1 and 2"
        low, high = (f"{end:.{_PLACES}f}" for end in self._ends)
        return (
            f"Tweedie power by profile likelihood: {self.power:.{_PLACES}f}, "
            f"{100 * (1 - self.alpha):g} % interval {low} to {high}"
        )

    @property
    def _written(self) -> pd.DataFrame:
        powers = [f"{power:.{_PLACES}f}" for power in self.table["power"]]
        written = self.table.drop(columns="power").map(measure)
        return written.set_axis(powers).rename_axis(columns="power")

    def __str__(self) -> str:
        return as_text(self._title, self._written, self.notes)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(self._title, self._written, self.notes)


@dataclasses.dataclass(frozen=True)
class FittedPower:
    """A profile with the record of the model at its maximum, None where there is none."""

    profile: PowerProfile
    fit: Fit | None
    family: Tweedie


def power_profile(
    fit: Fit, model: Model, powers: Iterable[float] | None, alpha: float
) -> FittedPower:
    """Estimate the power of a Tweedie variance; see `Results.power_profile`."""
    check_alpha(alpha)
    grid = _grid(powers)
    family = _checked(fit, model)
    held = model.held(_WHAT)
    with computing():
        problem = _problem(fit, held)
    likelihood = PowerLikelihood(problem, family, model.names, fit.coef)
    likelihood.points(grid)
    top = maximum(likelihood)
    best = likelihood.best if top is None else top
    ends = (np.nan, np.nan) if top is None else interval_of(likelihood, top, alpha)
    profile = PowerProfile(
        power=np.nan if top is None else top.power,
        dispersion=np.nan if top is None else top.dispersion,
        llf=np.nan if top is None else top.llf,
        table=pd.DataFrame(likelihood.points({*grid, best.power})),
        alpha=alpha,
        notes=tuple(_notes(held, best, ends)),
        _ends=ends,
        _likelihood=likelihood,
    )
    if top is None:
        return FittedPower(profile, None, family)
    family = dataclasses.replace(family, power=top.power)
    return FittedPower(profile, _refitted(fit, model, family, held, profile), family)


def _grid(powers: Iterable[float] | None) -> tuple[float, ...]:
    if powers is None:
        return _GRID
    try:
        grid = np.atleast_1d(np.asarray(powers, float))
    except (TypeError, ValueError):
        grid = np.zeros(0)
    if grid.ndim != 1 or not grid.size or not ((grid > LOW) & (grid < HIGH)).all():
        raise ValueError(
            f"powers must be numbers between 1 and 2, both excluded, not {powers!r}: there the "
            "Tweedie distributions have zeros and positive amounts"
        )
    return tuple(map(float, grid))


def _checked(fit: Fit, model: Model) -> Tweedie:
    """The family, where its power can be told.

    Raises
    ------
    DataError
    """
    family: Family = model.family
    if not isinstance(family, Tweedie):
        raise DataError(
            f"{_WHAT} is for Tweedie models, and the family is {family.name}: fit with "
            "family='tweedie' and ask again."
        )
    check_optimum(fit, model, _WHAT)
    rows = model.held(_WHAT).rows
    y = rows.y[rows.live]
    if (y < 0).any() or not (y > 0).any():
        what = "some are negative" if (y < 0).any() else "all are 0"
        raise DataError(
            "A Tweedie distribution with a power between 1 and 2 has responses that are 0 or "
            f"positive, and among these {what}."
        )
    if np.isnan(fit.covariance.expected.scale) or not fit.df_resid > 0:
        raise DataError(
            "The fit leaves nothing of the response over (no residual degrees of freedom, or a "
            "perfect fit): how it varies about its mean, and so the power, cannot be told."
        )
    return family


def _problem(fit: Fit, held: Dataset) -> Problem:
    """The rows that have a part in it.

    Those whose mean runs to 0 (separation) are 0 with probability 1 whatever the power is.
    """
    problem = _whole(held)
    keep = held.rows.live
    if fit.infinite.any():
        keep = keep & (movement(held.columns.matvec(fit.covariance.recession)) == 0)
    if not keep.all():
        problem = problem.take_rows(np.flatnonzero(keep))
    return merge_rows(problem, "auto")


def _refitted(fit: Fit, model: Model, family: Tweedie, held: Dataset, profile: PowerProfile) -> Fit:
    """The record of the model at the estimated power, which counts as one more parameter."""
    with computing():
        problem = merge_rows(_whole(held), "auto")
    made, _, _ = record(problem, family, model.names, fit.coef)
    made = with_dispersion_of(made, fit, family, held)
    low, high = profile._ends
    notes = [note for note in fit.notes if not note.startswith(_ESTIMATED)]
    notes.append(
        f"{_ESTIMATED} {profile.power:.{_PLACES}f} is an estimate by profile likelihood "
        f"({100 * (1 - profile.alpha):g} % interval {low:.{_PLACES}f} to {high:.{_PLACES}f}); "
        "standard errors take it as known."
    )
    params = made.likelihood_params + 1
    return dataclasses.replace(made, likelihood_params=params, notes=tuple(notes))


def _whole(held: Dataset) -> Problem:
    return Problem.of_block(held.block, held.order, np.dtype(np.float64))


def _notes(held: Dataset, best: Point, ends: tuple[float, float]) -> list[str]:
    y = held.rows.y[held.rows.live]
    notes = []
    if np.isnan(ends[0]):
        notes.append(
            "The likelihood has no maximum between 1 and 2, as far as can be told: of the powers "
            f"that were tried {best.power:.{_PLACES}f} has the largest. {_beyond(y, best)}"
        )
    elif LOW in ends or HIGH in ends:
        at = " and ".join(f"{end:g}" for end in ends if end in (LOW, HIGH))
        notes.append(f"The interval goes on to power {at}: the data do not exclude it.")
    if not np.isnan(ends[0]) and (y == np.floor(y)).all():
        notes.append(
            "All responses are whole numbers, and were taken for amounts that happen to be so. If "
            "they are counts, family='quasipoisson' or 'negative_binomial' is made for them."
        )
    return notes


def _beyond(y: np.ndarray, best: Point) -> str:
    if best.power > 1.5:
        zeros = "None of the responses is 0. " if (y > 0).all() else ""
        return (
            f"{zeros}A gamma model (power 2) or an inverse Gaussian one (power 3) of the positive "
            "responses is the next to look at."
        )
    whole = "All responses are whole numbers. " if (y == np.floor(y)).all() else ""
    return (
        f"{whole}Towards power 1 the distribution is on the multiples of one number, as counts "
        "are, and responses that are such multiples have a likelihood without bound: "
        "family='quasipoisson' or 'negative_binomial' is made for counts."
    )
