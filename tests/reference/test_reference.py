"""At default settings, fits of real data agree with R and with 60-digit arithmetic."""

import pytest

from .cases import CASES, load
from .compare import bar, score
from .engine import fitted
from .exceptions import EXCEPTIONS

DOORS = ("design", "formula")
# mtcars_gaussian_aliased has columns to drop; no other warning may come.
EXPECTED_WARNINGS = pytest.mark.filterwarnings("ignore::jaxglm.RankWarning")


@EXPECTED_WARNINGS
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", CASES)
def test_fit_agrees(name: str, door: str) -> None:
    case = load(name)
    results = fitted(name, door)
    assert results.converged
    short = {
        quantity: round(digits, 1)
        for quantity, digits in score(case, results, door).items()
        if digits < EXCEPTIONS.get((name, quantity), (bar(quantity),))[0]
    }
    assert not short, f"digits reached: {short}"


@EXPECTED_WARNINGS
@pytest.mark.parametrize("name", CASES)
def test_formula_gives_the_columns_of_r(name: str) -> None:
    results = fitted(name, "formula")
    assert len(results.names) == len(load(name).R["names"])
    assert list(results.fit.aliased) == list(load(name).aliased)


@EXPECTED_WARNINGS
def test_exceptions_are_needed() -> None:
    """An exception whose quantity meets the bar in both doors is out of date."""
    stale = []
    for name, quantity in EXCEPTIONS:
        reached = [score(load(name), fitted(name, door), door)[quantity] for door in DOORS]
        if min(reached) >= bar(quantity):
            stale.append((name, quantity))
    assert not stale
