"""Owns what users of statsmodels and R type: names that mean the same here, and words for others.

A keyword is understood where it can mean one thing only; else a `TypeError` says what to write.
"""

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, ParamSpec, TypeVar

from jaxglm.words._lists import near_text

P = ParamSpec("P")
R = TypeVar("R")

_SCALES = {"response": "mean", "link": "linear"}

# A keyword with those of ours that it may stand for, the first that a verb has, and the values that
# are called otherwise.
_SAME: dict[str, tuple[tuple[str, ...], Mapping[Any, Any]]] = {
    "endog": (("y",), {}),
    "exog": (("X", "data"), {}),
    "newdata": (("data",), {}),
    "start_params": (("start",), {}),
    "maxiter": (("max_turns",), {}),
    "maxit": (("max_turns",), {}),
    "type": (("which",), _SCALES),
}

# Values that ask for what is done anyway.
_DONE_ANYWAY: dict[str, tuple[Any, ...]] = {"disp": (False,), "transform": (True,)}

_WORDS = {
    "weights": (
        "R's prior weights are var_weights= (the variance of a row is scale * V(mu) / weight), "
        "numbers of equal observations are freq_weights=, and binomial trials are trials="
    ),
    "subset": "choose the rows before: data.query('x > 0'), or data[mask]",
    "na_action": "missing='drop' leaves rows out that miss a value, missing='raise' names them",
    "disp": "nothing is printed; result.n_iter and result.status say how the search went",
    "scale": (
        "the dispersion is the family's: family='quasipoisson' or 'quasibinomial' estimate it "
        "where Poisson and binomial hold it at 1"
    ),
    "use_t": "tests are Student's t where the dispersion is estimated, and normal elsewhere",
    "cov_type": (
        "standard errors are those of the model; result.bootstrap(seed=..., cluster=...) gives "
        "some that do not rest on its variance"
    ),
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
    "interval": "intervals are get_prediction(data).conf_int()",
    "level": "alpha= is one minus the level: alpha=0.05 for 95 %",
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
    "mle_retvals": "status",
}


def understands_habits(verb: Callable[P, R]) -> Callable[P, R]:
    """Have a verb take other libraries' keywords that mean the same, and refuse others in words."""
    parameters = [
        name for name in inspect.signature(verb).parameters if name not in ("self", "cls")
    ]
    name = verb.__qualname__.removesuffix(".__init__").rpartition(".")[2]

    @functools.wraps(verb)
    def understanding(*args: P.args, **kwargs: P.kwargs) -> R:
        if kwargs.keys() <= set(parameters):
            return verb(*args, **kwargs)
        return verb(*args, **_translated(name, parameters, kwargs))

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
        targets, values = _SAME.get(keyword, ((), {}))
        target = next((name for name in targets if name in parameters), keyword)
        if target not in parameters:
            if value in _DONE_ANYWAY.get(keyword, ()):
                continue
            words = _WORDS.get(keyword.replace(".", "_")) or near_text(keyword, parameters)
            raise TypeError(f"{verb}() has no argument {keyword!r}: {words}")
        if target != keyword and target in given:
            raise TypeError(f"{verb}(): {keyword}= is {target}= here; give one of the two")
        ours[target] = values.get(value, value) if values else value
    return ours


def no_attribute(thing: Any, name: str, elsewhere: str = "") -> NoReturn:
    """What `__getattr__` of a result says of a name that it has not.

    `elsewhere` is what has the attributes of a result that `thing` itself lacks.

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
    raise AttributeError(words, name=name, obj=thing)
