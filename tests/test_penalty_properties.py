"""Random small regressions under random penalties: the conditions that tell an optimum."""

import dataclasses
from typing import Any

import hypothesis.extra.numpy as arrays
import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jaxglm as jg
from tests.strategies import COMMON, Case, cases, examples, model, quiet


@dataclasses.dataclass(frozen=True)
class Penalties:
    """An elastic net, a quadratic form and bounds, of all columns of a case.

    Attributes
    ----------
    lam, l1_ratio : float
    standardize : bool
    factors, center, lower, upper : [p]
        0, 0 and infinite at the intercept.
    root : [p, p]
        The matrix of the quadratic form is root' root.
    """

    lam: float
    l1_ratio: float
    standardize: bool
    factors: np.ndarray
    root: np.ndarray
    center: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    @property
    def asked(self) -> Any:
        net = jg.ElasticNet(
            self.lam, self.l1_ratio, standardize=self.standardize, penalty_factor=self.factors
        )
        form = jg.Quadratic(self.root.T @ self.root, self.center)
        return net + form + jg.Bounds(self.lower, self.upper)

    def misses(self, b: np.ndarray, slopes: np.ndarray, spreads: np.ndarray) -> np.ndarray:
        """By how much each slope [p] of the log-likelihood is outside what the penalty has at b."""
        units = np.where(spreads > 0, spreads, 1.0) if self.standardize else np.ones(b.size)
        least = self.lam * self.factors * units * self.l1_ratio
        ridge = self.lam * self.factors * units**2 * (1 - self.l1_ratio)
        rest = slopes - ridge * b - self.root.T @ (self.root @ (b - self.center))
        below = np.where(b <= self.lower, -np.inf, np.where(b > 0, least, -least))
        above = np.where(b >= self.upper, np.inf, np.where(b < 0, -least, least))
        return np.maximum(np.maximum(below - rest, rest - above), 0.0)


@st.composite
def penalties(draw: st.DrawFn, p: int) -> Penalties:
    """Penalties of p columns, of which the first is the intercept."""

    def column(values: list[float], at_intercept: float) -> np.ndarray:
        rest = draw(
            arrays.arrays(float, p - 1, elements=st.sampled_from(values), fill=st.nothing())
        )
        return np.r_[at_intercept, rest]

    root = np.zeros((p, p))
    if draw(st.booleans()):
        root[1:] = [column([-0.5, 0.0, 0.0, 0.5], 0.0) for _ in range(p - 1)]
    return Penalties(
        lam=draw(st.sampled_from([0.01, 0.1, 0.5])),
        l1_ratio=draw(st.sampled_from([0.0, 0.4, 1.0])),
        standardize=draw(st.booleans()),
        factors=column([1.0, 1.0, 0.5, 2.0], 0.0),
        root=root,
        center=column([0.0, 0.0, 1.0, -0.5], 0.0),
        lower=column([-np.inf, -np.inf, -0.2, 0.0], -np.inf),
        upper=column([np.inf, np.inf, 0.2, 0.0], np.inf),
    )


def weights(case: Case) -> np.ndarray:
    named = ("freq_weights", "var_weights", "trials")
    return np.prod([case.vectors[name] for name in named if name in case.vectors], axis=0)


def slopes(case: Case, fit: jg.Results) -> np.ndarray:
    """Those of the mean log-likelihood at dispersion 1."""
    y = case.y / case.vectors.get("trials", 1.0)
    weight, eta = weights(case), case.X @ fit.params.to_numpy() + case.vectors["offset"]
    with jax.enable_x64(True):
        loss = np.asarray(fit.family.score(y, eta))
    return -case.X.T @ (weight * loss) / weight.sum()


def check(case: Case, penalty: Penalties) -> None:
    """What the fit ends at is an optimum."""
    # Scoring is slow where residuals are large and variances the cube of the mean.
    fit = quiet(model(case).fit, penalty=penalty.asked, tol=1e-10, max_turns=1000)
    if not fit.converged:
        # All columns are held: only the intercept can run away, after responses that are all 0.
        assert fit.status is jg.Status.SEPARATED and np.unique(case.y).size == 1
        return
    b, weight = fit.params.to_numpy(), weights(case)
    assert ((penalty.lower <= b) & (b <= penalty.upper)).all()
    mean = np.average(case.X, axis=0, weights=weight)
    spreads = np.sqrt(np.average((case.X - mean) ** 2, axis=0, weights=weight))
    np.testing.assert_allclose(penalty.misses(b, slopes(case, fit), spreads), 0.0, atol=1e-9)


@pytest.mark.parametrize("law", COMMON[:4], ids=repr)
@examples(8)
@given(st.data())
def test_a_fit_ends_at_an_optimum(law: jg.Family, data: st.DataObject) -> None:
    case = data.draw(cases(law))
    check(case, data.draw(penalties(case.X.shape[1])))


@pytest.mark.slow
@pytest.mark.parametrize("law", COMMON, ids=repr)
@examples(60)
@given(st.data())
def test_every_family_ends_at_an_optimum(law: jg.Family, data: st.DataObject) -> None:
    case = data.draw(cases(law))
    check(case, data.draw(penalties(case.X.shape[1])))
