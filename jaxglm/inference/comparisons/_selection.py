"""Owns what models are ranked by: R's `extractAIC`, and the same with other penalties.

That is -2 log-likelihood, with a dispersion counted as one parameter, and k for each coefficient.
Other models of the same rows have the deviance over the dispersion of the model at hand in its
place, but for the Gaussian family, where it is n log(deviance / n), as in R's `drop1.glm`.
"""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from jaxglm.inference.comparisons._submodels import Submodel, dispersion
from jaxglm.intake import Model
from jaxglm.search import Fit

Criterion = Literal["aic", "bic", "qaic"]


class Criteria:
    """What models are ranked by, less is better.

    Attributes
    ----------
    name : {"aic", "bic", "qaic"}
    k : float
        What a coefficient costs: 2, or log(nobs) of the BIC.
    scale : float or None
        The dispersion that the deviance is divided by, of the QAIC.
    """

    def __init__(self, name: Criterion, nobs: float, scale: float | None = None):
        self.name, self.scale = name, scale
        self.k = math.log(nobs) if name == "bic" else 2.0

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
                fall = deviance / dispersion(fit, model.family)
            values = fall + self.k * rank
            return values - values[0] + self.of_fit(fit, model)
