"""Owns how a family may be called: a link by name, and what R and statsmodels call parameters."""

import dataclasses
import functools
import numbers
from collections.abc import Callable
from typing import Any

import numpy as np

from jaxglm.links import as_link, stands_for_link
from jaxglm.words import near_text


def _alpha(theta: Any) -> float:
    if not isinstance(theta, numbers.Real) or not float(theta) > 0:
        raise ValueError(f"theta={theta!r}: theta must be positive (alpha = 1/theta)")
    return 1.0 / float(theta)


def check_single(name: str, parameter: Any) -> None:
    """Refuse text and several numbers; what jax holds in place of a number is let through."""
    if isinstance(parameter, str | list | tuple | np.ndarray):
        raise TypeError(f"{name} must be one number, not {parameter!r}")


# Another name of a parameter: ours, and its value there.
_OTHER_NAMES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "var_power": ("power", lambda power: power),  # statsmodels' Tweedie
    "link_power": ("link", lambda power: f"power({power})"),  # R's tweedie
    "theta": ("alpha", _alpha),  # MASS's negative.binomial
}


def read_arguments(cls: type, generated: bool) -> None:
    """Have the constructor of a family class read its arguments as users of others write them.

    The link may be a name, a class or an object, and stand first, as in statsmodels. A
    constructor that is not `generated`, but the class's own, has its own arguments, of which only
    `link` is read.
    """
    construct = cls.__dict__["__init__"]
    fields = [field.name for field in dataclasses.fields(cls) if field.init]

    @functools.wraps(construct)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        if generated:
            built_in = cls.__module__.startswith("jaxglm.")
            args, kwargs = _named(args, kwargs, fields, cls.__name__, built_in)
        if "link" in kwargs:
            # statsmodels' default is None, the family's own link.
            link = kwargs.pop("link")
            kwargs |= {} if link is None else {"link": as_link(link)}
        construct(self, *args, **kwargs)

    # mypy: a class made elsewhere is given another constructor, which is the purpose.
    cls.__init__ = __init__  # type: ignore[misc]


def _named(
    args: tuple[Any, ...], kwargs: dict[str, Any], fields: list[str], name: str, built_in: bool
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments under the names of the fields."""
    # No parameter of ours is text; one of a user's own family may be.
    positional_links = [
        arg for arg in args if stands_for_link(arg) or (built_in and isinstance(arg, str))
    ]
    if len(positional_links) == 1 and "link" not in kwargs:
        args = tuple(arg for arg in args if arg is not positional_links[0])
        kwargs = {**kwargs, "link": positional_links[0]}
    elif positional_links and built_in:
        raise TypeError(f"{name}: the link is given twice; give it once, as {name}(link=...)")
    for key in [key for key in kwargs if key not in fields]:
        ours, value = _OTHER_NAMES.get(key, ("", None))
        if value is None or ours not in fields:
            raise TypeError(f"{name} has no parameter {key!r}; {near_text(key, fields)}")
        if ours in kwargs:
            raise TypeError(f"{name}: {key}= is {ours}= here; give one of the two")
        kwargs = {**kwargs, ours: value(kwargs[key])}
        del kwargs[key]
    return args, kwargs
