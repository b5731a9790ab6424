"""Owns the tests that are made of deviances: likelihood ratio, F and Rao's, as in R's `anova.glm`.

Whether the dispersion is known or estimated is a fact of the fit, not of its family. Tails are pure
functions of arrays; nan where a model has nothing to be tested by.
"""

import dataclasses
from typing import Any, Literal, get_args

import numpy as np

from jaxglm.families import Family
from jaxglm.inference.covariances._dispersion import scale_choice
from jaxglm.search import Fit
from jaxglm.words import FloatArray, check_choice

DevianceTest = Literal["Chisq", "F", "Rao"]
_SAME = {"LRT": "Chisq", "LR": "Chisq", "chisq": "Chisq", "f": "F", "rao": "Rao", "score": "Rao"}


@dataclasses.dataclass(frozen=True)
class Dispersion:
    """What deviances are divided by.

    Attributes
    ----------
    value : float
        nan where nothing tells of it.
    df : float or None
        Degrees of freedom of its estimate; None where it is known.
    """

    value: float
    df: float | None

    @classmethod
    def of(cls, fit: Fit) -> "Dispersion":
        """That of a fit, by which the covariance of its model is multiplied."""
        model_based = fit.covariance.expected
        return cls(model_based.scale, model_based.df)

    @property
    def estimated(self) -> bool:
        return self.df is not None


def chosen_test(test: str | None, fit: Fit, family: Family) -> DevianceTest:
    """The test by its name; None for the one that suits: F where the dispersion is estimated.

    Raises
    ------
    ValueError
        For another, and for an F test where the dispersion is known.
    """
    phi = Dispersion.of(fit)
    if test is None:
        return "F" if phi.estimated else "Chisq"
    name: Any = _SAME.get(test, test) if isinstance(test, str) else test
    check_choice("test", name, get_args(DevianceTest))
    if name == "F" and not phi.estimated:
        given = scale_choice(fit) is not None
        known = "this one was given" if given else f"that of the {family.name} family is 1"
        raise ValueError(
            f"An F test is for an estimated dispersion, and {known}: give test='Chisq', or fit "
            "with a dispersion to estimate, scale='pearson'."
        )
    return name


def chi2_tail(statistic: Any, df: Any) -> FloatArray:
    """Upper tail of chi-squared; nan where there are no degrees of freedom, or below 0."""
    from scipy import special

    statistic, df = np.asarray(statistic, float), np.abs(np.asarray(df, float))
    with np.errstate(invalid="ignore"):
        known = (df > 0) & (statistic >= 0)
    safe = (np.where(known, values, 1.0) for values in (df, statistic))
    return np.where(known, special.chdtrc(*safe), np.nan)


def f_tail(statistic: Any, df: Any, df_resid: Any) -> FloatArray:
    """Upper tail of Snedecor's F; nan where there are no degrees of freedom, or below 0."""
    from scipy import special

    statistic, df = np.asarray(statistic, float), np.abs(np.asarray(df, float))
    df_resid = np.broadcast_to(np.asarray(df_resid, float), df.shape)
    with np.errstate(invalid="ignore"):
        known = (df > 0) & (statistic >= 0) & (df_resid > 0)
    safe = (np.where(known, values, 1.0) for values in (df, df_resid, statistic))
    return np.where(known, special.fdtrc(*safe), np.nan)
