"""Fits of segments beside fits of their own rows, and what must be the same of the two."""

import warnings
from typing import Any

import numpy as np

import jaxglm as jg

SCALARS = (
    *("deviance", "null_deviance", "pearson_chi2", "llf", "llnull", "aic", "bic", "scale"),
    *("nobs", "df_model", "df_resid"),
)


def quiet(call: Any, *args: Any, **given: Any) -> Any:
    """The result without the warnings about segments or fits."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jg.JaxglmWarning)
        return call(*args, **given)


def many(
    y: np.ndarray, X: Any, groups: Any, family: Any, vectors: dict | None = None, **options: Any
) -> jg.GroupResults:
    return quiet(jg.GLM(y, X, family, **(vectors or {})).fit_groups, groups, **options)


def one(
    y: np.ndarray, X: Any, rows: np.ndarray, family: Any, vectors: dict | None = None, **options
) -> jg.Results:
    own = {name: values[rows] for name, values in (vectors or {}).items()}
    return quiet(jg.GLM(y[rows], X[rows], family, **own).fit, **options)


def assert_same_fit(mine: jg.Results, single: jg.Results, rtol: float = 1e-9) -> None:
    """All statistics agree, and so do the ways the fits ended.

    A number may be wrong by 1e-12 of the largest in its table: a coefficient that is next to zero.
    What is zero but for rounding, as the deviance of a perfect fit, may be any such number.
    """
    assert (mine.status, mine.method) == (single.status, single.method)
    assert np.array_equal(mine.fit.infinite, single.fit.infinite)
    assert np.array_equal(mine.fit.aliased, single.fit.aliased)
    assert np.array_equal(mine.fit.covariance.open, single.fit.covariance.open)
    tables = {
        "params": (mine.params, single.params),
        "bse": (mine.bse, single.bse),
        "cov": (mine.cov_params(), single.cov_params()),
        "pvalues": (mine.pvalues, single.pvalues),
        "means": (mine.fittedvalues, single.fittedvalues),
        **{name: (getattr(mine, name), getattr(single, name)) for name in SCALARS},
    }
    for name, (a, b) in tables.items():
        found, expected = np.asarray(a, float), np.asarray(b, float)
        # A coefficient that is 0 is known to a share of its error.
        size = _largest(np.asarray(single.bse if name == "params" else expected, float))
        np.testing.assert_allclose(
            found, expected, rtol=rtol, atol=1e-3 * rtol * size + 1e-24, err_msg=name
        )


def _largest(values: np.ndarray) -> float:
    return float(np.abs(values[np.isfinite(values)]).max(initial=0.0))


def assert_same_segment(
    some: jg.GroupResults, others: jg.GroupResults, segment: Any, rtol: float = 0.0
) -> None:
    """What two calls say of one segment is the same, to the last bit unless allowed otherwise."""
    assert some.status[segment] is others.status[segment]
    assert some.failed.get(segment) == others.failed.get(segment)
    for name in ("params", "bse", "tvalues", "pvalues", "aliased", "infinite"):
        a, b = (getattr(fits, name).loc[segment].to_numpy(float) for fits in (some, others))
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * _largest(b))
    glances = (fits.glance().drop(columns="status").set_index("group") for fits in (some, others))
    a, b = (glance.loc[segment].to_numpy(float) for glance in glances)
    np.testing.assert_allclose(a, b, rtol=rtol, atol=0)
