"""Owns the problems of families and links: each of them once, on one kind of data.

Imports `spec` and `drawing`. A quasi family is not among them: its coefficients are those of the
family that it is named after.
"""

import numpy as np

from benchmarks.drawing import SHAPE, respond
from benchmarks.spec import Columns, Made, Problem, Spec, rows_at

ROWS, COLUMNS = 300_000, 20
LEVEL = -0.3
"""Linear predictor at the middle of the columns."""
REACH = 4.5
"""How far the columns can move it together, which is some seven standard deviations."""


def family(
    name: str,
    family: str,
    link: str,
    level: float = LEVEL,
    reach: float = REACH,
    *,
    shape: float | None = None,
    power: float | None = None,
) -> Problem:
    """A dense matrix with bounded columns, so that no mean leaves the range of its family."""

    def make(scale: float, seed: int) -> Made:
        rng = np.random.default_rng(seed)
        spec = Spec(
            name,
            family,
            rows_at(ROWS, scale, 1_000),
            COLUMNS,
            "arrays",
            scale=scale,
            power=power,
            shape=shape,
            other_link=link,
        )
        X = rng.uniform(-1.0, 1.0, (spec.n, COLUMNS))
        X[:, 0] = 1.0
        effects = rng.choice([-1.0, 1.0], COLUMNS) * rng.uniform(0.5, 1.5, COLUMNS)
        effects *= reach / np.abs(effects[1:]).sum()
        effects[0] = level
        return spec, Columns(respond(spec, X @ effects, rng), X=X)

    words = f"{family.replace('_', ' ')}, {link.replace('_', ' ')} link, 300,000 x 20"
    return Problem(name, words, make)


FAMILY_PROBLEMS = (
    family("family-gaussian", "gaussian", "identity"),
    family("family-logit", "binomial", "logit"),
    family("family-probit", "binomial", "probit"),
    family("family-cloglog", "binomial", "cloglog"),
    family("family-loglog", "binomial", "loglog"),
    family("family-cauchit", "binomial", "cauchit"),
    family("family-poisson", "poisson", "log"),
    family("family-poisson-sqrt", "poisson", "sqrt", 2.0, 1.5),
    family("family-gamma", "gamma", "log"),
    family("family-gamma-inverse", "gamma", "inverse", 1.0, 0.7),
    family("family-inverse-gaussian", "inverse_gaussian", "log", LEVEL, 2.0),
    family("family-inverse-gaussian-squared", "inverse_gaussian", "inverse_squared", 1.0, 0.7),
    family("family-tweedie", "tweedie", "log", power=1.5),
    family("family-negative-binomial", "negative_binomial", "log", 0.5, shape=SHAPE),
    family("family-negative-binomial-shape", "negative_binomial", "log", 0.5),
)
