"""Owns `GLM`, the verbs for arrays."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from jaxglm._status import DataError, FormulaError
from jaxglm.families import Family
from jaxglm.families import family as resolve
from jaxglm.inference import Information, column_of_table
from jaxglm.intake import (
    MAX_MEMORY,
    Given,
    Intake,
    Policy,
    array_intake,
    array_responses,
    array_segments,
    chosen_dtype,
    row_vectors,
    solver_options,
    table_intake,
    with_bias,
    with_separation,
)
from jaxglm.penalties import AskedPenalty
from jaxglm.results import (
    CrossValidation,
    GroupResults,
    PathResults,
    ResponseResults,
    Results,
)
from jaxglm.rows import Choice
from jaxglm.verbs._cross_validate import Division, Measure, validated
from jaxglm.verbs._errors import StandardErrors
from jaxglm.verbs._fit import results_of
from jaxglm.verbs._order import check_arrays, check_formula, check_one_response
from jaxglm.verbs._path import AskedPath, at_strength_one, path_results
from jaxglm.verbs._responses import response_results
from jaxglm.verbs._segments import group_results
from jaxglm.words import no_attribute, understands_habits


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

    def __getattr__(self, name: str) -> Any:
        no_attribute(self, name, "model.fit()", Results)

    @property
    def exog_names(self) -> list[str]:
        """The column names, as statsmodels calls them; the data are read for them."""
        if self._formula is not None:
            return list(self._intake("float64").model.names)
        return list(array_intake(None, self._X, self._given("float64")).model.names)

    @property
    def endog_names(self) -> str:
        """The name of the response, as statsmodels calls it; the data are read for it."""
        return self._intake("float64").model.y_name

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
        penalty: AskedPenalty | None = None,
        bias: Literal["firth"] | None = None,
        dtype: str = "float64",
        on_failure: Policy = "warn",
        rank: Literal["drop", "raise"] = "drop",
        compress: Choice = "auto",
        keep_data: bool = True,
        cov_type: str | None = None,
        cluster: Any = None,
        cov_kwds: Mapping[str, Any] | None = None,
        information: Information = "expected",
        scale: float | str | None = None,
    ) -> Results:
        """Fit the model; the arguments are those of `glm`, and clusters are given by their values.

        Returns
        -------
        Results

        Raises
        ------
        DataError, FitError
            As for `glm`.
        """
        errors = StandardErrors.of(cov_type, cluster, cov_kwds, information, scale, self._column)
        intake = self._intake(dtype)
        options = solver_options(intake.model.names, method, start, tol, max_turns)
        options = with_bias(options, bias, self.family)
        return results_of(intake, options, penalty, on_failure, rank, compress, keep_data, errors)

    @understands_habits
    def fit_path(
        self,
        *,
        penalty: AskedPenalty | None = None,
        l1_ratio: float = 1.0,
        lambdas: Sequence[float] | None = None,
        n_lambdas: int = 100,
        lambda_min_ratio: float | None = None,
        standardize: bool = False,
        penalty_factor: Any = None,
        tol: float | None = None,
        max_turns: int = 1000,
        dtype: str = "float64",
        compress: Choice = "auto",
    ) -> PathResults:
        """Fit the model under a penalty of falling strength; see `jaxglm.fit_path`.

        Raises
        ------
        DataError, ValueError
            As there.
        """
        one = at_strength_one(penalty, l1_ratio, standardize, penalty_factor)
        asked = AskedPath.of(one, lambdas, n_lambdas, lambda_min_ratio, tol, max_turns)
        return path_results(self._intake(dtype), asked, compress)

    @understands_habits
    def cross_validate(
        self,
        *,
        folds: Any = 10,
        by: Any = None,
        time: Any = None,
        seed: int = 0,
        measure: Measure = "deviance",
        penalty: AskedPenalty | None = None,
        l1_ratio: float = 1.0,
        lambdas: Sequence[float] | None = None,
        n_lambdas: int = 100,
        lambda_min_ratio: float | None = None,
        standardize: bool = False,
        penalty_factor: Any = None,
        tol: float | None = None,
        max_turns: int = 1000,
        dtype: str = "float64",
    ) -> CrossValidation:
        """Choose the strength of a penalty by rows not seen; see `jaxglm.cross_validate`.

        Groups and times are given by their values.

        Raises
        ------
        DataError, ValueError
            As there.
        """
        one = at_strength_one(penalty, l1_ratio, standardize, penalty_factor)
        asked = AskedPath.of(one, lambdas, n_lambdas, lambda_min_ratio, tol, max_turns)
        division = Division.of(folds, by, time, seed, self._column)
        return validated(self._intake(dtype), asked, division, measure)

    @understands_habits
    def fit_constrained(self, constraints: Any) -> Results:
        """Fit the model under linear constraints; see `Results.fit_constrained`.

        Raises
        ------
        DataError
            As there.
        """
        return self.fit(on_failure="ignore").fit_constrained(constraints)

    @understands_habits
    def fit_groups(
        self,
        groups: Any,
        *,
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
        max_memory: float = MAX_MEMORY,
        progress: bool | None = None,
        keep_data: bool = True,
        cov_type: str | None = None,
        cluster: Any = None,
        cov_kwds: Mapping[str, Any] | None = None,
        information: Information = "expected",
        scale: float | str | None = None,
    ) -> GroupResults:
        """Fit the model to each segment of the rows, as if it were alone.

        Parameters
        ----------
        groups : array, or list or table of several
            The segment of each row; with several, each combination that occurs is one.
        method, start, tol, max_turns, penalty, toward, bias, dtype, on_failure, on_separation,
        max_memory, progress, keep_data
            As for `fit_groups`.
        cov_type, cluster, cov_kwds, information, scale
            As for `fit_groups`; clusters are given by their values.

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
        check_one_response(self._y, self._X, self.family)
        errors = StandardErrors.of(cov_type, cluster, cov_kwds, information, scale, self._column)
        intake = array_segments(self._y, self._X, groups, self._given(dtype))
        options = solver_options(intake.model.names, method, start, tol, max_turns)
        options = with_bias(options, bias, self.family)
        options = with_separation(options, on_separation, self.family)
        return group_results(
            intake, options, penalty, toward, on_failure, max_memory, progress, keep_data, errors
        )

    @understands_habits
    def fit_responses(
        self,
        *,
        method: Any = "irls",
        start: Any = None,
        tol: float | None = None,
        max_turns: int = 100,
        bias: Literal["firth"] | None = None,
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
        method, start, tol, max_turns, bias, dtype, on_failure, max_memory, progress, keep_data
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
        options = with_bias(options, bias, self.family)
        return response_results(intake, options, on_failure, max_memory, progress, keep_data)

    def _intake(self, dtype: str) -> Intake:
        if self._formula is not None:
            return table_intake(self._formula, self._X, self._given(dtype))
        check_one_response(self._y, self._X, self.family)
        return array_intake(self._y, self._X, self._given(dtype))

    def _given(self, dtype: str) -> Given:
        return Given(
            self.family,
            self._vectors,
            self._missing,
            chosen_dtype(dtype),
            self._context,
            self._proportions,
        )

    def _column(self, name: str) -> Any:
        """The values of a column of the table, for a model of a formula."""
        if self._formula is not None:
            return column_of_table(self._X, name)
        raise DataError(
            f"{name!r} names a column, and this is a model of arrays: give the values themselves."
        )

    def _refuse_formula(self, instead: str) -> None:
        if self._formula is not None:
            raise FormulaError(f"This is a model of a formula: write jaxglm.{instead}.")
