"""Owns the resolver of family and link names."""

from typing import Any

from jaxglm import links
from jaxglm.families._base import Family
from jaxglm.families._binomial import Binomial
from jaxglm.families._gamma import Gamma
from jaxglm.families._gaussian import Gaussian
from jaxglm.families._inverse_gaussian import InverseGaussian
from jaxglm.families._negative_binomial import NegativeBinomial
from jaxglm.families._poisson import Poisson
from jaxglm.families._quasi import Quasi
from jaxglm.families._quasi_likelihood import QuasiBinomial, QuasiPoisson
from jaxglm.families._tweedie import Tweedie

_FAMILIES: dict[str, type[Family]] = {
    cls.name: cls
    for cls in (
        Gaussian,
        Binomial,
        Poisson,
        Gamma,
        InverseGaussian,
        Tweedie,
        NegativeBinomial,
        QuasiPoisson,
        QuasiBinomial,
        Quasi,
    )
}
_FAMILIES["nb"] = NegativeBinomial

_LINKS: dict[str, type[links.Link]] = {
    cls.name: cls
    for cls in (
        links.Identity,
        links.Log,
        links.Logit,
        links.Probit,
        links.CLogLog,
        links.LogLog,
        links.Cauchit,
        links.Inverse,
        links.InverseSquared,
        links.Sqrt,
    )
}
_LINKS["1/mu^2"] = links.InverseSquared


def family(name: str | Family | type[Family], link: str | links.Link | None = None) -> Family:
    """A family object from its name, with another link where one is given.

    Parameters
    ----------
    name : str or Family
        For instance ``"poisson"``, ``"Gamma"``, ``"inverse.gaussian"``, ``"nb"``; or an object, or
        its class.
    link : str or Link, optional
        By default the family's own.

    Returns
    -------
    Family

    Raises
    ------
    ValueError
        If the name is unknown; the message lists the choices. If the link keeps means below what
        the family's responses can reach (a logit for counts).
    TypeError
        If it is neither a name nor a family.

    Examples
    --------
    >>> family("binomial", link="probit")
    Binomial(link=Probit())
    """
    if isinstance(name, str):
        chosen: Any = _look_up(name, _FAMILIES, "family", "jaxglm.Poisson()")()
    else:
        chosen = name() if isinstance(name, type) and issubclass(name, Family) else name
    if not isinstance(chosen, Family):
        raise TypeError(
            f"family must be a name or a family object such as jaxglm.Poisson(), not {name!r}"
        )
    chosen = chosen if link is None else chosen.with_link(_link(link))
    highest = chosen.link.mean_range[1]
    if highest < chosen.mean_domain[1]:
        raise ValueError(
            f"the {chosen.link.name} link keeps means below {highest:g}, but those of the "
            f"{chosen.name} family go beyond; choose a link such as log or identity"
        )
    return chosen


def _link(link: Any) -> links.Link:
    if isinstance(link, str):
        return _look_up(link, _LINKS, "link", "jaxglm.Power(exponent)")()
    chosen = link() if isinstance(link, type) and issubclass(link, links.Link) else link
    if not isinstance(chosen, links.Link):
        raise TypeError(f"link must be a name or a link object such as jaxglm.Log(), not {link!r}")
    return chosen


def _look_up(name: str, choices: dict[str, Any], kind: str, example: str) -> Any:
    plain = name.strip().lower().replace(".", "_").replace("-", "_").replace(" ", "_")
    # "inverse_gaussian", R's "inverse.gaussian", statsmodels' "InverseGaussian".
    squeezed = {key.replace("_", ""): value for key, value in choices.items()}
    if plain.replace("_", "") in squeezed:
        return squeezed[plain.replace("_", "")]
    raise ValueError(
        f"unknown {kind} {name!r}: choose one of {', '.join(choices)}, or give an object such as "
        f"{example}"
    )
