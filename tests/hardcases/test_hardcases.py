"""What jaxglm makes of inputs that break, or quietly mislead, GLM software."""

import pytest

from jaxglm._tuning import tuned
from tests.marks import slow_among

from . import ids
from .engine import fit
from .exceptions import EXCEPTIONS
from .judge import judge

# Of the cases that jaxglm offers anything for.
SHARE_HANDLED = 0.95


def assert_verdict(identifier: str) -> None:
    expected, _ = EXCEPTIONS.get(identifier, ("handled", ""))
    found = judge(fit, identifier)
    assert found.verdict == expected, found.note


# Quick ones of the same kind are there.
SLOW = (
    "batch_unequal_sizes",
    "tweedie_p_1999",
    "conv_marschner_null",
    "rank_near_1e-15",
    "nist_wampler4",
    "batch_one_bad_segment",
    "tweedie_p_1001",
    "conv_probit_wide",
    "rank_second_constant",
    "conv_cloglog_saturated",
    "sep_poisson_combination",
    "nb_theta_1e10",
    "table_duplicate_index",
    "conv_gamma_inverse_1",
    "conv_crabs_identity",
    "inv_offset_shift",
    "conv_gamma_identity_variance",
    "conv_invgauss_canonical",
    "batch_scale_mix",
    "conv_cauchit",
    "conv_heart_logbinomial",
    "dtype_float32_large_mean",
    "nb_huge_dispersion",
    "nb_ml_small_table",
    "nb_underdispersed",
    "nist_filip",
    "nist_wampler1",
    "rank_duplicate_column",
    "rank_more_columns_than_rows",
    "sep_combination",
    "sep_factor_level",
    "sep_grouped_cells",
    "sep_poisson_zero_group",
    "sep_probit",
    "sep_tweedie_zero_group",
    "y_mean_1e12",
)


@pytest.mark.parametrize("identifier", slow_among(ids(), SLOW))
def test_verdict(identifier: str) -> None:
    assert_verdict(identifier)


SOME_AND_ALL = [
    pytest.param(name, marks=pytest.mark.compiled if i % 27 == 0 else pytest.mark.slow)
    for i, name in enumerate(ids())
]


@pytest.mark.parametrize("identifier", SOME_AND_ALL)
def test_the_compiled_loop_has_the_same_verdict(identifier: str) -> None:
    with tuned(driver="compiled"):
        assert_verdict(identifier)


def test_no_exception_is_a_silent_answer_and_there_are_few() -> None:
    """The verdicts are those of the table, each held by a test of its own."""
    verdicts = [verdict for verdict, _ in EXCEPTIONS.values()]
    assert set(EXCEPTIONS) <= set(ids()) and "silent" not in verdicts
    offered = len(ids()) - verdicts.count("n/a")
    missed = len(verdicts) - verdicts.count("n/a")
    assert missed <= (1 - SHARE_HANDLED) * offered
