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
    checked_penalty,
    chosen_dtype,
    penalised_columns,
    refuse_shrunk,
    row_vectors,
    solver_options,
    table_intake,
)
from jaxglm.penalties import AskedPenalty, ElasticNet, thresholded_of
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
    penalty: AskedPenalty | None = None,
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
    """Fit a model under a penalty of falling strength, as glmnet does under an elastic net.

    The first strength is the least that leaves all penalised coefficients at zero. Each optimum
    starts from the one before it. The path ends early where the model explains 99.9 % of the null
    deviance, or where another step explains next to nothing more.

    Parameters
    ----------
    formula, data, family, link
        As for `glm`.
    penalty : AskedPenalty, optional
        In place of an elastic net: one with absolute values or groups, as ``GroupLasso(1.0)``, or a
        sum with such a part. The strengths multiply all of it but bounds. A quadratic part that
        holds other columns than these counts for nothing in the first strength.
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
    one = at_strength_one(penalty, l1_ratio, standardize, penalty_factor)
    asked = AskedPath.of(one, lambdas, n_lambdas, lambda_min_ratio, tol, max_turns)
    vectors = row_vectors(freq_weights, var_weights, trials, offset, exposure)
    given = Given(
        resolve(family, link), vectors, missing, chosen_dtype(dtype), context, proportions
    )
    intake = table_intake(formula, data, given)
    return path_results(intake, asked, compress)


def at_strength_one(
    penalty: Any, l1_ratio: float, standardize: bool, penalty_factor: Any
) -> AskedPenalty:
    """The penalty that the strengths of a path multiply.

    Raises
    ------
    TypeError, ValueError
    """
    if penalty is None:
        return ElasticNet(1.0, l1_ratio, standardize=standardize, penalty_factor=penalty_factor)
    if l1_ratio != 1.0 or standardize or penalty_factor is not None:
        raise ValueError(
            "l1_ratio=, standardize= and penalty_factor= are of the elastic net that penalty= "
            f"replaces: say them in the penalty, here {penalty!r}"
        )
    return checked_penalty(penalty)


@dataclasses.dataclass(frozen=True)
class AskedPath:
    """What a caller asks of a path.

    Attributes
    ----------
    penalty : AskedPenalty
        At strength 1.
    given : [k] or None
        Its strengths, falling; None for so many (`count`) down to a share of the first.
    count : int
    share : float or None
    tol : float or None
    max_turns : int
    """

    penalty: AskedPenalty
    given: np.ndarray | None
    count: int
    share: float | None
    tol: float | None
    max_turns: int

    @classmethod
    def of(
        cls,
        penalty: AskedPenalty,
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
            return cls(penalty, None, int(n_lambdas), lambda_min_ratio, tol, max_turns)
        try:
            values = np.asarray(lambdas, float).ravel()
        except (TypeError, ValueError):
            values = np.full(1, np.nan)
        if values.size == 0 or not (np.isfinite(values) & (values >= 0)).all():
            raise ValueError("lambdas must be finite numbers of 0 or more, one at least")
        return cls(penalty, np.unique(values)[::-1], values.size, None, tol, max_turns)

    @property
    def choosing(self) -> AskedPenalty:
        """The penalty by which the first strength is told; that of ridge has to choose for it."""
        net = self.penalty
        if not isinstance(net, ElasticNet):
            return net
        return net.with_share(max(net.l1_ratio, _LEAST_SHARE))

    def falling_from(self, most: float, *, wide: bool) -> np.ndarray:
        """The strengths in falling order, where none was given from the strongest that counts."""
        if self.given is not None:
            return self.given
        share = self.share if self.share is not None else (0.01 if wide else 1e-4)
        # Rounding lets no column in at the first.
        return most * (1 + 1e-12) * np.geomspace(1.0, share, self.count)

    def options(self, names: Sequence[str], usual: float = _TOL) -> Options:
        """The options of each optimum in these columns; `usual` is the tol where none is given."""
        tol = usual if self.tol is None else self.tol
        return solver_options(names, "irls", None, tol, self.max_turns)


def path_results(intake: Intake, asked: AskedPath, compress: Choice) -> PathResults:
    """The path of a model that has been read."""
    check_choice("compress", compress, ("auto", True, False))
    model, family = intake.model, intake.model.family
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
        choosing = thresholded_of(asked.choosing, columns)
        check_columns(columns, choosing)
        if not choosing.chooses:
            raise DataError(
                "no column is penalised: there is none beside the intercept that the penalty "
                "could leave out, and whose penalty_factor is not 0"
            )
        path = Path(problem, narrow, options, thresholded_of(asked.penalty, columns))
        try:
            null, slopes = path.null(choosing.bend.choosing)
            most = choosing.bend.emptying(slopes)
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
        penalty = asked.penalty.times(lam)
        return results_of(intake, warm, penalty, "warn", "drop", compress, True, errors)

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
