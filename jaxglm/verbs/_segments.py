"""Owns the verb that fits one model per segment: validate, sort, fit, wrap, warn once."""

import dataclasses
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

import numpy as np

from jaxglm._jax import computing
from jaxglm._status import DataWarning, FitError, SegmentWarning
from jaxglm.families import Family
from jaxglm.families import family as resolve
from jaxglm.inference import Information, column_of_table
from jaxglm.intake import (
    MAX_MEMORY,
    Given,
    GroupIntake,
    Model,
    Policy,
    check_memory,
    chosen_dtype,
    row_vectors,
    solver_options,
    table_segments,
    with_bias,
    with_common_penalty,
    with_separation,
)
from jaxglm.lanes import Fits, _failures, fit_segments
from jaxglm.penalties import AskedPenalty
from jaxglm.results import GroupResults
from jaxglm.results._many import ManyResults
from jaxglm.rows import Replicas, Segments
from jaxglm.search import Options
from jaxglm.verbs._errors import StandardErrors
from jaxglm.verbs._order import check_formula
from jaxglm.verbs._pooling import note_on_prior, pooled_fits
from jaxglm.words import check_choice, understands_habits, warn

Many = TypeVar("Many", bound=ManyResults)

# A bar for a shorter run would be gone before it is read.
_SECONDS_BEFORE_BAR = 2.0


@understands_habits
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
    proportions: bool | None = None,
    missing: Literal["raise", "drop"] = "raise",
    method: Any = "irls",
    start: Any = None,
    tol: float | None = None,
    max_turns: int = 100,
    penalty: AskedPenalty | None = None,
    toward: Literal["pooled"] | None = None,
    bias: Literal["firth"] | None = None,
    dtype: str = "float64",
    on_failure: Policy = "warn",
    on_separation: Literal["flag", "firth"] = "flag",
    context: Mapping[str, Callable] | None = None,
    max_memory: float = MAX_MEMORY,
    progress: bool | None = None,
    keep_data: bool = True,
    cov_type: str | None = None,
    cluster: Any = None,
    cov_kwds: Mapping[str, Any] | None = None,
    information: Information = "expected",
    scale: float | str | None = None,
) -> GroupResults:
    """Fit the same model to each segment of a table, as if it were alone.

    A segment that cannot be fitted, or has no ordinary optimum, changes nothing in the others: it
    has its own `status`, nan where nothing can be said, and its words in `failed`.

    Parameters
    ----------
    formula : str
        As for `glm`. It is read once for the whole table: factor levels, and what transforms learn
        (the knots of `bs`, the mean of `center`), are those of all segments together. A level that
        a segment lacks is aliased there.
    data : table
        As for `glm`; its rows may stand in any order.
    by : str or list of str
        The columns whose values, or combinations of values, make the segments.
    family, link, freq_weights, var_weights, trials, offset, exposure, proportions, context
        As for `glm`.
    missing : {"raise", "drop"}
        Rows that miss a value: their segment is not fitted (its words name the rows), or they are
        left out. Rows without a segment are an error, or left out.
    penalty : Ridge or Quadratic, optional
        As for `glm`, beside the mean loss of each segment: what pulls short segments together.
        ``Quadratic(lam * np.eye(p), center=pooled.params)`` pulls them towards a pooled fit.
    toward : {"pooled"}, optional
        Pull each segment towards what all have in common, the more the less its rows tell: its
        coefficients are draws from a normal distribution whose mean and covariance are estimated
        by restricted maximum likelihood (empirical Bayes; a mixed model in which every coefficient
        has a random part). ``prior_mean`` and ``prior_cov`` of the results have these, and
        ``shrinkage`` says how much each coefficient was pulled. With a dispersion that is
        estimated, all segments have the same.
    method, tol, max_turns, bias, dtype
        As for `glm`; ``bias="firth"`` takes the bias out of the estimates of all segments.
    start : array, optional
        Coefficients for every segment to start from (link scale), one per column.
    on_failure : {"warn", "raise", "ignore"}
        What to do about segments without an ordinary optimum: one warning that counts them by
        kind, an error (its `results` hold all that was fitted), or nothing. A `DataWarning` is
        given in any case, as by `glm`.
    on_separation : {"flag", "firth"}
        What to do about separated segments: say so, with coefficients of inf or -inf, or fit them
        again without their first-order bias, which keeps all estimates finite (`bias` of `glm`).
        The other segments are fitted as ever; `tidy` has the `method` of each, `counts` how many
        are "bias reduced", and `notes` name the first.
    max_memory : float
        Bytes that the rows in work may take beside the table; at least one segment is in work.
    progress : bool, optional
        Show a progress bar (needs tqdm). By default in interactive sessions that have tqdm, where
        a run takes more than two seconds.
    keep_data : bool
        As for `glm`.
    cov_type, cluster, cov_kwds, information, scale
        As for `glm`, in each segment by itself; see `GroupResults.robust`.

    Returns
    -------
    GroupResults

    Raises
    ------
    DataError, FormulaError
        As for `glm`, for what concerns all segments.
    FitError
        Under ``on_failure="raise"``.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {
    ...     "shop": ["a"] * 4 + ["b"] * 4,
    ...     "week": [0, 1, 2, 3] * 2,
    ...     "sold": [1, 2, 4, 7, 9, 3, 1, 0],
    ... }
    >>> fits = jg.fit_groups("sold ~ week", table, by="shop", family="poisson")
    >>> fits.params.round(3)
          Intercept   week
    shop
    a         0.063  0.634
    b         2.226 -1.228
    >>> fits["b"].predict({"week": [1.5]}).round(2).to_list()
    [1.47]
    """
    check_formula("fit_groups", formula, data)
    errors = StandardErrors.of(
        cov_type, cluster, cov_kwds, information, scale, lambda name: column_of_table(data, name)
    )
    vectors = row_vectors(freq_weights, var_weights, trials, offset, exposure)
    given = Given(
        resolve(family, link), vectors, missing, chosen_dtype(dtype), context, proportions
    )
    intake = table_segments(formula, data, by, given)
    options = solver_options(intake.model.names, method, start, tol, max_turns)
    options = with_bias(options, bias, given.family)
    options = with_separation(options, on_separation, given.family)
    return group_results(
        intake, options, penalty, toward, on_failure, max_memory, progress, keep_data, errors
    )


def group_results(
    intake: GroupIntake,
    options: Options,
    penalty: AskedPenalty | None,
    toward: Literal["pooled"] | None,
    on_failure: Policy,
    max_memory: float,
    progress: bool | None,
    keep_data: bool,
    errors: StandardErrors,
) -> GroupResults:
    """The fits of all segments, with what is to be said of them raised or warned of."""
    check_choice("keep_data", keep_data, (True, False))
    check_choice("toward", toward, (None, "pooled"))
    model = intake.model
    with computing(intake.segments.problem.dtype == np.float64):
        options = with_common_penalty(options, penalty, intake.segments.problem, model)
    if penalty is not None:
        model = dataclasses.replace(model, penalty=repr(penalty))

    def fit(options: Options) -> Fits:
        return fit_many(intake.segments, model, options, on_failure, max_memory, progress)

    if toward is None:
        fits = fit(options)
    else:
        fits, model = pooled_fits(intake, options, fit)
    notes = intake.notes if model.prior is None else (*intake.notes, note_on_prior(model.prior))
    results = GroupResults(fits, model, intake.keys, intake.segments, intake.native, notes)
    results = errors.given_to_many(reduced(results, options), intake.segments)
    if not keep_data:
        results = results.without_data()
    announce(results, intake.cautions, on_failure)
    return results


def reduced(results: Many, options: Options) -> Many:
    """The results with a note on the fits without bias, where there are any."""
    which = np.flatnonzero(results.fits.reduced & results.fits.fitted).tolist()
    if options.reduced:
        note = (
            f"Bias reduced: the estimates of every {results.unit} solve scores without the "
            "first-order bias of maximum likelihood (Firth 1993)."
        )
    elif which:
        what = "fitted again without bias: separated, without finite maximum likelihood estimates"
        note = results.note_on(which, ("was", "were"), what)
    else:
        return results
    results.notes += (note,)
    return results


def fit_many(
    lanes: Segments | Replicas,
    model: Model,
    options: Options,
    on_failure: Policy,
    max_memory: float,
    progress: bool | None,
) -> Fits:
    """The fits of all segments or responses, in the arithmetic of their rows."""
    check_choice("on_failure", on_failure, ("warn", "raise", "ignore"))
    check_memory(max_memory)
    double = lanes.problem.dtype == np.float64
    with computing(double), bar(lanes.count, progress) as advance:
        return fit_segments(
            lanes,
            model.family,
            options,
            names=model.names,
            max_memory=max_memory,
            progress=advance,
        )


def announce(results: ManyResults, cautions: Sequence[str], on_failure: Policy) -> None:
    """Raise or warn of fits without an ordinary optimum; warn of what the data may be meant for."""
    for caution in cautions:
        warn(caution, DataWarning)
    headline = _failures.headline(results.fits, results.unit)
    if headline is not None and on_failure == "raise":
        raise FitError(headline, results)
    if headline is not None and on_failure == "warn":
        warn(headline, SegmentWarning)


@contextmanager
def bar(total: int, wanted: bool | None) -> Iterator[Callable[[int], object]]:
    """Something to tell of fits that are done."""
    if wanted is False or (wanted is None and not hasattr(sys, "ps1")):
        yield lambda count: None
        return
    try:
        from tqdm.auto import tqdm
    except ImportError:
        if wanted:
            raise ImportError("progress=True needs tqdm: pip install 'jaxglm[progress]'") from None
        yield lambda count: None
        return
    delay = 0.0 if wanted else _SECONDS_BEFORE_BAR
    with tqdm(total=total, unit=" fits", delay=delay) as bar:
        yield bar.update
