"""Fit a reference case with jaxglm at default settings, from the design matrix or the formula."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

import jaxglm as jg
from jaxglm.designs import assemble
from jaxglm.intake import Given, array_intake, table_intake
from jaxglm.io import model_frame
from jaxglm.sources import Rows

from .cases import Case, load

LINKS: dict[str, Callable[[], Any]] = {
    "identity": jg.Identity,
    "log": jg.Log,
    "logit": jg.Logit,
    "probit": jg.Probit,
    "cloglog": jg.CLogLog,
    "loglog": jg.LogLog,
    "cauchit": jg.Cauchit,
    "inverse": jg.Inverse,
    "1/mu^2": jg.InverseSquared,
    "sqrt": jg.Sqrt,
}
FAMILIES: dict[str, Callable[..., Any]] = {
    "gaussian": jg.Gaussian,
    "binomial": jg.Binomial,
    "quasibinomial": jg.QuasiBinomial,
    "poisson": jg.Poisson,
    "quasipoisson": jg.QuasiPoisson,
    "Gamma": jg.Gamma,
    "inverse.gaussian": jg.InverseGaussian,
    "negative.binomial": jg.NegativeBinomial,
    "tweedie": jg.Tweedie,
    "quasi": jg.Quasi,
    "wedderburn": jg.Quasi,
}


def family_of(name: str, link: str, **parameters: Any) -> Any:
    """R's names of family and link as a jaxglm family."""
    return FAMILIES[name](link=LINKS[link](), **parameters)


def _family(case: Case) -> Any:
    given, parameters = case.parameters, {}
    if "theta" in given:
        parameters["alpha"] = 1 / given["theta"]
    if "var_power" in given:
        parameters["power"] = given["var_power"]
    if "variance" in given:
        parameters["variance"] = given["variance"]
    return family_of(case.family, case.link, **parameters)


def _weights_argument(case: Case) -> str:
    """R's prior weights of binomial shares are their trials; anything else is var_weights."""
    shares = case.family == "binomial" and bool(np.any(case.y != np.floor(case.y)))
    return "trials" if shares else "var_weights"


def fit_design(case: Case, **settings: Any) -> Any:
    weights = {} if case.weights is None else {_weights_argument(case): case.prior_weights}
    model = jg.GLM(case.y, case.X, _family(case), offset=case.offset, **weights)
    return model.fit(**settings)


def fit_formula(case: Case) -> Any:
    weights = {} if case.weights is None else {_weights_argument(case): case.weights}
    return jg.glm(case.formula, case.frame, _family(case), **weights)


def design_of_formula(case: Case) -> np.ndarray:
    """The columns that the formula makes of the data, [n, p]."""
    frame = model_frame(case.formula, case.frame)
    design, order = assemble(frame.pieces, frame.y.size)
    columns = np.empty((frame.y.size, order.size))
    columns[:, order] = design.on_host()
    return columns


def rows_of_both_doors(case: Case) -> tuple[Rows, Rows]:
    """Response, weights and offset as the formula door and the array door read them."""
    if case.weights is None:
        by_name, by_value = {}, {}
    else:
        argument = _weights_argument(case)
        by_name, by_value = {argument: case.weights}, {argument: case.prior_weights}
    family, double = _family(case), np.dtype(float)
    table = Given(family, by_name, "raise", double)
    arrays = Given(family, by_value | {"offset": case.offset}, "raise", double)
    return (
        table_intake(case.formula, case.frame, table).problem.rows,
        array_intake(case.y, case.X, arrays).problem.rows,
    )


@cache
def fitted(name: str, door: str) -> Any:
    """One fit per case and door, shared by the tests."""
    case = load(name)
    return fit_design(case) if door == "design" else fit_formula(case)
