"""The main job on real data: which flights out of New York arrived late in 2013?

    python -m benchmarks.flights_demo          (or: make demo)

Fits one logistic regression with 134 coefficients to 327,346 flights, then the same model to 20,000
of them with jaxglm and with statsmodels, and fails (exit code 1) if any coefficient differs by more
than a thousandth of its standard error. A screen of output: what was fitted, the check, what was
found.

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
from jaxglm.words import p_value

FORMULA = "late ~ carrier + origin + dest + C(month) + hour + distance"
CHECK_ROWS = 20_000
CHECK_TOLERANCE = 1e-3
"""Largest difference between the two engines that passes, in standard errors."""
CHECK_LEVEL_ROWS = 20
"""A carrier or destination enters the check with at least this many flights in the subsample."""

SHOWN = 25
"""Odds ratios that are printed: those told most surely from 1."""

T = TypeVar("T")


def timed(action: Callable[[], T]) -> tuple[T, float]:
    """What `action` returns and the seconds it took."""
    start = time.perf_counter()
    value = action()
    return value, time.perf_counter() - start


def main() -> int:
    flights, reading = timed(load_flights)

    def fit() -> jg.Results:
        # One destination has a single flight, which is said below.
        return jg.glm(FORMULA, flights, family="binomial", on_failure="ignore")

    result, first = timed(fit)
    result, second = timed(fit)
    print(
        f"{len(flights):,} flights, {flights['late'].mean():.1%} late "
        f"({flights.attrs['rows_dropped']:,} cancelled or diverted are left out)\n"
        f"{FORMULA}\n"
        f"{len(result.params)} coefficients; seconds: read {reading:.2f}, first fit (compiles) "
        f"{first:.2f}, second fit {second:.2f}\n"
    )
    failed = check_against_statsmodels(flights)
    print_findings(result)
    return failed


def print_findings(result: jg.Results) -> None:
    """The words first, then the odds ratios that are told most surely from 1."""
    ratios = result.odds_ratios()
    running = [name for name in result.names if result.infinite[name]]
    print(
        f"\nNo finite coefficient: {', '.join(running)} (LEX received one flight, on time); all "
        "others are finite.\n"
        "Distance is almost a function of origin and destination, so destinations have wide "
        "intervals.\n"
        f"Odds of being late against carrier 9E, origin EWR, January: {SHOWN} of {len(ratios)} "
        "ratios, the surest not to be 1"
    )
    surest = ratios.nsmallest(SHOWN, "p_value").sort_values("odds ratio")
    surest["p_value"] = [p_value(p) for p in surest["p_value"]]
    print(surest.rename_axis(None).to_string(float_format="{:.3f}".format))
    print("\nAll of them: jg.glm(...).summary(), .odds_ratios(), .tidy().")


def check_against_statsmodels(flights: pd.DataFrame) -> int:
    """0 if both engines give the same coefficients on a subsample, 1 if they do not."""
    sample = flights.iloc[np.random.default_rng(0).permutation(len(flights))[:CHECK_ROWS]]
    kept = common_levels(sample)
    ours, first = timed(lambda: jg.glm(FORMULA, kept, family="binomial"))
    ours, second = timed(lambda: jg.glm(FORMULA, kept, family="binomial"))
    theirs, their_seconds = timed(lambda: statsmodels_fit(kept))
    print(
        f"Check on {len(kept):,} of {len(sample):,} flights drawn at random (levels of fewer than "
        f"{CHECK_LEVEL_ROWS}, or of one outcome, left out)\n"
        f"  seconds: jaxglm {first:.2f}, again {second:.2f}; statsmodels "
        f"{version('statsmodels')} {their_seconds:.2f}"
    )
    if list(ours.params.index) != list(theirs.params.index):
        print("  FAILED: the two engines name different columns")
        return 1
    difference = ((ours.params - theirs.params) / theirs.bse).abs()
    error = (ours.bse / theirs.bse - 1.0).abs()
    # Written so that a nan fails.
    same = difference.max() <= CHECK_TOLERANCE and error.max() <= CHECK_TOLERANCE
    print(
        f"  {'OK: the same fit' if same else 'FAILED'}; {len(difference)} coefficients within "
        f"{difference.max():.1e} standard errors, these within {error.max():.1e}"
    )
    return 0 if same else 1


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
