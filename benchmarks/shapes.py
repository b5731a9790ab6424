"""Owns the likeliest shape of negative binomial responses at given means, of one fit or of many.

The negative log-likelihood is followed in log(alpha), in which its expected information has no
entries with the coefficients: fits and shapes may take turns.
"""

from collections.abc import Callable

import numpy as np
from scipy import special

BOUNDARY = 1e-6
"""Below this the likelihood still rises towards alpha = 0: the fit is one of Poisson."""
TURNS = 100

Total = Callable[[np.ndarray], np.ndarray]


def likeliest(
    y: np.ndarray, mu: np.ndarray, alpha: np.ndarray, total: Total, of: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The shape of each fit, and the information on its logarithm.

    Parameters
    ----------
    y, mu : [n]
        Responses and means.
    alpha : [G]
        Where to start.
    total : callable
        Sums over the rows of each fit.
    of : [n] int
        The fit that a row belongs to.
    """
    log = np.log(alpha)
    for _ in range(TURNS):
        slope, curve = (total(values) for values in _derivatives(y, mu, np.exp(-log)[of]))
        # Where the curve bends the other way the slope still tells where to go.
        step = np.where(curve > 0, slope / np.where(curve > 0, curve, 1.0), np.sign(slope))
        moved = np.clip(log - np.clip(step, -1.0, 1.0), np.log(BOUNDARY) - 1, 20.0)
        done = np.abs(moved - log).max() < 1e-10
        log = moved
        if done:
            break
    return np.exp(log), np.maximum(curve, 0.0)


def _derivatives(y: np.ndarray, mu: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and second derivative of each row's loss in log(alpha), theta being 1 / alpha."""
    share = (y + theta) / (theta + mu)
    in_theta = special.digamma(y + theta) - special.digamma(theta)
    in_theta += 1.0 - np.log1p(mu / theta) - share
    twice = special.polygamma(1, y + theta) - special.polygamma(1, theta)
    twice += 1 / theta - (2.0 - share) / (theta + mu)
    return theta * in_theta, -theta * (in_theta + theta * twice)
