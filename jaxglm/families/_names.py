"""Owns what stands for a family: its name, R's call of it as text, its class, or an object."""

import ast
import re
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
        By default the family's own. With an object, or a call that names a link, only the same.

    Returns
    -------
    Family

    Raises
    ------
    ValueError
        If the name is unknown; the message lists the choices. If the link keeps means below what
        the family's responses can reach (a logit for counts). If two links are given.
    TypeError
        If it is neither a name nor a family.

    Examples
    --------
    >>> family("binomial", link="probit")
    Binomial(link=Probit())
    >>> family("poisson(link = sqrt)")
    Poisson(link=Sqrt())
    """
    own_link = True
    if isinstance(name, str):
        chosen, own_link = _of_text(name)
    elif isinstance(name, type) and (issubclass(name, Family) or is_statsmodels(name)):
        chosen, own_link = name(), False
    else:
        chosen = name
    if is_statsmodels(chosen):
        chosen = of_statsmodels(chosen)
    if not isinstance(chosen, Family):
        raise TypeError(
            f"family must be a name or a family object such as jaxglm.Poisson(), not {name!r}"
        )
    if link is not None:
        wanted = as_link(link)
        if own_link and wanted != chosen.link:
            raise ValueError(
                f"the link is given twice: the family has {chosen.link.name}, and link= is "
                f"{wanted.name}. Give it once, as {type(chosen).__name__}(link=...) or with the "
                "family by name"
            )
        chosen = chosen.with_link(wanted)
    highest = chosen.link.mean_range[1]
    if highest < chosen.mean_domain[1]:
        raise ValueError(
            f"the {chosen.link.name} link keeps means below {highest:g}, but those of the "
            f"{chosen.name} family go beyond; choose a link such as log or identity"
        )
    return chosen


def _of_text(text: str) -> tuple[Family, bool]:
    """A family from its name, or from a call of it, and whether that names a link."""
    # R's package in front, and the dots in its names of arguments.
    plain = re.sub(r"^\s*[\w.]+:::?", "", text).strip()
    head, bracket, rest = plain.partition("(")
    cls = choose(head.strip(), _FAMILIES, "family", "jaxglm.Poisson()")
    if not bracket:
        return cls(), False
    rest = re.sub(r"\b(var|link)\.power(\s*=)", r"\1_power\2", rest)
    try:
        call = ast.parse(head + bracket + rest, mode="eval").body
        assert isinstance(call, ast.Call)
        args = [_value(node) for node in call.args]
        kwargs = {str(item.arg): _value(item.value) for item in call.keywords}
    except (SyntaxError, AssertionError):
        raise ValueError(
            f"family {text!r} cannot be read; write it as \"{cls.name}(link='log')\", or give an "
            f"object, jaxglm.{cls.__name__}(link='log')"
        ) from None
    if head.strip() == "negative.binomial" and args and not isinstance(args[0], str):
        kwargs = {"theta": args.pop(0), **kwargs}  # MASS's: only R writes that name with a dot
    if any(not isinstance(value, str) for value in args):
        # R's first argument is theta, ours alpha.
        named = "tweedie(power=1.5)" if cls is Tweedie else "nb(alpha=0.5)"
        raise ValueError(f"family {text!r}: name the number, as in {named!r}")
    names_link = bool(args) or not kwargs.keys().isdisjoint({"link", "link_power"})
    if re.search(r"\bvar\.power\b", text) and not names_link:
        raise ValueError(
            f"family {text!r}: R's link is the power 1 - var.power here, and jaxglm's the log; add "
            "link.power=0 for the log, or the power that is meant"
        )
    return cls(*args, **kwargs), names_link


def _value(node: ast.expr) -> Any:
    """A number or text; what is neither stands for the link of that name, as in R."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node).removesuffix("()")
