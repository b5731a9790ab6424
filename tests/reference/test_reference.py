"""At default settings, fits of real data agree with R and with 60-digit arithmetic."""

import dataclasses

import numpy as np
import pytest

from jaxglm._tuning import tuned
from jaxglm.sources import Rows
from tests.marks import slow_among

from .cases import CASES, load
from .compare import bar, score
from .engine import design_of_formula, fit_formula, fitted, rows_of_both_doors
from .exceptions import EXCEPTIONS

# mtcars_gaussian_aliased has columns to drop; no other warning may come.
pytestmark = pytest.mark.filterwarnings("ignore::jaxglm.RankWarning")


def short(name: str, results, door: str) -> dict[str, float]:
    """Quantities that miss their bar, with the digits they reach."""
    return {
        quantity: round(digits, 1)
        for quantity, digits in score(load(name), results, door).items()
        if digits < EXCEPTIONS.get((name, quantity), (bar(quantity),))[0]
    }


# What takes longest to compile, and further cases of a family, link and kind of weights.
SLOW = (
    "airpassengers_quasipoisson_poly",
    "barley_wedderburn",
    "beetles_binomial_cauchit",
    "birthwt_binomial_probit",
    "quine_nb_fixed_theta2",
    "mtcars_gamma_log",
    "ucb_binomial_proportion_weights",
    "insurance_poisson_rate_weights",
    "puromycin_gaussian_inverse",
    "anorexia_gaussian_offset",
    "barley_quasibinomial_logit",
    "beetles_binomial_probit",
    "birthwt_binomial_logit",
    "boston_gamma_log_poly",
    "budworm_binomial_logit",
    "doctorvisits_nb_ml",
    "doctorvisits_poisson_log",
    "dobson_rct_poisson_log",
    "esoph_binomial_logit",
    "esoph_binomial_logit_interaction",
    "infert_binomial_logit",
    "pima_binomial_cauchit",
    "pima_binomial_cloglog",
    "psid_tweedie_p16_log",
    "quine_nb_fixed_sqrt",
    "quine_nb_ml",
    "ships_poisson_offset",
    "ucb_binomial_logit",
    "warpbreaks_quasipoisson_log",
    "quine_tweedie_p15_log",
    "mtcars_gaussian_aliased",
    "insurance_poisson_offset",
    "beetles_binomial_loglog",
    "birthwt_binomial_log",
    "faithful_invgauss_identity",
    "petersen_gaussian_cluster",
    "discoveries_poisson_ns",
)


@pytest.mark.parametrize("name", slow_among(CASES, SLOW))
def test_fit_agrees(name: str) -> None:
    results = fitted(name, "formula")
    assert results.converged
    assert list(results.fit.aliased) == list(load(name).aliased)
    assert not (digits := short(name, results, "formula")), f"digits reached: {digits}"


@pytest.mark.parametrize("name", CASES)
def test_the_formula_makes_the_columns_of_r(name: str) -> None:
    """The design door would fit the same numbers, so its fit is that of the formula."""
    own, R = design_of_formula(load(name)), load(name).X
    size = np.abs(R).max(axis=0)
    np.testing.assert_allclose(own / size, R / size, rtol=0, atol=1e-12)
    formula, arrays = rows_of_both_doors(load(name))
    np.testing.assert_array_equal(formula.live, arrays.live)
    for field in dataclasses.fields(Rows):
        one, other = getattr(formula, field.name), getattr(arrays, field.name)
        assert (one is None) == (other is None), field.name
        if one is not None:  # a share of no trials may be any
            live = formula.live
            np.testing.assert_allclose(one[live], other[live], rtol=1e-14, err_msg=field.name)


@pytest.mark.parametrize("name", slow_among(CASES[::6], CASES[6::6]))
def test_the_design_door_agrees(name: str) -> None:
    results = fitted(name, "design")
    assert results.converged
    assert not (digits := short(name, results, "design")), f"digits reached: {digits}"


SOME_AND_ALL = [
    pytest.param(name, marks=pytest.mark.compiled if i % 29 == 0 else pytest.mark.slow)
    for i, name in enumerate(CASES)
]


@pytest.mark.parametrize("name", SOME_AND_ALL)
def test_the_compiled_loop_agrees(name: str) -> None:
    with tuned(driver="compiled"):
        results = fit_formula(load(name))
    assert not (digits := short(name, results, "formula")), f"digits reached: {digits}"


def test_exceptions_are_needed() -> None:
    """An exception whose quantity meets the bar is out of date."""
    for name, quantity in EXCEPTIONS:
        assert score(load(name), fitted(name, "formula"), "formula")[quantity] < bar(quantity)
