"""Owns `fit_path`: one model under a falling penalty."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from jaxglm._jax import computing
from jaxglm._status import ConvergenceWarning, DataError
from jaxglm.families import Family
from jaxglm.families import family as resolve
from jaxglm.intake import (
    Given,
    Intake,
    check_columns,
    chosen_dtype,
    penalised_columns,
    refuse_shrunk,
    row_vectors,
    solver_options,
    table_intake,
)
from jaxglm.penalties import ElasticNet, thresholded_of
from jaxglm.results import PathResults, Results
from jaxglm.rows import Choice, merge_rows
from jaxglm.search import Options, Path, PathPoint, RangeError, has_unknown_shape
from jaxglm.verbs._errors import StandardErrors
from jaxglm.verbs._fit import results_of
from jaxglm.verbs._order import check_formula
from jaxglm.words import check_choice, is_between, is_from, understands_habits, warn

# Newton decrement, in standard errors, at which an optimum along a path ends.
_TOL = 1e-5
# The share of absolute values from which a ridge path takes its first strength, as glmnet does.
_LEAST_SHARE = 1e-3


@understands_habits
def fit_path(
    formula: str,
    data: Any,
    family: Family | str = "gaussian",
    *,
    l1_ratio: float = 1.0,
    lambdas: Sequence[float] | None = None,
    n_lambdas: int = 100,
    lambda_min_ratio: float | None = None,
    standardize: bool = False,
    penalty_factor: Any = None,
    link: Any = None,
    freq_weights: Any = None,
    var_weights: Any = None,
    trials: Any = None,
    offset: Any = None,
    exposure: Any = None,
    proportions: bool | None = None,
    missing: Literal["raise", "drop"] = "raise",
    tol: float | None = None,
    max_turns: int = 1000,
    dtype: str = "float64",
    compress: Choice = "auto",
    context: Mapping[str, Callable] | None = None,
) -> PathResults:
    """Fit a model under an elastic net of falling strength, as glmnet does.

    The first strength is the least that leaves all penalised coefficients at zero. Each optimum
    starts from the one before it. The path ends early where the model explains 99.9 % of the null
    deviance, or where another step explains next to nothing more.

    Parameters
    ----------
    formula, data, family, link
        As for `glm`.
    l1_ratio : float, from 0 to 1
        The share of the absolute values: 1 is the lasso, 0 ridge regression.
    lambdas : sequence of float, optional
        The strengths, in any order; all of them are fitted.
    n_lambdas : int
        How many strengths to go through, on a logarithmic scale.
    lambda_min_ratio : float, optional
        The last strength as a share of the first; 1e-4, or 0.01 with fewer rows than columns.
    standardize, penalty_factor
        As for `ElasticNet`.
    freq_weights, var_weights, trials, offset, exposure, proportions, missing
        As for `glm`.
    tol : float, optional
        Newton decrement at which to stop at each strength, in standard errors; 1e-5.
    max_turns : int
        Passes over the rows allowed at each strength.
    dtype, compress, context
        As for `glm`.

    Returns
    -------
    PathResults

    Raises
    ------
    DataError
        As for `glm`; also where no column is penalised.
    ValueError
        For strengths, a share or a number that cannot be.

    Examples
    --------
    >>> import jaxglm as jg
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> table = {name: rng.normal(size=100) for name in "abc"}
    >>> table["y"] = rng.poisson(np.exp(table["a"]))
    >>> path = jg.fit_path("y ~ a + b + c", table, "poisson")
    >>> path.best("bic").params.round(3).to_dict()
    {'Intercept': 0.022, 'a': 1.032, 'b': 0.0, 'c': 0.0}
    """
    check_formula("fit_path", formula, data)
    net = ElasticNet(1.0, l1_ratio, standardize=standardize, penalty_factor=penalty_factor)
    asked = AskedPath.of(net, lambdas, n_lambdas, lambda_min_ratio, tol, max_turns)
    vectors = row_vectors(freq_weights, var_weights, trials, offset, exposure)
    given = Given(
        resolve(family, link), vectors, missing, chosen_dtype(dtype), context, proportions
    )
    intake = table_intake(formula, data, given)
    return path_results(intake, asked, compress)


@dataclasses.dataclass(frozen=True)
class AskedPath:
    """What a caller asks of a path.

    Attributes
    ----------
    net : ElasticNet
        At strength 1.
    given : [k] or None
        Its strengths, falling; None for so many (`count`) down to a share of the first.
    count : int
    share : float or None
    tol : float or None
    max_turns : int
    """

    net: ElasticNet
    given: np.ndarray | None
    count: int
    share: float | None
    tol: float | None
    max_turns: int

    @classmethod
    def of(
        cls,
        net: ElasticNet,
        lambdas: Any,
        n_lambdas: Any,
        lambda_min_ratio: Any,
        tol: float | None,
        max_turns: int,
    ) -> "AskedPath":
        """Check the arguments of `fit_path`.

        Raises
        ------
        ValueError
        """
        if not is_from(n_lambdas, 2, 1e6) or int(n_lambdas) != n_lambdas:
            raise ValueError(f"n_lambdas must be a whole number of 2 or more, not {n_lambdas!r}")
        if lambda_min_ratio is not None and not is_between(lambda_min_ratio, 0, 1):
            raise ValueError(
                f"lambda_min_ratio must be a number between 0 and 1, not {lambda_min_ratio!r}"
            )
        if lambdas is None:
            return cls(net, None, int(n_lambdas), lambda_min_ratio, tol, max_turns)
        try:
            values = np.asarray(lambdas, float).ravel()
        except (TypeError, ValueError):
            values = np.full(1, np.nan)
        if values.size == 0 or not (np.isfinite(values) & (values >= 0)).all():
            raise ValueError("lambdas must be finite numbers of 0 or more, one at least")
        return cls(net, np.unique(values)[::-1], values.size, None, tol, max_turns)

    def falling_from(self, most: float, *, wide: bool) -> np.ndarray:
        """The strengths in falling order, where none was given from the strongest that counts."""
        if self.given is not None:
            return self.given
        share = self.share if self.share is not None else (0.01 if wide else 1e-4)
        return most * np.geomspace(1.0, share, self.count)

    def options(self, names: Sequence[str]) -> Options:
        """The options of each optimum, for columns of these names."""
        tol = _TOL if self.tol is None else self.tol
        return solver_options(names, "irls", None, tol, self.max_turns)


def path_results(intake: Intake, asked: AskedPath, compress: Choice) -> PathResults:
    """The path of a model that has been read."""
    check_choice("compress", compress, ("auto", True, False))
    model, family, net = intake.model, intake.model.family, asked.net
    refuse_shrunk(model, "a path of penalties")
    options = asked.options(model.names)
    if has_unknown_shape(family):
        raise ValueError(
            "a path needs a negative binomial family whose alpha is given, as "
            "NegativeBinomial(alpha=0.5): each strength would have another one"
        )
    problem = merge_rows(intake.problem, compress)
    narrow = problem.narrowed(family)
    with computing(problem.dtype == np.float64):
        columns = penalised_columns(problem, model)
        check_columns(columns)
        shares = thresholded_of(net.with_share(max(net.l1_ratio, _LEAST_SHARE)), columns)
        thresholds = np.asarray(shares.bend.threshold)
        held = thresholds > 0
        if not held.any():
            raise DataError(
                "no column is penalised: there is none beside the intercept whose penalty_factor "
                "is not 0"
            )
        path = Path(problem, narrow, options, thresholded_of(net, columns))
        try:
            null, slopes = path.null(held)
            most = float(np.max(np.abs(slopes[held]) / thresholds[held]))
            if not most > 0:
                raise DataError(
                    "the model without the penalised columns leaves nothing of the response to "
                    "explain, so there is no path"
                )
            strengths = asked.falling_from(most, wide=problem.n_rows < problem.n_columns)
            points = list(path.along(strengths, null if asked.given is None else None))
        except RangeError as error:
            raise DataError(error.told(model.names, problem.dtype)) from None
    warn_of_ends(points)

    def fit(lam: float, start: np.ndarray) -> Results:
        errors = StandardErrors.of(None, None, None, "expected", None, lambda name: name)
        warm = dataclasses.replace(options, start=start, tol=None)
        return results_of(
            intake, warm, net.with_strength(lam), "warn", "drop", compress, True, errors
        )

    return PathResults(
        points,
        strengths[: len(points)],
        model=model.without_rows(let_go=False),
        null_deviance=null.deviance,
        nobs=path.nobs,
        fit=fit,
    )


def warn_of_ends(points: Sequence[PathPoint], of: str = "the path") -> None:
    """Warn of strengths at which the search did not end at an optimum."""
    short = [point for point in points if not point.status.usable]
    if short:
        warn(
            f"At {len(short)} of {len(points)} strengths of {of} the search ended without an "
            f"optimum: {short[0].status.message} More passes (max_turns=) may help.",
            ConvergenceWarning,
        )
