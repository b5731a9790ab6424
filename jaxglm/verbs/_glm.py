"""Owns `glm`, the verb for a formula and a table.

Validate, place, search, wrap: each step is a module of its own; the verbs put them in order and
look once at the status of what came back.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from jaxglm.families import Family
from jaxglm.families import family as resolve
from jaxglm.inference import Information, column_of_table
from jaxglm.intake import (
    Given,
    Policy,
    chosen_dtype,
    row_vectors,
    solver_options,
    table_intake,
    with_bias,
)
from jaxglm.penalties import AskedPenalty
from jaxglm.results import Results
from jaxglm.rows import Choice
from jaxglm.verbs._errors import StandardErrors
from jaxglm.verbs._fit import results_of
from jaxglm.verbs._order import check_formula
from jaxglm.words import understands_habits


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
    penalty: AskedPenalty | None = None,
    bias: Literal["firth"] | None = None,
    dtype: str = "float64",
    on_failure: Policy = "warn",
    rank: Literal["drop", "raise"] = "drop",
    compress: Choice = "auto",
    context: Mapping[str, Callable] | None = None,
    keep_data: bool = True,
    cov_type: str | None = None,
    cluster: Any = None,
    cov_kwds: Mapping[str, Any] | None = None,
    information: Information = "expected",
    scale: float | str | None = None,
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
        The link of a family given by name or class; a family object has its own, and a call as
        text may.
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
        out, its values in the rows used tell, for all of them alike: with one between 0 and 1 they
        are proportions; where all are 0 or 1 they are taken for numbers, with a warning.
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
    penalty : Ridge, Lasso, ElasticNet, GroupLasso, or a sum of them, optional
        What is added to half of the mean deviance; see these, and the page on penalties.
    bias : {None, "firth"}
        "firth" takes the first-order bias out of the estimates (adjusted scores, Firth 1993), which
        are then finite under separation too; see the page on inference. `max_turns` is for each
        loop, and `method` is left out.
    dtype : {"float64", "float32"}
        Of the arithmetic. Data in float32 stay so in memory either way.
    on_failure : {"warn", "raise", "ignore"}
        What to do when there is no ordinary optimum (separation, boundary, no convergence): a
        warning, an error, or nothing. A `DataWarning`, of what the data may be meant for, is no
        failure of the fit and is given in any case.
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
    cov_type : str, optional
        The covariance that standard errors, tests and intervals rest on: "nonrobust" (that of the
        model), "HC0" to "HC3", "cluster" or "HAC"; see `Results.robust`, which gives a fit another.
    cluster : str, array, or list of them, optional
        The cluster of each row, for "cluster"; several are that many clusterings.
    cov_kwds : dict, optional
        What else `Results.robust` takes, as statsmodels has it: ``{"groups": g}`` for clusters,
        ``{"maxlags": 4, "time": t}`` for HAC; and `type`, `correction` and `cadjust`, as
        ``{"type": "HC3", "correction": "fixest"}``.
    information : {"expected", "observed"}
        Of the covariance: R's, or that of the second derivatives at the estimate, as in Stata.
    scale : float or str, optional
        The dispersion in standard errors, tests and comparisons: "pearson" (the default where it is
        estimated), "deviance", "ml" (maximum likelihood), or a number taken as known. Tests are t
        and F where it is estimated, normal and chi-squared where it is known.

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
    errors = StandardErrors.of(
        cov_type, cluster, cov_kwds, information, scale, lambda name: column_of_table(data, name)
    )
    vectors = row_vectors(freq_weights, var_weights, trials, offset, exposure)
    given = Given(
        resolve(family, link), vectors, missing, chosen_dtype(dtype), context, proportions
    )
    intake = table_intake(formula, data, given)
    options = solver_options(intake.model.names, method, start, tol, max_turns)
    options = with_bias(options, bias, given.family)
    return results_of(intake, options, penalty, on_failure, rank, compress, keep_data, errors)
