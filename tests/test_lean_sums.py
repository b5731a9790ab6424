"""Deviances of large fits are differences of losses; where digits are lost they are made again."""

import warnings
from typing import Any

import numpy as np
import pytest

import jaxglm as jg
from jaxglm._tuning import tuned
from jaxglm.search import Fit, _attempts, _drive
from jaxglm.sums import Deviances, FinalSums, final_sums, with_sure_deviances
from tests.marks import slow_among

pytestmark = pytest.mark.slow

N = 2000
_rng = np.random.default_rng(5)
X = np.column_stack([np.ones(N), *_rng.normal(size=(2, N))])
SIGN = np.column_stack([X[:, 0], np.sign(X[:, 1]), X[:, 2]])
OFFSET = 0.2 * _rng.normal(size=N)
WEIGHT = _rng.integers(0, 3, size=N).astype(float)
TRIALS = _rng.integers(1, 9, size=N).astype(float)
NOISE = _rng.uniform(size=N)
ETA = X @ [0.4, 0.4, -0.3] + OFFSET
MEAN = np.exp(ETA)
CHANCE = 1 / (1 + np.exp(-ETA))
HEADS = _rng.binomial(TRIALS.astype(int), CHANCE)
LOG_GAMMA = jg.Gamma(link=jg.Log())

# Response, family, columns: the deviance is of the size of the losses that it is a difference of.
KEPT: dict[str, tuple[Any, Any, np.ndarray]] = {
    "single trials": ((CHANCE > NOISE) * 1.0, "binomial", X),
    "trials": (np.column_stack([HEADS, TRIALS - HEADS]), "binomial", X),
    "counts": (_rng.poisson(MEAN), "poisson", X),
    "no counts": (np.zeros(N), "poisson", X),
    "spread": (_rng.poisson(MEAN * _rng.gamma(2.0, 0.5, size=N)), jg.NegativeBinomial(0.5), X),
    "amounts": (_rng.gamma(3.0, size=N) * MEAN, LOG_GAMMA, X),
}
# It is far smaller, or there is none.
LOST: dict[str, tuple[Any, Any, np.ndarray]] = {
    "separated": ((X[:, 1] > 0) * 1.0, "binomial", SIGN),
    "large counts": (np.round(1e7 * MEAN), "poisson", X),
    "amounts without noise": (MEAN * (1 + 1e-6 * NOISE), LOG_GAMMA, X),
    "a curve": (MEAN + 1e-7 * NOISE, jg.Gaussian(link=jg.Log()), X),
}


def fit(y: np.ndarray, family: Any, columns: np.ndarray) -> Fit:
    with tuned(large_rows=0, smallest_tile=64, largest_tile=64), warnings.catch_warnings():
        warnings.simplefilter("ignore", jg.JaxglmWarning)
        model = jg.GLM(y, columns, family, offset=OFFSET, freq_weights=WEIGHT)
        return model.fit(compress=False).fit


@pytest.mark.parametrize(
    "name",
    slow_among(
        [*KEPT, *LOST],
        ["trials", "no counts", "spread", "amounts", "single trials", "a curve", "separated"],
    ),
)
def test_twelve_digits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    y, family, columns = (KEPT | LOST)[name]
    made_again = []

    def spy(sums: FinalSums, again: Any) -> FinalSums:
        def seen() -> Deviances:
            made_again.append(name)
            return again()

        return with_sure_deviances(sums, seen)

    monkeypatch.setattr(_drive, "with_sure_deviances", spy)
    lean = fit(y, family, columns)
    assert bool(made_again) == (name in LOST)
    monkeypatch.setattr(_attempts, "lean_final_sums", final_sums)
    full = fit(y, family, columns)
    for field in ("deviance", "null_deviance", "log_likelihood", "null_log_likelihood"):
        found, wanted = getattr(lean, field), getattr(full, field)
        assert found == pytest.approx(wanted, rel=1e-12, abs=0, nan_ok=True), field
