"""Owns the profile likelihood interval of a negative binomial shape that was estimated."""

import dataclasses
import math
from typing import Any

import numpy as np

from jaxglm._jax import computing
from jaxglm._status import DataError, Status
from jaxglm.families import NegativeBinomial
from jaxglm.inference._wald import critical_value
from jaxglm.inference.comparisons._roots import find_root
from jaxglm.inference.comparisons._submodels import Submodels, refitted
from jaxglm.intake import Model
from jaxglm.search import Fit


def alpha_interval(fit: Fit, model: Model, alpha: float) -> tuple[float, float]:
    """The profile likelihood interval of an estimated shape; see `Results.alpha_conf_int`."""
    family: Any = model.family
    if not isinstance(family, NegativeBinomial) or fit.alpha is None:
        raise DataError(
            "alpha_conf_int() is for a negative binomial shape that was estimated: fit with "
            "family='negative_binomial', without alpha="
        )
    if np.isnan(fit.alpha):
        return np.nan, np.nan
    quantile = float(critical_value(alpha, None))
    fits = Submodels.of(fit, model, "alpha_conf_int()")
    everything = fits.columns(np.ones(fit.coef.size, bool))

    def fall(shape: float) -> float:
        """The signed root of what the likelihood loses at a shape."""
        with computing():
            known = dataclasses.replace(family, alpha=everything.dtype.type(shape))
            found = refitted(everything, known, fits.start, fits.names)
        if not (found.status.usable or found.status is Status.SEPARATED):
            return math.inf
        return math.sqrt(max(2 * (fit.log_likelihood - float(found.sums.log_likelihood)), 0.0))

    best: float = fit.alpha
    if best == 0.0:  # no logarithm to go along: the square root of alpha is about as straight
        upper, _ = find_root(lambda root: fall(root**2), quantile, 0.1)
        return 0.0, upper**2
    error = math.nan if fit.alpha_se is None else fit.alpha_se / best
    first = quantile * (error if math.isfinite(error) else 1.0)
    upper, _ = find_root(lambda up: fall(best * math.exp(up)), quantile, first)
    if fall(0.0) <= quantile:
        return 0.0, best * math.exp(upper)
    lower, _ = find_root(lambda down: fall(best * math.exp(-down)), quantile, first)
    return best * math.exp(-lower), best * math.exp(upper)
