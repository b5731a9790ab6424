"""jaxglm as an engine for the judge, at default settings; nothing that it offers is left out."""

from typing import Any

import numpy as np
import pandas as pd

import jaxglm as jg
from tests.reference.engine import family_of

WEIGHTS = {"prior": "var_weights", "frequency": "freq_weights"}


def fit(X: Any, y: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    family = _family(kwargs)
    if kwargs.get("batched"):
        return _fit_segments(X, y, family)
    if kwargs.get("interface") == "formula":
        results = jg.glm(kwargs["formula"], kwargs["data"], family)
    else:
        results = _fit_arrays(X, y, family, kwargs)
    return {
        "coef": results.params.to_numpy(),
        "se": results.bse.to_numpy(),
        "fitted": results.fittedvalues.to_numpy(),
        "deviance": results.deviance,
        "dispersion": results.scale,
        "theta": 1 / results.family.alpha if kwargs["family"] == "negative.binomial" else None,
        "nobs": results.nobs,
        "messages": list(results.notes),
        "predict": results.predict,
    }


def _fit_segments(X: list[Any], y: list[Any], family: Any) -> dict[str, Any]:
    groups = np.repeat(np.arange(len(y)), [len(own) for own in y])
    fits = jg.GLM(np.concatenate(y), np.vstack(X), family).fit_groups(groups)
    return {"coef": fits.params.to_numpy(), "flagged": fits.keys.isin(fits.failed.index)}


def _family(kwargs: dict[str, Any]) -> Any:
    parameters = {}
    if kwargs.get("theta") is not None:
        parameters["alpha"] = 1 / kwargs["theta"]
    if kwargs.get("power") is not None:
        parameters["power"] = kwargs["power"]
    return family_of(kwargs["family"], kwargs["link"], **parameters)


def _fit_arrays(X: Any, y: Any, family: Any, kwargs: dict[str, Any]) -> Any:
    if kwargs.get("names"):
        X = pd.DataFrame(X, columns=kwargs["names"])
    if kwargs.get("trials") is not None:
        y = np.column_stack([y, kwargs["trials"] - y])
    given = {"offset": kwargs.get("offset")}
    if kwargs.get("weights") is not None:
        given[WEIGHTS[kwargs["weights_kind"]]] = kwargs["weights"]
    return jg.GLM(y, X, family, **given).fit(start=kwargs.get("start"))
