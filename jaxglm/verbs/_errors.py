"""Owns the standard errors that are asked for with a fit: checked before it, made after it."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from jaxglm.inference import (
    Asked,
    CovarianceChoice,
    Estimated,
    check_scale_choice,
    slopes_of,
    slopes_of_many,
    with_dispersion,
)
from jaxglm.intake import Model
from jaxglm.results import GroupResults, Results
from jaxglm.rows import Segments
from jaxglm.search import Fit


@dataclasses.dataclass(frozen=True)
class StandardErrors:
    """A covariance and a dispersion, as the arguments of a verb ask for them.

    Attributes
    ----------
    choice : CovarianceChoice
    scale : str, float or None
    column : callable
        From the name of a column to its values.
    """

    choice: CovarianceChoice
    scale: str | float | None
    column: Callable[[str], Any]

    @classmethod
    def of(
        cls,
        cov_type: str | None,
        cluster: Any,
        cov_kwds: Mapping[str, Any] | None,
        information: str,
        scale: Any,
        column: Callable[[str], Any],
    ) -> "StandardErrors":
        """Check the arguments.

        Raises
        ------
        ValueError
        """
        choice = CovarianceChoice.of(
            cov_type, cluster=cluster, cov_kwds=cov_kwds, information=information
        )
        return cls(choice, check_scale_choice(scale), column)

    def read(self, model: Model) -> Asked | None:
        """With the rows of the model; None for the covariance that a fit has anyway.

        What is wrong with clusters is said before anything is fitted.
        """
        if self.choice.is_default:
            return None
        return self.choice.read(model.held("robust()"), self.column)

    def given_to(self, fit: Fit, model: Model, asked: Asked | None) -> Results:
        """The result of a fit with the standard errors that were read."""
        if self.scale is not None:
            estimated = Estimated.of(fit, model.family, model.held("robust()"))
            fit = with_dispersion(fit, model.family, self.scale, slopes_of(estimated))
        results = Results(fit, model)
        return results if asked is None else results.with_covariance(asked)

    def given_to_many(self, results: GroupResults, segments: Segments) -> GroupResults:
        """Results of segments with the standard errors asked for."""
        model, fits = results.model, results.fits
        if self.scale is not None:
            slopes = slopes_of_many(segments, model.family, fits)
            results.fits = with_dispersion(fits, model.family, self.scale, slopes)
        if self.choice.is_default:
            return results
        return results.with_covariance(results.read(self.choice, self.column))
