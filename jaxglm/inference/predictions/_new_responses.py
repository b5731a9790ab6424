"""Owns intervals for new responses: which way of making them a family has, and its words."""

import dataclasses
from typing import Any

import numpy as np

from jaxglm._status import DataError, DataWarning
from jaxglm.families import Gaussian
from jaxglm.inference._wald import check_alpha, interval
from jaxglm.inference.predictions._distribution import check_sizes, has_law, law
from jaxglm.inference.predictions._gaps import without_response
from jaxglm.inference.predictions._mixture import Mixture
from jaxglm.links import Identity
from jaxglm.words import FloatArray, warn


@dataclasses.dataclass(frozen=True)
class NewResponses:
    """What is known of new responses beside their linear predictors.

    Attributes
    ----------
    family : Family
    dispersion : float
    weight : [n] or None
        Prior weights, trials included; None where trials are needed and not known.
    df : float or None
        Degrees of freedom of an estimated dispersion.
    """

    family: Any
    dispersion: float
    weight: FloatArray | None
    df: float | None

    @property
    def method(self) -> str:
        """How the intervals are made, in words."""
        if not has_law(self.family, self.dispersion):
            what = "model with this dispersion" if has_law(self.family, 1.0) else "family"
            return f"none: the {what} has no distribution"
        if self._is_normal:
            quantile = "the normal" if self.df is None else f"Student's t on {self.df:g} df"
            return (
                "normal theory: mean -+ q sqrt(se^2 + dispersion / weight), q the quantile of "
                f"{quantile}"
            )
        uncertain = "a normal linear predictor with its standard error"
        plugged = "" if self.family.dispersion_fixed else ", at the estimated dispersion"
        return (
            f"quantiles of the {self.family.name.replace('_', ' ')} distribution mixed over "
            f"{uncertain} (quadrature){plugged}"
        )

    def checked_weight(self) -> FloatArray:
        """The weights, where there are intervals.

        Raises
        ------
        DataError
            Where the family has no distribution, or none with this dispersion, or trials are not
            known.
        """
        if self.weight is None:
            raise DataError(
                "the response of the fit is a share of trials, and how far a new one may lie from "
                "its mean depends on how many it has: give get_prediction(data, trials=...)"
            )
        check_sizes(self.family, self.weight)
        # What has no distribution is refused whatever the rows.
        law(self.family, np.ones(1), self.dispersion, np.ones(1))
        return self.weight

    def interval(
        self, eta: FloatArray, se: FloatArray, alpha: float
    ) -> tuple[FloatArray, FloatArray]:
        """Interval ends [n]; nan where the linear predictor has no standard error.

        nan, with a warning, in rows without weight as well.

        Raises
        ------
        DataError
            As `checked_weight`.
        ValueError
            When `alpha` is outside (0, 1).
        """
        check_alpha(alpha)
        weight = self.checked_weight()
        note = without_response(weight)
        if note:
            warn(note, DataWarning)
        low, high = np.full(eta.size, np.nan), np.full(eta.size, np.nan)
        rows = np.flatnonzero(np.isfinite(eta) & np.isfinite(se) & (weight > 0))
        weight = weight[rows]
        if self._is_normal:
            spread = np.sqrt(se[rows] ** 2 + self.dispersion / weight)
            low[rows], high[rows] = interval(eta[rows], spread, alpha, self.df)
            return low, high
        mixture = Mixture(self.family, self.dispersion, weight, eta[rows], se[rows])
        low[rows], high[rows] = mixture.quantiles((alpha / 2, 1 - alpha / 2))
        return low, high

    @property
    def _is_normal(self) -> bool:
        return isinstance(self.family, Gaussian) and self.family.link == Identity()
