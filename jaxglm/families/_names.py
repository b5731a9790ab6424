"""Owns what stands for a family: its name, R's call of it as text, its class, or an object."""

import ast
from typing import Any

from jaxglm.families._base import Family
from jaxglm.families._binomial import Binomial
from jaxglm.families._gamma import Gamma
from jaxglm.families._gaussian import Gaussian
from jaxglm.families._inverse_gaussian import InverseGaussian
from jaxglm.families._negative_binomial import NegativeBinomial
from jaxglm.families._poisson import Poisson
from jaxglm.families._quasi import Quasi
from jaxglm.families._quasi_likelihood import QuasiBinomial, QuasiPoisson
from jaxglm.families._statsmodels import is_statsmodels, of_statsmodels
from jaxglm.families._tweedie import Tweedie
from jaxglm.links import Link, as_link
from jaxglm.words import choose

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
_FAMILIES |= {"nb": NegativeBinomial, "negbin": NegativeBinomial, "normal": Gaussian}


def family(name: Any, link: str | Link | None = None) -> Family:
    """A family object from its name, with another link where one is given.

    Parameters
    ----------
    name : str or Family
        For instance ``"poisson"``, ``"Gamma"``, ``"inverse.gaussian"``, ``"nb"``; a call as R
        and Python write it, ``"binomial(link = 'probit')"``; or an object, or its class, also
        one of statsmodels.
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
    >>> family("poisson(link = sqrt)")
    Poisson(link=Sqrt())
    """
    if isinstance(name, str):
        chosen: Any = _of_text(name)
    else:
        is_class = isinstance(name, type) and (issubclass(name, Family) or is_statsmodels(name))
        chosen = name() if is_class else name
    if is_statsmodels(chosen):
        chosen = of_statsmodels(chosen)
    if not isinstance(chosen, Family):
        raise TypeError(
            f"family must be a name or a family object such as jaxglm.Poisson(), not {name!r}"
        )
    chosen = chosen if link is None else chosen.with_link(as_link(link))
    highest = chosen.link.mean_range[1]
    if highest < chosen.mean_domain[1]:
        raise ValueError(
            f"the {chosen.link.name} link keeps means below {highest:g}, but those of the "
            f"{chosen.name} family go beyond; choose a link such as log or identity"
        )
    return chosen


def _of_text(text: str) -> Family:
    """A family from its name, or from a call of it."""
    head, bracket, _ = text.partition("(")
    cls = choose(head.strip(), _FAMILIES, "family", "jaxglm.Poisson()")
    if not bracket:
        return cls()
    try:
        call = ast.parse(text.strip(), mode="eval").body
        assert isinstance(call, ast.Call)
        args = [_value(node) for node in call.args]
        kwargs = {str(item.arg): _value(item.value) for item in call.keywords}
    except (SyntaxError, AssertionError):
        raise ValueError(
            f"family {text!r} cannot be read; write it as \"{cls.name}(link='log')\", or give an "
            f"object, jaxglm.{cls.__name__}(link='log')"
        ) from None
    if any(not isinstance(value, str) for value in args):
        # R's first argument is theta, ours alpha.
        raise ValueError(f"family {text!r}: name the number, as in 'nb(alpha=0.5)'")
    return cls(*args, **kwargs)


def _value(node: ast.expr) -> Any:
    """A number or text; what is neither stands for the link of that name, as in R."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node).removesuffix("()")
