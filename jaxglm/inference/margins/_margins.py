"""Owns marginal effects: which rows, values and groups they are averaged over, and their errors."""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from jaxglm.algebra import Spread
from jaxglm.diagnostics import LINEAR, LOG_MEAN, MEAN, Scale
from jaxglm.inference.hypotheses._combinations import NEGATIVE
from jaxglm.inference.margins._average import Averager, Averages
from jaxglm.inference.margins._changes import AskedEffects, Change, keys_of
from jaxglm.inference.margins._lines import averaged, lines_of
from jaxglm.intake import Model, Population
from jaxglm.search import Fit
from jaxglm.words import FloatArray, listed

# Numbers in the derivatives of all effects by all coefficients: 512 MiB.
_MOST_NUMBERS = 1 << 26


@dataclasses.dataclass(frozen=True)
class Effects:
    """Effects with a root of their covariance.

    Attributes
    ----------
    labels : DataFrame
        Of each effect: `variable`, `change`, ``at NAME`` for each variable that was given values,
        and ``by NAME`` for each that makes groups. The effects of a group stand together.
    values : [k]
    spread : Spread
        Their covariance.
    df : float or None
        Degrees of freedom of tests; None for the normal distribution.
    notes : tuple of str
        Why some are nan, or were left out.
    """

    labels: pd.DataFrame
    values: FloatArray
    spread: Spread
    df: float | None
    notes: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Where:
    """The rows that effects are those of.

    Attributes
    ----------
    place : {"overall", "mean", "median", "zero"}
        All rows, whose effects are averaged, or one line made of them.
    at : dict of list
        Variables that have other values, one after the other.
    by : names or values, or None
        What makes groups of rows.
    """

    place: str
    at: Mapping[str, Sequence[Any]]
    by: Any

    def combinations(self) -> Iterator[dict[str, Any]]:
        """One value of each variable, in all combinations."""
        for values in itertools.product(*self.at.values()):
            yield dict(zip(self.at, values, strict=True))


def marginal_effects(
    fit: Fit,
    model: Model,
    population: Population,
    asked: AskedEffects,
    variables: Sequence[str] | None,
    where: Where,
    which: str,
) -> Effects:
    """Effects of variables; see `Results.margins`.

    Raises
    ------
    DataError, ValueError
        As there.
    """
    changes, left_out = asked.changes(population, variables)
    if not changes:
        raise ValueError("the model has no variable whose effect can be told")
    groups = list(_groups(population, where.by))
    combinations = list(where.combinations())
    count = len(changes) * len(groups) * len(combinations)
    if count * len(model.names) > _MOST_NUMBERS:
        raise ValueError(
            f"these are {count:,} effects, each with a derivative by {len(model.names):,} "
            "coefficients, more than fit in memory; name some with variables="
        )
    scale = _scale(which, asked.method)
    found: list[Averages] = []
    labels: list[pd.DataFrame] = []
    for key, rows in groups:
        for at in combinations:
            found.append(_averages(fit, model, population, rows, changes, where.place, at, scale))
            labels.append(_labels(changes, at, key))
    averages = Averages(*map(np.concatenate, zip(*found, strict=True)))
    table = pd.concat(labels, ignore_index=True)
    spread = _spread(fit, averages)
    notes = _notes(table["variable"].to_numpy(), averages, spread.negative, left_out)
    if population.gaps:
        miss = "misses" if population.gaps == 1 else "miss"
        notes += (
            f"{population.gaps:,} of {population.n_given:,} rows of data {miss} a value, and do "
            "not count.",
        )
    return Effects(table, averages.values, spread, fit.covariance.df, notes)


def _spread(fit: Fit, averages: Averages) -> Spread:
    """The covariance of effects, nan in the rows of those that have no error."""
    jacobian = averages.jacobian
    finite = np.isfinite(jacobian).all(axis=1) & np.isfinite(averages.values)
    spread = fit.covariance.spread(np.where(finite[:, None], jacobian, 0.0))
    # What rests on means at their limits alone has none either, although nothing moves it.
    still = (averages.limit_share > 0) & (jacobian == 0).all(axis=1)
    spread.root[~finite | averages.unknown | averages.separated | still] = np.nan
    return spread


def _scale(which: str, method: str) -> Scale:
    if which == "linear":
        return LINEAR
    return LOG_MEAN if method.startswith("ey") else MEAN


def _groups(population: Population, by: Any) -> Iterator[tuple[dict[str, Any], np.ndarray]]:
    """Groups of rows, with the values that make each."""
    if by is None:
        yield {}, np.arange(population.count.size)
        return
    codes, keys = population.groups(by)
    names = [f"by {name}" for name in keys.names]
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(keys)))
    for code, rows in enumerate(np.split(order, ends[:-1])):
        if rows.size:
            values = keys[code] if keys.nlevels > 1 else (keys[code],)
            yield dict(zip(names, values, strict=True)), rows


def _averages(
    fit: Fit,
    model: Model,
    population: Population,
    rows: np.ndarray,
    changes: Sequence[Change],
    place: str,
    at: Mapping[str, Any],
    scale: Scale,
) -> Averages:
    """The average effects of some rows, or those of a line made of them."""
    settings = {**_line_of(place, population, rows), **at}
    lines = (lines_of(population, chunk, settings) for chunk in population.chunks(rows))
    averager = Averager(fit, model.family, scale, changes)
    for some in lines if place == "overall" else [averaged(lines, keys_of(changes))]:
        averager.add(some)
    return averager.averages()


def _line_of(place: str, population: Population, rows: np.ndarray) -> dict[str, Any]:
    """The values of variables in the line that stands for some rows.

    At the mean factors are as they are: their columns are averaged with all others.
    """
    settings: dict[str, Any] = {}
    if place == "overall":
        return settings
    count = population.count[rows]
    for name in population.rows.names:
        levels = population.rows.levels(name)
        if levels is None:
            x = population.numbers(name)[rows]
            settings[name] = {"mean": _mean, "median": _median, "zero": _zero}[place](x, count)
        elif place == "median":
            settings[name] = _most_frequent(population.native(name)[rows], count)
        elif place == "zero":
            settings[name] = levels.reference
    return settings


def _mean(x: FloatArray, count: FloatArray) -> float:
    return float(np.average(x, weights=count))


def _median(x: FloatArray, count: FloatArray) -> float:
    """The median of the values, each repeated `count` times."""
    order = np.argsort(x)
    below = np.cumsum(count[order])
    half = below[-1] / 2
    places = [np.searchsorted(below, half, side) for side in ("left", "right")]
    return float(x[order[np.minimum(places, x.size - 1)]].mean())


def _zero(x: FloatArray, count: FloatArray) -> float:
    return 0.0


def _most_frequent(labels: Any, count: FloatArray) -> Any:
    codes, values = pd.factorize(labels)
    return values[int(np.argmax(np.bincount(codes, weights=count)))]


def _labels(
    changes: Sequence[Change], at: Mapping[str, Any], key: Mapping[str, Any]
) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "variable": [change.name for change in changes],
            "change": [change.label for change in changes],
        }
    )
    return table.assign(**{f"at {name}": value for name, value in at.items()}, **key)


def _notes(
    names: np.ndarray, averages: Averages, negative: np.ndarray, left_out: Sequence[str]
) -> tuple[str, ...]:
    values, _, unknown, separated, limit_share = averages

    def those(which: np.ndarray) -> str:
        return listed(dict.fromkeys(repr(str(name)) for name in names[which]), 5)

    notes = []
    if left_out:
        notes.append(
            f"{listed(map(repr, left_out), 5)}: enters by comparisons only, and has no slope."
        )
    if unknown.any():
        notes.append(
            f"{those(unknown)}: the rows of the fit do not determine the effect, which moves "
            "columns apart that follow from each other in all of them (aliased)."
        )
    if separated.any():
        notes.append(
            f"{those(separated)}: takes part in separation, where coefficients run to infinity. A "
            "difference of means is the one at the limit and has no standard error; a slope is nan."
        )
    if limit_share.any():
        notes.append(
            f"Up to {100 * limit_share.max():.3g} % of the observations have means at their limits "
            "(separation): there slopes are 0, and nothing is added to standard errors."
        )
    if negative.any():
        notes.append(f"{those(negative)}: no standard error, because {NEGATIVE}.")
    other = ~np.isfinite(values) & ~unknown & ~separated
    if other.any():
        notes.append(
            f"{those(other)}: some row has no such effect (its mean is zero, infinite or unknown)."
        )
    return tuple(notes)
