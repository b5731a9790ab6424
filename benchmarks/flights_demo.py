"""The main job on real data: which flights out of New York arrived late in 2013?

    python -m benchmarks.flights_demo          (or: make demo)

Reads 327,346 flights, fits one logistic regression with 135 coefficients, prints its summary and
odds ratios and where the time went. Then fits the same model to 20,000 of the flights with
jaxglm and with statsmodels, and fails (exit code 1) if any coefficient differs by more than a
thousandth of its standard error.

It lives here and not in the package because it needs a peer to compare with.
"""

import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import TypeVar

import numpy as np
import pandas as pd

import jaxglm as jg
from jaxglm.datasets import load_flights

FORMULA = "late ~ carrier + origin + dest + C(month) + hour + distance"
CHECK_ROWS = 20_000
CHECK_TOLERANCE = 1e-3
"""Largest difference between the two engines that passes, in standard errors."""
CHECK_LEVEL_ROWS = 20
"""A carrier or destination enters the check with at least this many flights in the subsample."""

READING = """\
How to read it. Lexington (LEX) received one flight, on time: no finite coefficient is low enough,
and the fit reports that instead of a large number. Distance is almost a function of origin and
destination (what they leave of it has a standard deviation of four miles), so the data can hardly
tell the three apart: destinations have wide intervals, while carriers, months and hours do not.
The base levels are carrier 9E, origin EWR, destination ABQ and January."""

T = TypeVar("T")


def timed(action: Callable[[], T]) -> tuple[T, float]:
    """What `action` returns and the seconds it took."""
    start = time.perf_counter()
    value = action()
    return value, time.perf_counter() - start


def main() -> int:
    flights, reading = timed(load_flights)
    print(
        f"{flights.attrs['rows_read']:,} flights read; {flights.attrs['rows_dropped']:,} were "
        f"cancelled or diverted and have no arrival delay; {len(flights):,} are fitted, "
        f"{flights['late'].mean():.1%} of them late."
    )
    print(FORMULA)
    print()

    def fit() -> jg.Results:
        # One destination has a single flight; the summary says what that does to its coefficient.
        return jg.glm(FORMULA, flights, family="binomial", on_failure="ignore")

    result, first = timed(fit)
    result, second = timed(fit)
    print(result.summary())
    print()
    print(READING)
    print()
    print("Odds ratios")
    print(result.odds_ratios().to_string(float_format="{:.4f}".format))
    print()
    print("Seconds")
    print(f"  read the table                      {reading:7.2f}")
    print(f"  first fit: encode, compile, solve   {first:7.2f}")
    print(f"  second fit: encode, solve           {second:7.2f}")
    print()
    return check_against_statsmodels(flights)


def check_against_statsmodels(flights: pd.DataFrame) -> int:
    """0 if both engines give the same coefficients on a subsample, 1 if they do not."""
    sample = flights.iloc[np.random.default_rng(0).permutation(len(flights))[:CHECK_ROWS]]
    kept = common_levels(sample)
    print(
        f"Check on {len(sample):,} flights drawn at random. {len(sample) - len(kept):,} are left\n"
        f"out: their carrier or destination has fewer than {CHECK_LEVEL_ROWS} flights in the\n"
        "draw, or none late, or all late, where no finite coefficient may exist to be compared.\n"
        f"{len(kept):,} remain."
    )
    ours, first = timed(lambda: jg.glm(FORMULA, kept, family="binomial"))
    ours, second = timed(lambda: jg.glm(FORMULA, kept, family="binomial"))
    theirs, their_seconds = timed(lambda: statsmodels_fit(kept))
    if list(ours.params.index) != list(theirs.params.index):
        print("FAILED: the two engines name different columns")
        return 1
    difference = ((ours.params - theirs.params) / theirs.bse).abs()
    error = (ours.bse / theirs.bse - 1.0).abs()
    print(f"  jaxglm, first fit (compiles)        {first:7.2f} s")
    print(f"  jaxglm, second fit                  {second:7.2f} s")
    print(f"  statsmodels {version('statsmodels'):<8}                {their_seconds:7.2f} s")
    print(
        f"  largest difference of {len(difference)} coefficients: {difference.max():.1e} standard "
        f"errors ({difference.idxmax()})"
    )
    print(f"  largest difference of their standard errors: {error.max():.1e} ({error.idxmax()})")
    # Written so that a nan fails.
    if difference.max() <= CHECK_TOLERANCE and error.max() <= CHECK_TOLERANCE:
        print("OK: the same fit.")
        return 0
    print(f"FAILED: a difference above {CHECK_TOLERANCE}")
    return 1


def common_levels(sample: pd.DataFrame) -> pd.DataFrame:
    """The rows whose carrier and destination have enough flights, some late and some not."""
    while True:
        keep = np.ones(len(sample), dtype=bool)
        for name in ("carrier", "dest"):
            late = sample.groupby(name, observed=True)["late"]
            good = (late.size() >= CHECK_LEVEL_ROWS) & late.mean().between(
                0, 1, inclusive="neither"
            )
            keep &= sample[name].isin(good.index[good])
        if keep.all():
            return sample.assign(
                carrier=sample["carrier"].cat.remove_unused_categories(),
                dest=sample["dest"].cat.remove_unused_categories(),
            )
        sample = sample[keep]


def statsmodels_fit(data: pd.DataFrame):
    import statsmodels.api as sm
    import statsmodels.formula.api as smf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Its default stops on the deviance, some digits early; 1e-12 lets it finish.
        return smf.glm(FORMULA, data, family=sm.families.Binomial()).fit(tol=1e-12)


if __name__ == "__main__":
    sys.exit(main())
