"""Owns the verbs that fit: `glm` for a formula and a table, `GLM` for arrays.

Validate, place, search, wrap: each step is a module of its own; the verbs put them in order and
look once at the status of what came back.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from jaxglm import _status
from jaxglm._jax import computing
from jaxglm._status import DataError, FitError, FormulaError, Status
from jaxglm.families import Family
from jaxglm.families import family as resolve
from jaxglm.intake import (
    MAX_MEMORY,
    Given,
    Policy,
    check_choice,
    chosen_dtype,
    row_vectors,
    solver_options,
)
from jaxglm.intake._doors import Intake, array_intake, table_intake
from jaxglm.intake._responses import array_responses
from jaxglm.intake._segments import array_segments
from jaxglm.results import GroupResults, ResponseResults, Results
from jaxglm.rows import Choice, merge_rows
from jaxglm.search import (
    Estimate,
    Options,
    RangeError,
    estimate_all,
    fit_of,
    outcome_notes,
    rank_refusal,
)
from jaxglm.verbs._order import check_arrays, check_formula, check_one_response
from jaxglm.verbs._responses import response_results
from jaxglm.verbs._segments import group_results
from jaxglm.words import understands_habits, warn


@understands_habits
def glm(
    formula: str,
    data: Any,
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
    dtype: str = "float64",
    on_failure: Policy = "warn",
    rank: Literal["drop", "raise"] = "drop",
    compress: Choice = "auto",
    context: Mapping[str, Callable] | None = None,
    keep_data: bool = True,
) -> Results:
    """Fit a generalized linear model given by a formula and a table.

    Parameters
    ----------
    formula : str
        As in R and statsmodels: ``"y ~ x1 + C(g) + x1:g + bs(x2, df=4) + offset(log(e))"``;
        ``"cbind(successes, failures) ~ ..."`` for grouped binomial data.
    data : table
        pandas, polars or Arrow table, dict of columns, or the path of a Parquet file or folder.
    family : Family or str
        ``jg.Poisson(link=jg.Log())``, a plain name such as ``"poisson"``, or a call as text,
        ``"poisson(link = sqrt)"``. A family object of statsmodels stands for the same one here.
    link : Link or str, optional
        Replaces the link of a family given by name.
    freq_weights : str, number or array, optional
        How many observations each row stands for: the fit equals the one with the rows repeated.
    var_weights : str, number or array, optional
        Prior weights: the variance of row i is ``scale * V(mu_i) / var_weights_i`` (R's `weights`).
    trials : str, number or array, optional
        Binomial trials; the response is then the number of successes, or their proportion.
    offset : str, number or array, optional
        Added to the linear predictor (link scale).
    exposure : str, number or array, optional
        Positive; enters as ``log(exposure)`` under a log link.
    proportions : bool, optional
        What the response is beside `trials`: the proportion of successes, or their number. Left
        out, its values tell: with a fraction anywhere in the table they are proportions; where all
        are 0 or 1 they are taken for numbers, with a warning.
    missing : {"raise", "drop"}
        What to do with rows that miss a value: an error that names them, or leave them out and say
        how many.
    method : {"irls", "newton", "lbfgs"} or optax transformation
        The method tried first. Fisher scoring (IRLS) changes to the observed information by itself
        where it converges slowly; if a method fails, the next one is tried, and `result.method`
        says which one answered.
    start : array, optional
        Coefficients to start from (link scale), one per column.
    tol : float, optional
        Newton decrement at which to stop: the distance to the optimum in standard errors. The
        default is the machine epsilon to the power 2/3: 4e-11 in float64.
    max_turns : int
        Passes over the rows allowed to each attempt.
    dtype : {"float64", "float32"}
        Of the arithmetic. Data in float32 stay so in memory either way.
    on_failure : {"warn", "raise", "ignore"}
        What to do when there is no ordinary optimum (separation, boundary, no convergence).
    rank : {"drop", "raise"}
        Columns that earlier columns determine: leave them out with a nan coefficient and a
        warning, as R does, or raise.
    compress : {"auto", True, False}
        Compute with one row for all rows that are identical, response and weights included; the
        answers are the same up to rounding. "auto" does so from 20,000 rows on, where a
        sample of them promises to save time.
    context : mapping, optional
        Functions of your own that the formula calls, by name.
    keep_data : bool
        Whether the result keeps the rows, encoded as the fit saw them: residuals, fitted values and
        the bootstrap need them; `summary` and `overdispersion` do not. `Results` says what they
        take.

    Returns
    -------
    Results

    Raises
    ------
    DataError
        The data cannot be used as given; the message names the column and the rows.
    FormulaError
        The formula cannot be read.
    FitError
        Under ``on_failure="raise"``.
    TypeError
        For an argument that there is not; those of statsmodels and R are answered with what to
        write, or taken where they mean the same (`start_params`, `maxiter`).

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
    >>> fit = jg.glm("y ~ x", table, family="poisson")
    >>> fit.params.round(4).to_dict()
    {'Intercept': -0.5774, 'x': 0.5368}
    """
    check_formula("glm", formula, data)
    vectors = row_vectors(freq_weights, var_weights, trials, offset, exposure)
    given = Given(
        resolve(family, link), vectors, missing, chosen_dtype(dtype), context, proportions
    )
    intake = table_intake(formula, data, given)
    options = solver_options(intake.model.names, method, start, tol, max_turns)
    return _fit(intake, options, on_failure, rank, compress, keep_data)


class GLM:
    """A generalized linear model of arrays: `X` is taken as it is, as statsmodels does.

    Parameters
    ----------
    y : array-like, [n] or [n, 2]
        The response; two columns are successes and failures of a binomial family.
    X : array-like, [n, p]
        NumPy or JAX array, pandas, polars or Arrow frame, or SciPy sparse matrix. No intercept is
        added; see `add_constant`.
    family, link, freq_weights, var_weights, trials, offset, exposure, proportions, missing
        As for `glm`; the weights are arrays.

    Examples
    --------
    >>> import jaxglm as jg
    >>> import numpy as np
    >>> X = jg.add_constant(np.array([[0.0], [1], [2], [3], [4], [5]]))
    >>> fit = jg.GLM([0, 0, 1, 0, 1, 1], X, family="binomial").fit()
    >>> fit.params.round(3).to_dict()
    {'const': -3.035, 'x1': 1.214}
    """

    @understands_habits
    def __init__(
        self,
        y: Any,
        X: Any,
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
    ):
        check_arrays(y, X)
        self.family = resolve(family, link)
        self._y, self._X, self._missing, self._proportions = y, X, missing, proportions
        self._vectors = row_vectors(freq_weights, var_weights, trials, offset, exposure)
        self._formula: str | None = None
        self._context: Mapping[str, Callable] | None = None

    @classmethod
    @understands_habits
    def from_formula(
        cls,
        formula: str,
        data: Any,
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
        context: Mapping[str, Callable] | None = None,
    ) -> "GLM":
        """Give the model of a formula and a table, which `fit` fits as `glm` does.

        The arguments and errors are those of `glm`; segments and responses are for `fit_groups` and
        `fit_responses` of the package.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
        >>> jg.GLM.from_formula("y ~ x", table, family="poisson").fit().params.round(4).to_dict()
        {'Intercept': -0.5774, 'x': 0.5368}
        """
        check_formula("GLM.from_formula", formula, data)
        model = cls(
            None,
            data,
            family,
            link=link,
            freq_weights=freq_weights,
            var_weights=var_weights,
            trials=trials,
            offset=offset,
            exposure=exposure,
            proportions=proportions,
            missing=missing,
        )
        model._formula, model._context = formula, context
        return model

    @understands_habits
    def fit(
        self,
        *,
        method: Any = "irls",
        start: Any = None,
        tol: float | None = None,
        max_turns: int = 100,
        dtype: str = "float64",
        on_failure: Policy = "warn",
        rank: Literal["drop", "raise"] = "drop",
        compress: Choice = "auto",
        keep_data: bool = True,
    ) -> Results:
        """Fit the model; the arguments are those of `glm`.

        Returns
        -------
        Results

        Raises
        ------
        DataError, FitError
            As for `glm`.
        """
        if self._formula is None:
            check_one_response(self._y, self._X)
            intake = array_intake(self._y, self._X, self._given(dtype))
        else:
            intake = table_intake(self._formula, self._X, self._given(dtype))
        options = solver_options(intake.model.names, method, start, tol, max_turns)
        return _fit(intake, options, on_failure, rank, compress, keep_data)

    @understands_habits
    def fit_groups(
        self,
        groups: Any,
        *,
        method: Any = "irls",
        start: Any = None,
        tol: float | None = None,
        max_turns: int = 100,
        dtype: str = "float64",
        on_failure: Policy = "warn",
        max_memory: float = MAX_MEMORY,
        progress: bool | None = None,
        keep_data: bool = True,
    ) -> GroupResults:
        """Fit the model to each segment of the rows, as if it were alone.

        Parameters
        ----------
        groups : array, or list or table of several
            The segment of each row; with several, each combination that occurs is one.
        method, start, tol, max_turns, dtype, on_failure, max_memory, progress, keep_data
            As for `fit_groups`.

        Returns
        -------
        GroupResults

        Raises
        ------
        DataError, FitError
            As for `fit_groups`.

        Examples
        --------
        >>> import jaxglm as jg
        >>> import numpy as np
        >>> X = jg.add_constant(np.tile([[0.0], [1], [2], [3]], (2, 1)))
        >>> y = [1, 2, 4, 7, 9, 3, 1, 0]
        >>> fits = jg.GLM(y, X, family="poisson").fit_groups(["up"] * 4 + ["down"] * 4)
        >>> fits.params.round(3)
               const     x1
        group
        down   2.226 -1.228
        up     0.063  0.634
        """
        self._refuse_formula("fit_groups(formula, data, by=...)")
        check_one_response(self._y, self._X)
        intake = array_segments(self._y, self._X, groups, self._given(dtype))
        options = solver_options(intake.model.names, method, start, tol, max_turns)
        return group_results(intake, options, on_failure, max_memory, progress, keep_data)

    @understands_habits
    def fit_responses(
        self,
        *,
        method: Any = "irls",
        start: Any = None,
        tol: float | None = None,
        max_turns: int = 100,
        dtype: str = "float64",
        on_failure: Policy = "warn",
        max_memory: float = MAX_MEMORY,
        progress: bool | None = None,
        keep_data: bool = True,
    ) -> ResponseResults:
        """Fit each column of `y` as a response of its own, as if it were alone.

        Here `y` may have any number of columns; two of them are two responses. Names are those of a
        frame, else y1, y2, ...; weights, trials, offset and exposure hold for every response.

        Parameters
        ----------
        method, start, tol, max_turns, dtype, on_failure, max_memory, progress, keep_data
            As for `fit_responses`.

        Returns
        -------
        ResponseResults

        Raises
        ------
        DataError, FitError
            As for `fit_responses`.

        Examples
        --------
        >>> import jaxglm as jg
        >>> import numpy as np
        >>> X = jg.add_constant(np.array([[0.0], [1], [2], [3]]))
        >>> Y = np.array([[1, 9], [2, 3], [4, 1], [7, 0]])
        >>> fits = jg.GLM(Y, X, family="poisson").fit_responses()
        >>> fits.params.round(3)
                  const     x1
        response
        y1        0.063  0.634
        y2        2.226 -1.228
        """
        self._refuse_formula("fit_responses(formula, data, responses=...)")
        intake = array_responses(self._y, self._X, self._given(dtype))
        options = solver_options(intake.model.names, method, start, tol, max_turns)
        return response_results(intake, options, on_failure, max_memory, progress, keep_data)

    def _given(self, dtype: str) -> Given:
        return Given(
            self.family,
            self._vectors,
            self._missing,
            chosen_dtype(dtype),
            self._context,
            self._proportions,
        )

    def _refuse_formula(self, instead: str) -> None:
        if self._formula is not None:
            raise FormulaError(f"This is a model of a formula: write jaxglm.{instead}.")


def _fit(
    intake: Intake,
    options: Options,
    on_failure: Policy,
    rank: str,
    compress: Choice,
    keep_data: bool,
) -> Results:
    check_choice("on_failure", on_failure, ("warn", "raise", "ignore"))
    check_choice("rank", rank, ("drop", "raise"))
    check_choice("compress", compress, ("auto", True, False))
    check_choice("keep_data", keep_data, (True, False))
    problem, family = merge_rows(intake.problem, compress), intake.model.family
    with computing(problem.dtype == np.float64):
        try:
            found, fitted, shape = estimate_all(problem, problem.narrowed(family), options)
        except RangeError as error:
            raise DataError(error.told(intake.model.names, problem.dtype)) from None
        aliased = np.array(intake.model.names)[problem.public(~found.basis.keep)]
        if rank == "raise" and aliased.size:
            raise DataError(rank_refusal(aliased))
        family = family if shape is None else fitted
        fit = fit_of(problem, fitted, found, shape=shape)
        notes = outcome_notes(intake.problem, intake.model.names, family, found, fit)
        texts = tuple(note.text for note in notes) + intake.notes
        fit = dataclasses.replace(fit, notes=texts)
    _announce(found, notes, intake.cautions, on_failure)
    model = dataclasses.replace(intake.model, family=family)
    results = Results(fit, model)
    return results if keep_data else results.without_data()


def _announce(found: Estimate, notes, cautions: Sequence[str], on_failure: Policy) -> None:
    """Raise or warn, as the policy says; the result carries the same words as notes."""
    if on_failure == "raise" and found.status is not Status.CONVERGED:
        raise FitError(" ".join(note.text for note in notes) or found.status.message)
    if on_failure == "ignore":
        return
    for note in notes:
        if note.warning is not None:
            warn(note.text, note.warning)
    for caution in cautions:
        warn(caution, _status.DataWarning)
