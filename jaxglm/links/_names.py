"""Owns what stands for a link: its name, its class, or the same link of statsmodels."""

import re
from fractions import Fraction
from typing import Any

from jaxglm.links._base import Link
from jaxglm.links._power import Identity, Inverse, InverseSquared, Log, Power, Sqrt
from jaxglm.links._probability import Cauchit, CLogLog, Logit, LogLog, Probit
from jaxglm.words import choose

_LINKS: dict[str, type[Link]] = {
    cls.name: cls
    for cls in (
        Identity,
        Log,
        Logit,
        Probit,
        CLogLog,
        LogLog,
        Cauchit,
        Inverse,
        InverseSquared,
        Sqrt,
    )
}
# R's 1/mu^2; statsmodels' InversePower and Cauchy.
_LINKS |= {"1/mu^2": InverseSquared, "inverse_power": Inverse, "cauchy": Cauchit}
_THEIRS = "statsmodels.genmod.families.links"


def as_link(given: Any) -> Link:
    """A link from its name, its class, an object, or the same of statsmodels.

    Raises
    ------
    ValueError
        If there is no such link; the message lists the choices.
    TypeError
        If it is nothing that stands for a link.

    Examples
    --------
    >>> as_link("probit")
    Probit()
    """
    if isinstance(given, str):
        power = re.fullmatch(r"power\((.+)\)", given.lower().replace(" ", ""))
        if power:
            return _power(power[1])
        return choose(given, _LINKS, "link", "jaxglm.Power(exponent)")()
    given = given() if isinstance(given, type) and stands_for_link(given) else given
    if type(given).__module__ == _THEIRS:
        return _of_statsmodels(given)
    if not isinstance(given, Link):
        raise TypeError(f"link must be a name or a link object such as jaxglm.Log(), not {given!r}")
    return given


def stands_for_link(given: Any) -> bool:
    """Whether this is a link, or the name or the class of one."""
    if isinstance(given, str):
        try:
            return bool(as_link(given))
        except ValueError:
            return False
    cls = given if isinstance(given, type) else type(given)
    return issubclass(cls, Link) or cls.__module__ == _THEIRS


def _of_statsmodels(theirs: Any) -> Link:
    name = type(theirs).__name__
    if name == "Power":
        return _power(str(theirs.power))
    try:
        return choose(name, _LINKS, "link", "")()
    except ValueError:
        raise TypeError(
            f"statsmodels' {name} link has no counterpart here; choose one of "
            f"{', '.join(_LINKS)}, or subclass jaxglm.Link"
        ) from None


def _power(text: str) -> Link:
    """R's ``power(lambda)``, whose limit at 0 is the logarithm; lambda may be a fraction, 1/3."""
    try:
        exponent = float(Fraction(text))
    except (ValueError, ZeroDivisionError):
        raise ValueError(
            f"link 'power({text})': the exponent must be a number, as in 'power(1/3)'"
        ) from None
    special = {0.0: Log(), 1.0: Identity(), 0.5: Sqrt(), -1.0: Inverse(), -2.0: InverseSquared()}
    return special.get(exponent) or Power(exponent)
