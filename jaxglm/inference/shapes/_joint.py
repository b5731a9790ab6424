"""Owns the joint covariance of coefficients and shape, where a fit estimated both."""

import dataclasses

import jax
import numpy as np

from jaxglm._jax import computing
from jaxglm._status import DataError
from jaxglm.algebra import Covariance, Root
from jaxglm.inference.covariances._asked import Asked
from jaxglm.inference.covariances._sandwich import Estimated, covariance_of
from jaxglm.sums import shape_cross

# Of the shape's own information this much must be left beside the coefficients: less is rounding.
_LEAST_SHARE = 1e-10


def joint_covariance(estimated: Estimated, alpha: float, alpha_se: float) -> Covariance:
    """That of p coefficients and alpha, from the observed information of all of them.

    With H that of the coefficients, h what they share with log alpha, and d that of log alpha
    alone, the variance of log alpha is 1 / s with s = d - h' H^-1 h, and one more column of the
    root, (-H^-1 h, 1) / sqrt(s), completes the covariance.

    Parameters
    ----------
    estimated : Estimated
        The fit, at its shape.
    alpha, alpha_se : float
        The shape, and its standard error where the means are known.

    Raises
    ------
    DataError
        Where the observed information is not positive definite.
    """
    found = covariance_of(estimated, Asked(information="observed"))
    at = estimated.at(found.root)
    with computing():
        across = estimated.source.reduce(shape_cross, estimated.family, at)
        across = np.array(jax.device_get(across))
    dense, diagonal = found.root
    q, p = dense.shape[1], diagonal.size
    along = dense @ across[:q]
    if at.diagonal is not None:
        levels = estimated.order[-(across.size - q) :]
        across[q:] *= diagonal[levels]
        along[levels] += diagonal[levels] * across[q:]
    alone = (alpha / alpha_se) ** 2
    left = alone - across @ across
    if not left > _LEAST_SHARE * alone:
        raise DataError(
            "The joint observed information of coefficients and shape is not positive definite at "
            "the estimate, so it has no inverse that could be a covariance."
        )
    root = np.zeros((p + 1, q + 1))
    root[:p, :q], root[:p, q], root[p, q] = dense, -along / np.sqrt(left), alpha / np.sqrt(left)
    return dataclasses.replace(
        found,
        root=Root(root, np.append(diagonal, 0.0)),
        aliased=np.append(found.aliased, False),
        recession=np.append(found.recession, 0.0),
        open=np.append(found.open, False),
        base=None,
    )
