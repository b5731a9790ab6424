"""Owns the verb that fits many responses on the same columns: validate, fit, wrap, warn once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from jaxglm.families import Family
from jaxglm.families import family as resolve
from jaxglm.intake import (
    MAX_MEMORY,
    Given,
    Policy,
    ResponseIntake,
    chosen_dtype,
    refuse_shrunk,
    row_vectors,
    solver_options,
    table_responses,
    with_bias,
)
from jaxglm.results import ResponseResults
from jaxglm.search import Options
from jaxglm.verbs._order import check_formula
from jaxglm.verbs._segments import announce, fit_many, reduced
from jaxglm.words import check_choice, understands_habits


@understands_habits
def fit_responses(
    formula: str,
    data: Any,
    responses: Sequence[str],
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
    bias: Literal["firth"] | None = None,
    dtype: str = "float64",
    on_failure: Policy = "warn",
    context: Mapping[str, Callable] | None = None,
    max_memory: float = MAX_MEMORY,
    progress: bool | None = None,
    keep_data: bool = True,
) -> ResponseResults:
    """Fit the same right side to each of many responses, as if it were alone.

    A response that cannot be fitted, or has no ordinary optimum, changes nothing in the others: it
    has its own `status`, nan where nothing can be said, and its words in `failed`.

    Parameters
    ----------
    formula : str
        The right side, as for `glm`: ``"~ x1 + C(g)"``. A ``.`` stands for all columns that are no
        responses.
    data : table
        As for `glm`.
    responses : list of str
        The columns that are responses, each of a fit of its own. Those of two labels must agree in
        what the event is.
    family, link, context
        As for `glm`.
    freq_weights, var_weights, trials, offset, exposure, proportions
        As for `glm`; they hold for every response.
    missing : {"raise", "drop"}
        Rows that miss a predictor or a weight: an error, or they are left out of all fits. Where
        only a response is missing: it is not fitted, or the row is left out of its fit.
    method, tol, max_turns, bias, dtype
        As for `glm`; ``bias="firth"`` takes the bias out of the estimates of all fits.
    start : array, optional
        Coefficients for every fit to start from (link scale), one per column.
    on_failure : {"warn", "raise", "ignore"}
        As for `fit_groups`.
    max_memory : float
        Bytes that the rows in work may take beside the responses.
    progress : bool, optional
        As for `fit_groups`.
    keep_data : bool
        As for `glm`; what is kept are the columns once, and the responses.

    Returns
    -------
    ResponseResults

    Raises
    ------
    DataError, FormulaError
        As for `glm`, for what concerns all responses, or where none can be fitted.
    FitError
        Under ``on_failure="raise"``.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"week": [0, 1, 2, 3], "tea": [1, 2, 4, 7], "ice": [9, 3, 1, 0]}
    >>> fits = jg.fit_responses("~ week", table, ["tea", "ice"], family="poisson")
    >>> fits.params.round(3)
              Intercept   week
    response
    tea           0.063  0.634
    ice           2.226 -1.228
    >>> fits["ice"].predict({"week": [1.5]}).round(2).to_list()
    [1.47]
    """
    check_formula("fit_responses", formula, data)
    vectors = row_vectors(freq_weights, var_weights, trials, offset, exposure)
    given = Given(
        resolve(family, link), vectors, missing, chosen_dtype(dtype), context, proportions
    )
    intake = table_responses(formula, data, responses, given)
    options = solver_options(intake.model.names, method, start, tol, max_turns)
    options = with_bias(options, bias, given.family)
    return response_results(intake, options, on_failure, max_memory, progress, keep_data)


def response_results(
    intake: ResponseIntake,
    options: Options,
    on_failure: Policy,
    max_memory: float,
    progress: bool | None,
    keep_data: bool,
) -> ResponseResults:
    """The fits of all responses, with what is to be said of them raised or warned of."""
    check_choice("keep_data", keep_data, (True, False))
    refuse_shrunk(intake.model, "fit_responses()")
    fits = fit_many(intake.replicas, intake.model, options, on_failure, max_memory, progress)
    for g, notes in intake.own_notes.items():
        if g not in intake.replicas.failed:
            words = fits.words.get(g, fits.usual)
            fits.say(g, words._replace(notes=(*words.notes, *notes)))
    results = ResponseResults(
        fits, intake.model, intake.keys, intake.replicas, intake.native, intake.notes
    )
    results = reduced(results, options)
    if not keep_data:
        results = results.without_data()
    announce(results, intake.cautions, on_failure)
    return results
