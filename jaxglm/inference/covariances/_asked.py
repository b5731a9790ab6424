"""Owns a covariance that is asked for, with the rows that it is of, and how it is told in words."""

import dataclasses

import numpy as np

from jaxglm.algebra import Covariance
from jaxglm.inference.covariances import _corrections
from jaxglm.inference.covariances._clustered import Clusters, told
from jaxglm.inference.covariances._serial import Times


@dataclasses.dataclass(frozen=True)
class Asked:
    """The covariance that is asked for.

    Attributes
    ----------
    kind : {"nonrobust", "HC", "cluster", "HAC"}
    type : {"HC0", "HC1", "HC2", "HC3"}
        Of HC and of cluster.
    information : {"expected", "observed"}
        Of the bread.
    correction : {"sandwich", "statsmodels", "stata", "fixest"}
        Whose small-sample corrections.
    adjust : bool
        Whether clusters are adjusted by G / (G - 1).
    names : tuple of str
        Of the clusterings.
    clusters : tuple of Clusters
    times : Times or None
    max_lags : int or None
        Of HAC; None for what the length of the series suggests.
    """

    kind: str = "nonrobust"
    type: str = "HC0"
    information: str = "expected"
    correction: str = "sandwich"
    adjust: bool = True
    names: tuple[str, ...] = ()
    clusters: tuple[Clusters, ...] = ()
    times: Times | None = None
    max_lags: int | None = None

    @property
    def as_sandwich(self) -> bool:
        """Whether the corrections are those of sandwich, whatever they are called."""
        return _corrections.as_sandwich(self.correction, self.kind, self.type)

    @property
    def sets_negative_to_zero(self) -> bool:
        """Whether a matrix with negative eigenvalues is made one without."""
        return self.correction == "fixest"

    def take(self, rows: np.ndarray) -> "Asked":
        """The same of some of the rows."""
        clusters = tuple(
            Clusters.of(way.codes[rows], way.codes[rows] >= 0) for way in self.clusters
        )
        times = self.times
        if times is not None:
            moments = np.full(max(times.order.max(), rows.max()) + 1, -1)
            moments[times.order] = times.moment
            live = moments[rows] >= 0
            times = Times.of(Clusters.of(moments[rows], live).codes, None, live)
        return dataclasses.replace(self, clusters=clusters, times=times)


def kind_of(asked: Asked) -> str:
    """The kind in a word or two."""
    kind = {
        "nonrobust": "nonrobust",
        "HC": asked.type,
        "cluster": f"cluster {asked.type}",
        "HAC": "HAC" if asked.max_lags is None else f"HAC, {asked.max_lags} lags",
    }[asked.kind]
    if asked.information == "expected":
        return kind
    return "observed" if asked.kind == "nonrobust" else f"{kind}, observed"


def information_of(covariance: Covariance) -> str:
    """The information that it rests on, as it is asked for."""
    return "observed" if covariance.kind.endswith("observed") else "expected"


def is_robust(covariance: Covariance) -> bool:
    """Whether it holds where the response varies otherwise than the model has it."""
    return covariance.kind not in ("nonrobust", "observed")


def how_made(asked: Asked) -> str:
    """How standard errors of this kind are made, as a sentence."""
    if asked.kind == "nonrobust":
        return "Standard errors are those of the observed information."
    by = "" if asked.as_sandwich else f", corrected as in {asked.correction}"
    by += "" if asked.adjust else ", without G/(G - 1)"
    on = " on the observed information" if asked.information == "observed" else ""
    if asked.kind == "HC":
        return f"Standard errors are robust to unequal variances ({asked.type}{by}){on}."
    if asked.kind == "cluster":
        return (
            f"Standard errors are robust to dependence within clusters of "
            f"{told(asked.names, asked.clusters)} ({asked.type}{by}){on}."
        )
    lags = "time" if asked.max_lags is None else f"{asked.max_lags} lags"
    return (
        f"Standard errors are robust to unequal variances and to dependence over {lags} "
        f"(Newey-West{by}){on}."
    )


BESIDE_REDUCED = (
    "robust standard errors rest on residuals, which are next to nothing where the bias of a "
    "separated fit was reduced: they come out far too small there"
)


def idle(asked: Asked) -> tuple[str, ...]:
    """What was asked for and makes no difference."""
    if asked.correction == "sandwich" or not asked.as_sandwich:
        return ()
    what = {"HC": asked.type, "cluster": f"cluster {asked.type}"}.get(asked.kind, asked.kind)
    return (f"correction={asked.correction!r} makes no difference: sandwich has the same {what}.",)


def indefinite(asked: Asked, what: str = "The covariance", *, levels: bool = False) -> str:
    """What has to be said of a matrix with negative eigenvalues, with `levels` eliminated."""
    found = f"{what} has negative eigenvalues, which clusterings of several ways allow"
    if asked.sets_negative_to_zero:
        beside = ", beside the levels of the largest factor and the intercept" if levels else ""
        return f"{found}: they were set to 0, as fixest does{beside}."
    return (
        f"{found}: where a variance comes out negative, of a coefficient or of a combination, its "
        "standard error is nan. correction='fixest' sets negative eigenvalues to 0."
    )
