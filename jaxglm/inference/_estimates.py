"""Owns the estimates of a fit and its scalars, under the names that statsmodels uses."""

import functools
from typing import Any, Literal

import numpy as np
import pandas as pd

from jaxglm._status import Status
from jaxglm.inference._wald import akaike, interval, schwarz, wald
from jaxglm.inference.comparisons._firth import has_penalised_likelihood, penalised_tests
from jaxglm.inference.comparisons._profile import profile_intervals
from jaxglm.inference.covariances._asked import is_robust
from jaxglm.intake import Model
from jaxglm.search import Fit
from jaxglm.words import FloatArray, check_choice, no_attribute, understands_habits


class Estimates:
    """Coefficients with their uncertainty, and the scalars of a fit; the base of `Results`.

    Attributes
    ----------
    fit : Fit
        The arrays and scalars of the fit.
    model : Model
        What the fit was of: names, family, formula, and the data where still held.
    """

    def __init__(self, fit: Fit, model: Model):
        self.fit = fit
        self.model = model

    def __getattr__(self, name: str) -> Any:
        no_attribute(self, name)

    @property
    def family(self) -> Any:
        """The family of the fit, with its link; `family.alpha` of an estimated shape is filled."""
        return self.model.family

    @property
    def names(self) -> list[str]:
        """Column names in the order of the coefficients."""
        return list(self.model.names)

    @property
    def exog_names(self) -> list[str]:
        """The column names, as statsmodels calls them."""
        return self.names

    @property
    def endog_names(self) -> str:
        """The name of the response, as statsmodels calls it."""
        return self.model.y_name

    @property
    def params(self) -> pd.Series:
        """Coefficients, link scale; nan for a column that was left out as aliased.

        inf or -inf where separation lets one run to infinity (`infinite`), and nan where nothing
        determines one beside those.
        """
        return self._labelled(self.fit.estimates)

    @property
    def infinite(self) -> pd.Series:
        """Whether a coefficient runs to infinity: there is separation, and no finite estimate."""
        return self._labelled(self.fit.infinite)

    @property
    def bse(self) -> pd.Series:
        """Standard errors, link scale: roots of the diagonal of `cov_params()`.

        nan, as all tests and intervals, where `params` are nan, inf or -inf.
        """
        return self._labelled(self._se)

    @property
    def tvalues(self) -> pd.Series:
        """Wald statistics `params / bse`: t where the dispersion is estimated, z otherwise."""
        return self._labelled(self._wald[0])

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided p-values of `tvalues`, accurate in relative terms far into the tail."""
        return self._labelled(self._wald[1])

    @property
    def use_t(self) -> bool:
        """Whether tests and intervals use Student's t (dispersion estimated)."""
        return self.fit.covariance.df is not None

    @property
    def rests_on_variance(self) -> bool:
        """Whether standard errors hold only where the response varies as the family has it."""
        known = self.family.dispersion_fixed and self.scale == 1.0
        return known and not is_robust(self.fit.covariance)

    @understands_habits
    def conf_int(
        self, alpha: float = 0.05, method: Literal["wald", "profile"] = "wald"
    ) -> pd.DataFrame:
        """Intervals of the coefficients, link scale, in columns 0 (lower) and 1 (upper).

        Parameters
        ----------
        alpha : float
            One minus the level: 0.05 for 95 % intervals.
        method : {"wald", "profile"}
            ``params -+ q bse``, or the values at which the deviance of the best model with this
            coefficient held is above that of the fit by ``q^2 scale`` (profile likelihood; Venables
            and Ripley 2002, section 8.4). q is the quantile of t where the dispersion is estimated,
            of the normal otherwise. Profile intervals need not be symmetric, and have a finite end
            where separation makes an estimate infinite; they take some ten fits a coefficient, many
            at a time where there are many coefficients and not very many rows. With
            ``bias="firth"`` they are those of the penalised likelihood. A robust covariance has no
            part in them, and a warning says so.

        Raises
        ------
        ValueError
            When `alpha` is outside (0, 1), or for another method.
        DataError
            For profiles, when the result no longer holds the data of its fit, or has no optimum.
        """
        check_choice("method", method, ("wald", "profile"))
        if method == "profile" and has_penalised_likelihood(self.fit, self.family):
            held = self.model.held("conf_int(method='profile')")
            found = penalised_tests(self.fit, self.family, held, alpha)
            low, high = found["conf_low"], found["conf_high"]
        elif method == "profile":
            low, high = profile_intervals(self.fit, self.model, alpha)
        else:
            low, high = self._interval(alpha)
        return pd.DataFrame({0: low, 1: high}, index=self.names)

    @understands_habits
    def cov_params(self) -> pd.DataFrame:
        """Covariance of the coefficients: `scale` times the inverse expected information.

        Or another kind, where `robust` or ``cov_type=`` asked for one: see `cov_type`. nan in the
        rows and columns of those that are nan or infinite.
        """
        return pd.DataFrame(self.fit.covariance.matrix, index=self.names, columns=self.names)

    # -- scalars ---------------------------------------------------------------------------------

    @property
    def deviance(self) -> float:
        """Residual deviance, the sum of weight times unit deviance."""
        return self.fit.deviance

    @property
    def null_deviance(self) -> float:
        """Deviance of the model with an intercept (and the offset) only."""
        return self.fit.null_deviance

    @property
    def pearson_chi2(self) -> float:
        """Sum of squared Pearson residuals."""
        return self.fit.pearson_chi2

    @property
    def scale(self) -> float:
        """Dispersion: 1 where the family fixes it, else `pearson_chi2 / df_resid`.

        With ``bias="firth"`` an estimated one is without its first-order bias too.
        """
        return self.fit.scale

    @property
    def llf(self) -> float:
        """Log-likelihood as R's `logLik`; nan for quasi families, which have none."""
        return self.fit.log_likelihood

    @property
    def llnull(self) -> float:
        """Log-likelihood of the model with an intercept (and the offset) only.

        Where the negative binomial shape is estimated, this model has a shape of its own, as in
        R's ``glm.nb(y ~ 1)``; `null_deviance` keeps that of the fit, as R's does.
        """
        return self.fit.null_log_likelihood

    @property
    def aic(self) -> float:
        """`-2 llf + 2 k`; k counts the coefficients, and an estimated dispersion or shape."""
        return akaike(self.llf, self._n_parameters)

    @property
    def bic(self) -> float:
        """`-2 llf + k log(nobs)` as R's `BIC` (statsmodels calls this `bic_llf`)."""
        return float(schwarz(self.llf, self._n_parameters, self.nobs))

    @property
    def df_model(self) -> float:
        """Rank of the design without the intercept; under a penalty effective, and no integer."""
        df = self.fit.df_model
        return int(df) if df == round(df) else df

    @property
    def df_resid(self) -> float:
        """Observations less the rank of the design, or less the effective degrees of freedom."""
        return self.fit.df_resid

    @property
    def nobs(self) -> float:
        """Observations: rows of positive weight, each counted `freq_weights` times."""
        return self.fit.nobs

    @property
    def status(self) -> Status:
        """How the fit ended; `status.message` says it in a sentence."""
        return Status(self.fit.status)

    @property
    def converged(self) -> bool:
        """Whether the coefficients are an optimum (one on the boundary included)."""
        return self.status.usable

    @property
    def n_iter(self) -> int:
        """Turns the solver took."""
        return self.fit.turns

    @property
    def decrement(self) -> float:
        """Newton decrement where the loop stopped: the distance to the optimum in standard errors.

        The last step is still added, so the coefficients are closer than this.
        """
        return self.fit.decrement

    @property
    def stopped_by(self) -> str:
        """The test that ended a converged fit, in words."""
        return self.fit.stopped_by

    @property
    def method(self) -> str:
        """The solver that answered; another than asked for where that one failed.

        "firth" where the bias was taken out of the estimates.
        """
        return self.fit.method

    @property
    def _rank(self) -> int:
        return round(self.nobs - self.df_resid)  # constraints take some, as aliased columns do

    @property
    def _n_parameters(self) -> float:
        # Under a penalty they are effective ones, and no integer.
        df = self.nobs - self.df_resid if self.model.penalty else self._rank
        return df + self.fit.likelihood_params

    @functools.cached_property
    def _se(self) -> FloatArray:
        return self.fit.covariance.standard_errors

    @functools.cached_property
    def _wald(self) -> tuple[FloatArray, FloatArray]:
        return wald(self.fit.estimates, self._se, self.fit.covariance.df)

    def _interval(self, alpha: float) -> tuple[FloatArray, FloatArray]:
        return interval(self.fit.estimates, self._se, alpha, self.fit.covariance.df)

    def _labelled(self, values: np.ndarray) -> pd.Series:
        return pd.Series(np.array(values), index=self.names)
