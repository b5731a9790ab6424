"""Owns which functions a formula may call, and what to write in place of some that it may not.

There is no other way from a formula to a function than these tables and the caller's `context`.
"""

from collections.abc import Callable

import numpy as np

from jaxglm.io.formula._contrasts import CODINGS, no_coding
from jaxglm.io.formula._labels import Labels, factor, random_effect, relevel
from jaxglm.io.formula._splines import SPLINES
from jaxglm.io.formula._transforms import SCALINGS
from jaxglm.words import near_text

UFUNCS: dict[str, np.ufunc] = {
    "log": np.log, "log2": np.log2, "log10": np.log10, "log1p": np.log1p,
    "exp": np.exp, "expm1": np.expm1, "sqrt": np.sqrt, "cbrt": np.cbrt,
    "square": np.square, "power": np.power, "abs": np.abs, "absolute": np.abs, "sign": np.sign,
    "floor": np.floor, "ceil": np.ceil, "ceiling": np.ceil,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "tanh": np.tanh,
    "minimum": np.minimum, "maximum": np.maximum,
}  # fmt: skip
# Functions of two numbers that R gives any number of.
OF_SEVERAL: dict[str, np.ufunc] = {"pmin": np.minimum, "pmax": np.maximum}
TRANSFORMS = SCALINGS | SPLINES
FACTORS: dict[str, Callable[..., Labels]] = {
    "C": factor,
    "factor": factor,
    "as.factor": factor,
    "re": random_effect,
    "relevel": relevel,
}
# Functions whose terms have a penalty of their own.
SHRUNK = ("re", "s")
# Functions that hand on what they are given.
PLAIN = ("I", "offset")

_MADE_BEFORE = "make the column in the table first"
_ELSEWHERE = {
    "cbind": "cbind(successes, failures) is a response; on the right side write a + b",
    "cr": "a natural cubic spline is ns(x, df=4)",
    "cut": f"{_MADE_BEFORE}, as with pandas.cut",
    "if_else": "write I(1 * (x > 3)) for a number, or I(x > 3) for two levels",
    "interaction": "write g:h for the interaction of g and h",
    "number": f"numbers need no conversion; where a column holds labels, {_MADE_BEFORE}",
    "ordered": "write C(g, Poly) for the coding of an ordered factor",
    "pow": "write I(x^2) or power(x, 2)",
    "Q": 'a name with odd characters is Q("my column") or `my column`',
    "smooth": "a smooth curve is s(x, k=10), or ns(x, df=5) with a given number of columns",
}
_SAME_HINT = {
    **dict.fromkeys(("ifelse", "where", "case_when"), "if_else"),
    **dict.fromkeys(("as.numeric", "as.integer", "float", "int", "as.double"), "number"),
    **dict.fromkeys(("te", "ti", "t2", "lo", "rcs"), "smooth"),
    "cc": "cr",
    "as.ordered": "ordered",
}


def function_names() -> list[str]:
    """The functions that a formula may call without a context."""
    codings = [name for name in CODINGS if "." not in name]
    return sorted(
        [*UFUNCS, *OF_SEVERAL, *TRANSFORMS, *FACTORS, *PLAIN, "c", *codings], key=str.casefold
    )


def without_prefix(name: str) -> str:
    """A function of numpy by its own name: np.log is log."""
    for prefix in ("np.", "numpy."):
        if name.startswith(prefix) and name.removeprefix(prefix) in UFUNCS:
            return name.removeprefix(prefix)
    return name


def unknown_function(name: str) -> str:
    """What to say where a function is called that there is not."""
    if name.startswith("contr."):
        return no_coding(name)
    last = name.rpartition(".")[2]
    for known in (name, last):
        if hint := _ELSEWHERE.get(_SAME_HINT.get(known, known)):
            return f"there is no function {name!r}; {hint}"
    return (
        f"there is no function {name!r} (your own are given as context={{name: function}}, also "
        f"when predicting with a loaded model); {near_text(last or name, function_names())}"
    )


def wrong_arguments(name: str) -> str:
    """What to say where a function of numbers is not given the columns that it takes."""
    if name in OF_SEVERAL:
        return f"{name}() takes one or more arguments, without a name"
    n_in = UFUNCS[name].nin
    text = f"{name}() takes {n_in} argument{'s' if n_in > 1 else ''}, without a name"
    if name == "log":
        return f"{text}; another base is log2(x), log10(x) or I(log(x) / log(5))"
    return text
