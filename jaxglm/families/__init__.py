"""Families: the distribution of a response given its mean. Re-exports only."""

from jaxglm import links
from jaxglm.families._base import Family
from jaxglm.families._binomial import Binomial
from jaxglm.families._gamma import Gamma
from jaxglm.families._gaussian import Gaussian
from jaxglm.families._inverse_gaussian import InverseGaussian
from jaxglm.families._names import family
from jaxglm.families._negative_binomial import NegativeBinomial
from jaxglm.families._poisson import Poisson
from jaxglm.families._quasi import Quasi
from jaxglm.families._quasi_likelihood import QuasiBinomial, QuasiPoisson
from jaxglm.families._tweedie import Tweedie

__all__ = [
    "Binomial",
    "Family",
    "Gamma",
    "Gaussian",
    "InverseGaussian",
    "NegativeBinomial",
    "Poisson",
    "Quasi",
    "QuasiBinomial",
    "QuasiPoisson",
    "Tweedie",
    "family",
    "links",
]
