"""Owns the reading of statsmodels' family objects, known by their class; nothing is imported."""

from typing import Any

from jaxglm.families._base import Family
from jaxglm.families._binomial import Binomial
from jaxglm.families._gamma import Gamma
from jaxglm.families._gaussian import Gaussian
from jaxglm.families._inverse_gaussian import InverseGaussian
from jaxglm.families._negative_binomial import NegativeBinomial
from jaxglm.families._poisson import Poisson
from jaxglm.families._tweedie import Tweedie

# Each with what statsmodels calls its parameter, and ours.
_SAME: dict[str, tuple[type[Family], dict[str, str]]] = {
    "Binomial": (Binomial, {}),
    "Gamma": (Gamma, {}),
    "Gaussian": (Gaussian, {}),
    "InverseGaussian": (InverseGaussian, {}),
    "NegativeBinomial": (NegativeBinomial, {"alpha": "alpha"}),
    "Poisson": (Poisson, {}),
    "Tweedie": (Tweedie, {"var_power": "power"}),
}


def is_statsmodels(given: Any) -> bool:
    """Whether this is a family of statsmodels, or the class of one."""
    cls = given if isinstance(given, type) else type(given)
    return cls.__module__ == "statsmodels.genmod.families.family"


def of_statsmodels(theirs: Any) -> Family:
    """The same family with the same link, its parameters fixed where they are there.

    Raises
    ------
    TypeError
        If it is no family with a counterpart here.
    """
    name = type(theirs).__name__
    if name not in _SAME:
        raise TypeError(
            f"statsmodels' {name} has no counterpart here: family must be one of "
            f"{', '.join(_SAME)}, by name or as an object such as jaxglm.Poisson()"
        )
    cls, parameters = _SAME[name]
    values = {ours: float(getattr(theirs, name)) for name, ours in parameters.items()}
    return cls(link=theirs.link, **values)
