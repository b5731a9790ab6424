"""Owns what is to be said of comparisons that rest on the likelihood beside a robust covariance."""

from jaxglm._status import DataWarning
from jaxglm.inference.covariances._asked import is_robust
from jaxglm.search import Fit
from jaxglm.words import warn

_WALD = "wald_test() and jaxglm.anova(m, type=3, test='Wald') use it"


def beside_robust(fit: Fit, what: str = "These comparisons are", instead: str = _WALD) -> str:
    """That a robust covariance has no part in something, and where it has; empty without one."""
    if not is_robust(fit.covariance):
        return ""
    return (
        f"{what} of the likelihood of the model, in which the robust covariance "
        f"({fit.covariance.kind}) of the fit has no part: {instead}."
    )


def warn_beside_robust(fit: Fit) -> None:
    """The same as a warning, for tables of limits, which have no place for notes."""
    note = beside_robust(fit, "A profile is", "conf_int() without method= uses it")
    if note:
        warn(note, DataWarning)
