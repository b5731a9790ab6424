"""Owns the quasi-Poisson and quasi-binomial families."""

from jaxglm.families._base import Family
from jaxglm.families._binomial import Binomial
from jaxglm.families._poisson import Poisson


class QuasiPoisson(Poisson):
    """Counts with variance proportional to the mean, phi V(mu) = phi mu; phi is estimated.

    Coefficients are those of `Poisson`; standard errors are scaled by the square root of the
    Pearson dispersion. There is no likelihood, and so no AIC.

    Parameters
    ----------
    link : Link, default Log()

    Examples
    --------
    >>> QuasiPoisson().dispersion_fixed
    False
    """

    name = "quasipoisson"
    dispersion_fixed = False
    has_likelihood = False

    log_likelihood = Family.log_likelihood


class QuasiBinomial(Binomial):
    """Proportions with variance phi mu (1 - mu) / weight; phi is estimated.

    Coefficients are those of `Binomial`; standard errors are scaled by the square root of the
    Pearson dispersion. There is no likelihood, and so no AIC.

    Parameters
    ----------
    link : Link, default Logit()

    Examples
    --------
    >>> QuasiBinomial().dispersion_fixed
    False
    """

    name = "quasibinomial"
    dispersion_fixed = False
    has_likelihood = False

    log_likelihood = Family.log_likelihood
