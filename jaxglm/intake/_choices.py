"""Owns the checks of what a caller chooses, for the verbs that fit."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from jaxglm._status import DataError
from jaxglm.families import Family
from jaxglm.rows import ONE_FIT, OneFit
from jaxglm.search import Options, can_reduce, has_unknown_shape
from jaxglm.words import check_choice, is_between, is_one_of, is_positive, listed

# Bytes that the rows in work on many fits may take.
MAX_MEMORY = 2.0**28

Policy = Literal["warn", "raise", "ignore"]
_DTYPES = ("float64", "float32", np.float64, np.float32, np.dtype(np.float64), np.dtype(np.float32))
# What may be given for each row beside the response.
WEIGHTS = ("freq_weights", "var_weights", "trials", "offset", "exposure")


@dataclasses.dataclass(frozen=True)
class Given:
    """What a caller gave beside the rows themselves, the same at every door.

    Attributes
    ----------
    family : Family
    vectors : dict
        Column names or arrays, by argument name; see `row_vectors`.
    missing : "raise" or "drop"
    dtype : dtype
        Of the arithmetic.
    context : mapping or None
        Functions that a formula may call by name.
    proportions : bool or None
        Whether a response beside trials is the proportion of successes or their number; None leaves
        that to its values.
    fits : OneFit
        What a row that cannot be used ends. Those of its rows that come through are in the problem,
        sound values or not.
    """

    family: Family
    vectors: Mapping[str, Any]
    missing: str
    dtype: np.dtype
    context: Mapping[str, Any] | None = None
    proportions: bool | None = None
    fits: OneFit = ONE_FIT

    def __post_init__(self) -> None:
        check_choice("proportions", self.proportions, (None, True, False))
        if not isinstance(self.context, Mapping | None):
            raise TypeError(
                f"context must be a dict of functions by name, not a {type(self.context).__name__}"
            )
        if self.proportions is not None and self.vectors.get("trials") is None:
            raise DataError(
                "proportions= says what the response is beside trials=: give the number of trials "
                "of each row as well."
            )


def check_memory(max_memory: float) -> None:
    """Refuse what is no number of bytes."""
    if not is_positive(max_memory):
        raise ValueError(f"max_memory must be a positive number of bytes, not {max_memory!r}")


def row_vectors(freq_weights, var_weights, trials, offset, exposure) -> dict[str, Any]:
    """What was given for each row, by argument name."""
    return dict(zip(WEIGHTS, (freq_weights, var_weights, trials, offset, exposure), strict=True))


def chosen_dtype(dtype: str) -> np.dtype:
    """The dtype of the arithmetic."""
    if not is_one_of(dtype, _DTYPES):
        raise ValueError(f"dtype must be 'float64' or 'float32', not {dtype!r}")
    return np.dtype(dtype)


def solver_options(
    names: Sequence[str], method: Any, start: Any, tol: float | None, turns: int
) -> Options:
    """The options of a search, for columns of these names."""
    method = method.lower() if isinstance(method, str) else method
    transforms = hasattr(method, "init") and hasattr(method, "update")
    if not transforms and not is_one_of(method, ("irls", "newton", "lbfgs")):
        raise ValueError(
            f"method must be 'irls', 'newton', 'lbfgs' or an optax transformation, not {method!r}"
        )
    if start is not None:
        start = _coefficients(start, names)
    if tol is not None and not is_positive(tol):
        raise ValueError(f"tol must be a positive number, not {tol!r}")
    if not is_between(turns, 0, 2**31):
        raise ValueError(f"max_turns must be a number of passes, 1 or more, not {turns!r}")
    return Options(method=method, start=start, tol=tol, max_turns=int(turns))


def with_bias(options: Options, bias: Any, family: Family) -> Options:
    """The options, with the bias taken out of the estimates where that is asked for."""
    check_choice("bias", bias, (None, "firth"))
    if bias is None:
        return options
    if options.method != "irls":
        raise ValueError("bias='firth' has a method of its own: leave out method=")
    _refuse_family("bias='firth'", family)
    return dataclasses.replace(options, reduced=True)


def with_separation(options: Options, on_separation: Any, family: Family) -> Options:
    """The options, with what is to be done about separated segments."""
    check_choice("on_separation", on_separation, ("flag", "firth"))
    if on_separation == "flag":
        return options
    if options.reduced:
        raise ValueError(
            "bias='firth' keeps the estimates of every segment finite: leave out on_separation="
        )
    _refuse_family("on_separation='firth'", family)
    return dataclasses.replace(options, reduce_separated=True)


def _refuse_family(asked: str, family: Family) -> None:
    """Refuse to reduce bias for a family with parameters that it cannot estimate."""
    if has_unknown_shape(family):
        raise ValueError(
            f"{asked} needs a negative binomial family whose alpha is given, as "
            "NegativeBinomial(alpha=0.5): it does not estimate one."
        )
    if not can_reduce(family):
        plain = {"quasipoisson": "poisson", "quasibinomial": "binomial"}.get(family.name)
        instead = f" Fit family={plain!r} with it." if plain else ""
        raise ValueError(
            f"{asked} is not for the {family.name} family: the bias is proportional to the "
            f"dispersion, and that has no likelihood here.{instead}"
        )


def _coefficients(start: Any, names: Sequence[str]) -> np.ndarray:
    """Coefficients to start from, one for each column."""
    try:
        values = np.asarray(start, float)
        fault = f"its shape is {values.shape}"
    except (TypeError, ValueError):
        values, fault = np.empty(0), "it holds what is no number"
    if values.shape != (len(names),) or not np.isfinite(values).all():
        raise DataError(
            f"start must hold {len(names)} finite coefficients, one per column "
            f"({listed(names, 5)}); {fault}."
        )
    return values
