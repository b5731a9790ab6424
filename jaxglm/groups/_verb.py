"""Owns the verb that fits one model per segment: validate, sort, fit, wrap, warn once.

Imports `_intake`, `_fit` (for its checks), `_segments`, `_lanes`, `_settings`, `groups` and io.
"""

import dataclasses
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import jax
import numpy as np
import pandas as pd

from jaxglm import _status, io
from jaxglm._fit import Policy, check_choice, floating, named_vectors
from jaxglm._intake import Intake, from_formula_where
from jaxglm._settings import Options
from jaxglm._status import FitError, Status
from jaxglm.families import Family
from jaxglm.families import family as resolve
from jaxglm.groups._results import GroupResults
from jaxglm.groups._search import fit_segments
from jaxglm.groups._segments import Segments

_WARNINGS: dict[Status, type[Warning]] = {
    Status.SEPARATED: _status.SeparationWarning,
    Status.BOUNDARY: _status.BoundaryWarning,
}


def fit_groups(
    formula: str,
    data: Any,
    by: str | Sequence[str],
    family: Family | str = "gaussian",
    *,
    link: Any = None,
    freq_weights: Any = None,
    var_weights: Any = None,
    trials: Any = None,
    offset: Any = None,
    exposure: Any = None,
    missing: Literal["raise", "drop"] = "raise",
    method: Any = "irls",
    start: Any = None,
    tol: float | None = None,
    max_turns: int = 100,
    dtype: str = "float64",
    on_failure: Policy = "warn",
    context: Mapping[str, Callable] | None = None,
    max_memory: float = 2.0**30,
    progress: bool = False,
) -> GroupResults:
    """Fit the same model to every segment of a table, each as if it were alone.

    Parameters
    ----------
    formula, data, family, link, freq_weights, var_weights, trials, offset, exposure
        As for `glm`.
    by : str or list of str
        The columns whose values make the segments.
    missing : {"raise", "drop"}
        Rows that miss a value: their segment fails with words that name them, or they are left out.
    method, start, tol, max_turns, dtype, context
        As for `glm`; `start` is for all segments.
    on_failure : {"warn", "raise", "ignore"}
        What to do about segments without an ordinary optimum; one warning counts them by kind.
    max_memory : float
        Bytes that the rows in work may take.
    progress : bool
        Show a progress bar (needs tqdm).

    Returns
    -------
    GroupResults

    Raises
    ------
    DataError, FormulaError
        For what concerns all segments; what concerns one is in `GroupResults.failed`.
    FitError
        Under ``on_failure="raise"``.
    """
    fitted_family = resolve(family, link)
    vectors = named_vectors(freq_weights, var_weights, trials, offset, exposure)
    names = [by] if isinstance(by, str) else list(by)
    check_choice("on_failure", on_failure, ("warn", "raise", "ignore"))
    table = io.read_table(data)
    codes, keys = io.segments_of(table, names)
    intake, order, bad = from_formula_where(
        formula,
        data,
        fitted_family,
        vectors,
        codes,
        missing=missing,
        context=context,
        dtype=floating(dtype),
    )
    raise NotImplementedError(
        (
            intake,
            order,
            bad,
            keys,
            dataclasses,
            warnings,
            Counter,
            jax,
            np,
            pd,
            Intake,
            Segments,
            fit_segments,
            Options,
            FitError,
            method,
            start,
            tol,
            max_turns,
            max_memory,
            progress,
        )
    )
