"""Owns the small-sample corrections of robust covariances, by the software that makes them so.

Numbers of observations n, of coefficients k and of clusters G are of one fit, or arrays of many.
"""

from typing import Any, Literal, get_args

import numpy as np

Software = Literal["sandwich", "statsmodels", "stata", "fixest"]
SOFTWARE = get_args(Software)


def as_sandwich(software: str, kind: str, type_: str) -> bool:
    """Whether there is no difference from sandwich; `kind` is "HC", "cluster" or "HAC".

    `type_` is HC0 to HC3, of HC and of clusters.
    """
    if software == "sandwich":
        return True
    if kind == "HAC":
        return software != "stata"
    if kind == "HC":
        return type_ != "HC1" or software == "fixest"
    return software == ("statsmodels" if type_ == "HC1" else "stata")


def of_rows(software: str, kind: str, n: Any, k: Any) -> Any:
    """The factor of HC0 to HC3 for n observations and k coefficients.

    R's sandwich multiplies HC1 by n / (n - k), and so does fixest; Stata's glm by n / (n - 1).
    statsmodels' GLM leaves HC1 as HC0. The others have their correction in the rows.
    """
    if kind != "HC1" or software == "statsmodels":
        return 1.0
    return n / (n - 1) if software == "stata" else n / (n - k)


def of_clusters(
    software: str, kind: str, n: Any, k: Any, counts: list[Any], which: int, *, adjust: bool
) -> Any:
    """The factor of one of several clusterings, whose numbers of clusters are `counts`.

    sandwich multiplies by G / (G - 1), each clustering by its own G; HC1 by (n - 1) / (n - k)
    as well, and HC2 and HC3 by (G - 1) / G, which Bell and McCaffrey (2002) have for them. Stata's
    glm has the first alone. statsmodels has both factors always, and so has fixest, which takes
    the smallest G for every clustering, and whose k leaves out what is `nested` in the clusters.
    """
    g = np.minimum.reduce(counts) if software == "fixest" else counts[which]
    factor = g / (g - 1) if adjust else 1.0
    if software in ("statsmodels", "fixest") or (software == "sandwich" and kind == "HC1"):
        factor *= (n - 1) / (n - k)
    if kind in ("HC2", "HC3"):
        factor *= (g - 1) / g
    return factor


def of_lags(software: str, n: Any, k: Any) -> Any:
    """The factor of HAC: Stata's newey multiplies by n / (n - k), the others by nothing."""
    return n / (n - k) if software == "stata" else 1.0
