"""Pairs of family and link to test, with rows far into the tails, and how to evaluate them."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm.families import (
    Binomial,
    Family,
    Gamma,
    Gaussian,
    InverseGaussian,
    NegativeBinomial,
    Poisson,
    Quasi,
    Tweedie,
)
from jaxglm.links import (
    Identity,
    Inverse,
    InverseSquared,
    Log,
    Logit,
    Power,
    Probit,
    Sqrt,
)
from tests.test_links import PROBABILITY, TAILS

WEDDERBURN = "mu^2(1-mu)^2"

# Linear predictors and responses that reach into the tails of each link and family.
ETA = TAILS | {
    "log": [-300, -100, -20, -1, -0.1, 0, 0.2, 3, 50, 200],
    "identity": [1e-60, 1e-5, 0.3, 1, 7, 1e6, 1e100],
    "inverse": [1e-50, 1e-5, 0.3, 1, 7, 1e6, 1e50],
    "inverse_squared": [1e-50, 1e-5, 0.3, 1, 7, 1e6, 1e60],
    "sqrt": [1e-30, 1e-5, 0.3, 1, 7, 1e6, 1e30],
    "power": [1e-10, 1e-5, 0.3, 1, 7, 1e6, 1e15],
}
OPEN_INTERVAL = {
    "log": [-600, -20, -3, -0.8, -0.6, -0.1, -1e-5, -1e-15],
    "identity": [1e-100, 1e-20, 1e-5, 0.3, 0.7, 0.999, 1 - 1e-12],
}
COUNTS = [0, 1, 7.5, 1e9]
AMOUNTS = [1e-9, 0.5, 7.5, 1e9]
SHARES = [0, 1, 0.3]

PAIRS: list[tuple[Family, list]] = [
    *((Binomial(link=link), SHARES) for link in (*PROBABILITY, Log(), Identity())),
    *((Quasi(WEDDERBURN, link=link), SHARES) for link in (Logit(), Probit())),
    *((Poisson(link=link), COUNTS) for link in (Log(), Identity(), Sqrt(), Power(0.3))),
    *((Gamma(link=link), AMOUNTS) for link in (Log(), Identity(), Inverse())),
    *(
        (InverseGaussian(link=link), AMOUNTS)
        for link in (Log(), Identity(), Inverse(), InverseSquared())
    ),
    (Tweedie(power=1.5), COUNTS),
    (Tweedie(power=1.0), COUNTS),
    (Tweedie(power=1.3, link=Identity()), COUNTS),
    (Tweedie(power=2.5, link=Sqrt()), AMOUNTS),
    (NegativeBinomial(alpha=0.5), COUNTS),
    (NegativeBinomial(alpha=1e-10), COUNTS),
    (NegativeBinomial(alpha=1e4, link=Sqrt()), COUNTS),
    (NegativeBinomial(alpha=0.0, link=Identity()), COUNTS),
    *((Gaussian(link=link), [-3, 0, 7.5]) for link in (Identity(), Log(), Inverse(), Logit())),
    (Quasi("mu^3", link=Log()), AMOUNTS),
    (Quasi("constant"), [-3, 0, 7.5]),
]


def name_of(value: object) -> str | None:
    return repr(value) if isinstance(value, Family) else None


def grid(law: Family, responses: list) -> tuple[np.ndarray, np.ndarray]:
    inside_unit = law.mean_domain[1] == 1
    eta = (OPEN_INTERVAL if inside_unit else {}).get(law.link.name, ETA[law.link.name])
    return np.repeat(np.array(responses, float), len(eta)), np.tile(eta, len(responses))


def padded(function, law: Family, *rows: np.ndarray):
    """Call a compiled function of rows, always with one shape: each family compiles once."""
    n = np.size(rows[0])
    found = function(law, *(np.resize(np.asarray(part, float), 96) for part in rows))
    return jax.tree.map(lambda values: np.asarray(values)[:n], found)


def evaluate(law: Family, y: np.ndarray, eta: np.ndarray) -> dict[str, np.ndarray]:
    """What a solver asks of each row, and the score once more from the loss."""
    return padded(compiled_rows, law, y, eta)


@jax.jit
def compiled_rows(law: Family, y: jax.Array, eta: jax.Array) -> dict[str, jax.Array]:
    ones = jnp.ones_like(eta)
    loss, from_loss = jax.jvp(lambda e: law.loss(y, e), (eta,), (ones,))
    score, observed = jax.jvp(lambda e: law.score(y, e), (eta,), (ones,))
    return {
        "loss": loss,
        "score": score,
        "fisher_weight": law.fisher_weight(y, eta),
        "from_loss": from_loss,
        "observed": observed,
    }
