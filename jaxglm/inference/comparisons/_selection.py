"""Owns what models are ranked by: R's `extractAIC`, and the same with other penalties.

That is -2 log-likelihood, with a dispersion counted as one parameter, and k for each coefficient.
Other models of the same rows have the deviance over the dispersion of the model at hand in its
place, but for the Gaussian family, where it is n log(deviance / n), as in R's `drop1.glm`. With a
dispersion that was given all models have the deviance over that, up to the same number in all.
"""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from jaxglm.inference.comparisons._deviance import Dispersion
from jaxglm.inference.comparisons._submodels import Submodel
from jaxglm.inference.covariances._dispersion import scale_choice
from jaxglm.intake import Model
from jaxglm.search import Fit

Criterion = Literal["aic", "bic", "qaic"]


def given_dispersion(fit: Fit) -> float | None:
    """The dispersion of a fit where it was given as a number."""
    choice = scale_choice(fit)
    return choice if isinstance(choice, float) else None


def has_likelihood(fit: Fit, model: Model) -> bool:
    """Whether the dispersion of a fit is one that its likelihood has, so that there is an AIC.

    Beside an estimated one that of a Poisson or binomial model is as without it.
    """
    family = model.family
    beyond = family.dispersion_fixed and Dispersion.of(fit).estimated
    return family.has_likelihood and not beyond


class Criteria:
    """What models are ranked by, less is better.

    Attributes
    ----------
    name : {"aic", "bic", "qaic"}
    k : float
        What a coefficient costs: 2, or log(nobs) of the BIC.
    scale : float or None
        The dispersion that the deviance is divided by: of the QAIC, or one that was given.
    """

    def __init__(self, name: Criterion, nobs: float, scale: float | None = None):
        self.name, self.scale = name, scale
        self.k = math.log(nobs) if name == "bic" else 2.0

    @classmethod
    def of_likelihood(cls, name: Literal["aic", "bic"], fit: Fit) -> "Criteria":
        """Those of a fit, and of others with its dispersion where that was given."""
        return cls(name, fit.nobs, given_dispersion(fit))

    def of_fit(self, fit: Fit, model: Model) -> float:
        """Of a model with its record: R's `extractAIC`."""
        rank = int((~fit.aliased).sum())
        if self.scale is not None:
            return fit.deviance / self.scale + self.k * rank
        return -2 * fit.log_likelihood + 2 * model.family.n_likelihood_params + self.k * rank

    def of(self, models: Sequence[Submodel], fit: Fit, model: Model) -> np.ndarray:
        """Of models of the same rows, the first of which is that of the record."""
        deviance = np.array([m.deviance for m in models])
        rank = np.array([m.rank for m in models])
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.scale is not None:
                fall = deviance / self.scale
            elif model.family.name == "gaussian":
                fall = fit.nobs * np.log(deviance / fit.nobs)
            else:
                fall = deviance / Dispersion.of(fit).value
            values = fall + self.k * rank
            return values - values[0] + self.of_fit(fit, model)
