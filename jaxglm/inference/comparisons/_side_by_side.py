"""Owns the table of several fits side by side, and when their criteria cannot be compared."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from jaxglm.inference._estimates import Estimates
from jaxglm.inference.comparisons._anova import called
from jaxglm.inference.comparisons._comparison import Comparison
from jaxglm.inference.comparisons._nesting import differences_of_rows
from jaxglm.inference.comparisons._selection import given_dispersion, has_likelihood
from jaxglm.search import REDUCED


def compare_of(fits: Sequence[Estimates], names: Sequence[str] | None) -> Comparison:
    """A row of scalars for each fit; see `jaxglm.compare`."""
    rows = [
        {
            "family": fit.family.name,
            "link": fit.family.link.name,
            "nobs": fit.nobs,
            "df": fit._n_parameters,
            "llf": fit.llf,
            "aic": fit.aic,
            "bic": fit.bic,
            "deviance": fit.deviance,
            "scale": fit.scale,
            "pseudo_r2": pseudo_r2(fit),
        }
        for fit in fits
    ]
    named = _row_names(fits, names)
    told = [
        f"{name}: {called(fit.model)}"
        for name, fit in zip(named, fits, strict=True)
        if name != called(fit.model)
    ]
    cautions = list(dict.fromkeys(_incomparable(fits, named)))
    return Comparison(pd.DataFrame(rows, index=named), "Comparison of models", tuple(told)).warned(
        cautions
    )


def pseudo_r2(fit: Estimates) -> float:
    """McFadden's, 1 - llf / llnull; nan without a likelihood."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(1.0 - np.float64(fit.llf) / fit.llnull)


def _row_names(fits: Sequence[Estimates], names: Sequence[str] | None) -> list[str]:
    if names is None:
        return [f"m{i}" for i in range(1, len(fits) + 1)]
    if isinstance(names, str) or len(names) != len(fits):
        raise ValueError(f"names must hold {len(fits)} names, one for each model, not {names!r}")
    return [str(name) for name in names]


def _incomparable(fits: Sequence[Estimates], names: Sequence[str]) -> Iterator[str]:
    for fit, name in zip(fits, names, strict=True):
        if not fit.family.has_likelihood:
            yield (
                f"{name} is of the {fit.family.name} family, which has no likelihood: it has no "
                "AIC or BIC."
            )
        elif not fit.converged:
            yield f"{name} has no ordinary optimum: {fit.status.message}"
        elif fit.fit.method == REDUCED:
            yield (
                f"llf, AIC and BIC of {name} are at estimates of reduced bias (bias='firth'), at "
                "which the likelihood is not at its maximum: they are no measures to choose by."
            )
        elif not has_likelihood(fit.fit, fit.model) or given_dispersion(fit.fit) is not None:
            yield (
                f"llf, AIC and BIC of {name} do not have the dispersion that scale= asked for: "
                "they are those of the fit without it."
            )
    for fit, name in zip(fits[1:], names[1:], strict=True):
        different = next(differences_of_rows(fits[0], fit), "")
        if different:
            yield (
                f"AIC, BIC and llf of {names[0]} and {name} cannot be compared: {different}. They "
                "are comparable for the same values of the response in the same rows."
            )
