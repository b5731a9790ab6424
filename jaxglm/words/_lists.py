"""Owns the wording that messages of several rooms share: lists, and names spelt nearly alike."""

import difflib
import re
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

import numpy as np

T = TypeVar("T")
H = TypeVar("H", bound=Hashable)


def near_text(name: str, choices: Iterable[str]) -> str:
    """Suggest the choices spelt nearly like `name`, or list a few of them."""
    choices = [str(choice) for choice in choices]
    folded = {choice.casefold(): choice for choice in choices}
    near = difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.6)
    if near:
        return "did you mean " + " or ".join(repr(folded[key]) for key in near) + "?"
    return "there is " + listed(choices)


def listed(items: Iterable[object], limit: int = 12) -> str:
    """Join at most `limit` items for a message."""
    items = list(items)
    text = ", ".join(str(item) for item in items[:limit])
    return text + (f" and {len(items) - limit} more" if len(items) > limit else "") or "nothing"


def repeated(items: Iterable[H]) -> H | None:
    """The first of some names that stands among them again; None where all differ."""
    seen: set[H] = set()
    for item in items:
        if item in seen:
            return item
        seen.add(item)
    return None


def choose(name: str, choices: Mapping[str, T], kind: str, example: str) -> T:
    """The choice of this name, however it is punctuated: "inverse.gaussian", "InverseGaussian".

    A module in front of the name is left out, as in "families.Poisson".

    Raises
    ------
    ValueError
        If there is none; the message lists the choices, and those spelt nearly so first.
    """
    known = {_squeezed(key): value for key, value in choices.items()}
    for text in (name, name.rpartition(".")[2]):
        if _squeezed(text) in known:
            return known[_squeezed(text)]
    near = difflib.get_close_matches(_squeezed(name), known, n=1, cutoff=0.6)
    spelt = next((f" (did you mean {key!r}?)" for key in choices if _squeezed(key) in near), "")
    raise ValueError(
        f"unknown {kind} {name!r}{spelt}: choose one of {', '.join(choices)}, or give an object "
        f"such as {example}"
    )


def _squeezed(name: str) -> str:
    return re.sub(r"[\s._-]", "", name.lower())


def key_text(key: object) -> str:
    """A key of a table as a reader would write it, without the types of NumPy and pandas.

    Examples
    --------
    >>> import numpy as np
    >>> key_text((np.int64(3), "a"))
    "(3, 'a')"
    """
    if isinstance(key, tuple):
        return f"({', '.join(map(key_text, key))})"
    plain = key.item() if isinstance(key, np.generic) else key
    return repr(plain) if isinstance(plain, str | int | float) else repr(str(plain))
