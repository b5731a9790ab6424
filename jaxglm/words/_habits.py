"""Owns what users of statsmodels and R type: names that mean the same here, and words for others.

A keyword is understood where it can mean one thing only; else a `TypeError` says what to write.
"""

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, ParamSpec, TypeVar

from jaxglm.words._choices import is_one_of
from jaxglm.words._lists import near_text

P = ParamSpec("P")
R = TypeVar("R")

_SCALES = {"response": "mean", "link": "linear"}

# A keyword with those of ours that it may stand for, the first that a verb has, each with the
# values that are called otherwise.
_SAME: dict[str, Mapping[str, Mapping[Any, Any]]] = {
    "endog": {"y": {}},
    "r_matrix": {"hypothesis": {}},
    "exog": {"X": {}, "data": {}},
    "newdata": {"data": {}},
    "start_params": {"start": {}},
    "maxiter": {"max_turns": {}},
    "maxit": {"max_turns": {}},
    "n_trials": {"trials": {}},
    "nsim": {"n": {}},
    "type": {"kind": {}, "which": _SCALES},
}

# Values that ask for what is done anyway.
_DONE_ANYWAY: dict[str, tuple[Any, ...]] = {
    "disp": (False,),
    "transform": (True,),
    "scalar": (True, False),
}

_WORDS = {
    "weights": (
        "R's prior weights are var_weights= (the variance of a row is scale * V(mu) / weight), "
        "numbers of equal observations are freq_weights=, and binomial trials are trials="
    ),
    "subset": "choose the rows before: data.query('x > 0'), or data[mask]",
    "na_action": "missing='drop' leaves rows out that miss a value, missing='raise' names them",
    "disp": "nothing is printed; result.n_iter and result.status say how the search went",
    "use_f": "wald_test(hypothesis, use_f=...) has a choice",
    "use_t": "tests are Student's t where the dispersion is estimated, and normal elsewhere",
    "cov_type": "give cov_type= to what it returns, fits[response].robust('HC1')",
    "vcov": "give cov_type=, or result.robust('HC1')",
    "control": "give tol= and max_turns=",
    "epsilon": "give tol=, the distance to the optimum in standard errors",
    "tol_criterion": "tol= is the distance to the optimum in standard errors",
    "mustart": "give start=, coefficients to start from",
    "etastart": "give start=, coefficients to start from",
    "contrasts": "write the coding in the formula: C(g, Sum)",
    "eval_env": "give the functions that the formula calls by name with context={'f': f}",
    "groups": "one fit for each segment is jaxglm.fit_groups(formula, data, by=...)",
    "by": "one fit for each segment is jaxglm.fit_groups(formula, data, by=...)",
    "se_fit": "standard errors of predictions are those of get_prediction(data)",
    "interval": "intervals are get_prediction(data).conf_int(), and those for new responses "
    "get_prediction(data, interval='prediction').conf_int()",
    "level": "alpha= is one minus the level: alpha=0.05 for 95 %",
    "xname": "names are those of the columns: rename them in the data, and fit again",
    "yname": "the name is that of the response: rename it in the data, and fit again",
    "title": "as_text() of what it returns is text, to put a title above",
    "parm": "choose from what it returns: conf_int().loc[['x']]",
    "cols": "choose from what it returns: conf_int().loc[['x']]",
    "r_matrix": "what it returns has names: with rows R of a test, R @ cov_params() @ R.T",
    "cov_p": "tests use the covariance of the result, cov_params()",
    "invcov": "tests use the covariance of the result, cov_params()",
    "df_constraints": "it is the number of hypotheses that do not follow from others",
    "combine_terms": "test the coefficients of several terms together with wald_test",
    "extra_constraints": "test other hypotheses with wald_test",
    "column": "choose from what it returns: cov_params().loc['x', 'x']",
    "exponentiate": "effects() has exponentiated coefficients with their intervals",
    "linear": "which='linear' gives the linear predictor",
    "transform": "a formula is always applied to new data; for columns give arrays to GLM",
    "which": "give which= to what it returns: get_prediction(data).summary_frame(which=...)",
    "type": "give which= to what it returns: get_prediction(data).summary_frame(which=...)",
}

# Names of statsmodels, R and scikit-learn for what results have under another.
_ATTRIBUTES = {
    "mu": "fittedvalues",
    "fitted": "fittedvalues",
    "fitted_values": "fittedvalues",
    "coef": "params",
    "coefficients": "params",
    "coef_": "params",
    "intercept_": "params['Intercept']",
    "vcov": "cov_params()",
    "vcovHC": "robust('HC3').cov_params()",
    "influence": "get_influence()",
    "hat_matrix_diag": "get_influence().hat_matrix_diag",
    "resid_studentized": "get_influence().resid_studentized",
    "summary_frame": "get_influence().summary_frame()",
    "normalized_cov_params": "cov_params() / scale",
    "confint": "conf_int()",
    "logLik": "llf",
    "loglike": "llf",
    "bic_llf": "bic",
    "residuals": "resid()",
    "summary2": "summary()",
    "remove_data": "without_data()",
    "exog": "design_matrix()",
    "model_matrix": "design_matrix()",
    "dispersion": "scale",
    "df_residual": "df_resid",
    "std_errors": "bse",
    "zvalues": "tvalues",
    "p_values": "pvalues",
    "fit_history": "n_iter",
    "plot_partial_residuals": "plot.partial_residuals",
    "plot_ceres_residuals": "plot.partial_residuals",
    "plot_added_variable": "plot.partial_residuals",
    "mle_retvals": "status",
    "formula": "model.formula",
    "linear_predictor": "predict(which='linear')",
    "estimate_tweedie_power": "power_profile",
    "aliased": "fit.aliased",
    "linearHypothesis": "wald_test",
    "glht": "t_test",
    "emmeans": "contrasts",
    "t_test_pairwise": "contrasts",
}


# Those of which there is no counterpart.
_ATTRIBUTE_WORDS = {
    "endog": "the response is what was given; that of a formula is jaxglm.design(formula, data).y",
    "fit_regularized": "fit(penalty=jg.ElasticNet(alpha, L1_wt)), which leaves the intercept free",
    "failed": "status and notes say how a fit ended; failed is of many, jaxglm.fit_groups",
    "counts": "status says how a fit ended; counts() is of many, jaxglm.fit_groups",
    "keys": "it is one fit; keys are the segments of jaxglm.fit_groups",
    "items": "it is one fit; items() are the segments of jaxglm.fit_groups",
    "null": "a result has null_deviance and llnull; the null model itself is the fit of 'y ~ 1'",
}


def understands_habits(verb: Callable[P, R]) -> Callable[P, R]:
    """Have a verb take other libraries' keywords that mean the same, and refuse others in words."""

    @functools.cache  # there are many verbs, and most are never called
    def signature() -> inspect.Signature:
        return inspect.signature(verb)

    name = verb.__qualname__.removesuffix(".__init__").rpartition(".")[2]

    @functools.wraps(verb)
    def understanding(*args: P.args, **kwargs: P.kwargs) -> R:
        if kwargs and not kwargs.keys() <= signature().parameters.keys():
            parameters = [name for name in signature().parameters if name not in ("self", "cls")]
            # Other names than the verb's: no type can say so.
            kwargs = _translated(name, parameters, kwargs)  # type: ignore[assignment]
        try:
            return verb(*args, **kwargs)
        except TypeError:
            try:
                signature().bind(*args, **kwargs)
            except TypeError as error:  # Python's own words name the class a method is written in
                raise TypeError(f"{name}(): {error}") from None
            raise

    return understanding


def _translated(verb: str, parameters: list[str], given: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords under our names.

    Raises
    ------
    TypeError
        For one that means nothing here, or means what is given already.
    """
    ours = {}
    for keyword, value in given.items():
        same = _SAME.get(keyword, {})
        target = next((name for name in same if name in parameters), keyword)
        if target not in parameters:
            if is_one_of(value, _DONE_ANYWAY.get(keyword, ())):
                continue
            words = _WORDS.get(keyword.replace(".", "_")) or (
                near_text(keyword, parameters) if parameters else "it takes none"
            )
            raise TypeError(f"{verb}() has no argument {keyword!r}: {words}")
        if target != keyword and target in given:
            raise TypeError(f"{verb}(): {keyword}= is {target}= here; give one of the two")
        values = same.get(target) or {}
        ours[target] = values[value] if is_one_of(value, values) else value
    return ours


def no_attribute(thing: Any, name: str, elsewhere: str = "", there: type | None = None) -> NoReturn:
    """What `__getattr__` of a result says of a name that it has not.

    `elsewhere` is what has the attributes of a result that `thing` itself lacks, and is `there` a
    type that tells which these are.

    Raises
    ------
    AttributeError
        With what to write where the name is another library's.
    """
    if hasattr(type(thing), name):
        # A property that failed by itself: its own error is the one to show.
        object.__getattribute__(thing, name)
    owner = type(thing).__name__
    words = f"{owner!r} object has no attribute {name!r}"
    if name in _ATTRIBUTES:
        ours = _ATTRIBUTES[name]
        here = hasattr(type(thing), re.split(r"\W", ours)[0]) or not elsewhere
        words = f"{owner} has no {name!r}: write {ours if here else f'{elsewhere}.{ours}'}"
    elif there is not None and not name.startswith("_") and hasattr(there, name):
        words = f"{owner} has no {name!r}: write {elsewhere}.{name}"
    elif name in _ATTRIBUTE_WORDS:
        words = f"{owner} has no {name!r}: {_ATTRIBUTE_WORDS[name]}"
    raise AttributeError(words, name=name, obj=thing)
