"""Owns how a covariance is asked for, in our words and in statsmodels'; no row is read for it."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from jaxglm._status import DataError
from jaxglm.inference._clusters import row_codes
from jaxglm.inference.covariances._asked import Asked
from jaxglm.inference.covariances._clustered import Clusters
from jaxglm.inference.covariances._corrections import SOFTWARE
from jaxglm.inference.covariances._keywords import (
    PANELS,
    SUMS,
    TYPES,
    kind_named,
    need,
    of_keywords,
    refuse_idle,
)
from jaxglm.inference.covariances._serial import Times
from jaxglm.intake import Dataset
from jaxglm.words import check_choice

Information = Literal["expected", "observed"]
Column = Callable[[str], Any]


@dataclasses.dataclass(frozen=True)
class CovarianceChoice:
    """A covariance as the user asks for it; see `Results.robust` for the fields.

    Attributes
    ----------
    kind : {"nonrobust", "HC", "cluster", "HAC"}
    type, correction, cadjust, information
        As `Asked` has them.
    cluster, groups, time
        Values, or names of columns; None where they are not given.
    maxlags : int or None
    """

    kind: str
    type: str = "HC0"
    cluster: Any = None
    groups: Any = None
    time: Any = None
    maxlags: int | None = None
    cadjust: bool = True
    correction: str = "sandwich"
    information: str = "expected"

    @property
    def is_default(self) -> bool:
        """Whether it is the covariance that a fit has anyway."""
        return self.kind == "nonrobust" and self.information == "expected"

    @classmethod
    def of(
        cls,
        cov_type: str | None = None,
        *,
        cluster: Any = None,
        type: str | None = None,
        cadjust: bool = True,
        maxlags: int | None = None,
        time: Any = None,
        groups: Any = None,
        correction: str = "sandwich",
        information: str = "expected",
        cov_kwds: Mapping[str, Any] | None = None,
    ) -> "CovarianceChoice":
        """Check what was given and say it in one way.

        Raises
        ------
        ValueError
            For what is no kind of covariance, or belongs to another kind than the one given.
        """
        name = kind_named(cov_type, cluster)
        given = {"cluster": cluster, "groups": groups, "time": time, "maxlags": maxlags}
        small: dict[str, Any] = {"type": type, "correction": correction, "cadjust": cadjust}
        if cov_kwds is not None:
            given, small = of_keywords(name, given, small, cov_kwds)
        type, correction, cadjust = small.values()
        check_choice("information", information, ("expected", "observed"))
        check_choice("correction", correction, SOFTWARE)
        check_choice("cadjust", cadjust, (True, False))
        panel = isinstance(cov_type, str) and cov_type.lower()
        if panel in SUMS:
            need(given["time"], "time", f"cov_type={cov_type!r}")
            given["groups"] = None
        elif panel in PANELS:
            need(given["groups"], "groups", f"cov_type={cov_type!r}")
        if name in TYPES and given["cluster"] is not None:
            type, name = type or name, "cluster"
        check_choice("type", type, (None, *TYPES))
        refuse_idle(name, given, type, correction, cadjust)
        if name == "cluster":
            need(given["cluster"], "cluster", "cov_type='cluster'")
        lags = given["maxlags"]
        if lags is not None and (
            isinstance(lags, bool) or not isinstance(lags, int | np.integer) or lags < 0
        ):
            raise ValueError(f"maxlags must be a number of lags, 0 or more, not {lags!r}")
        return cls(
            kind="HC" if name in TYPES else name,
            type=name if name in TYPES else type or "HC0",
            cadjust=cadjust,
            correction=correction,
            information=information,
            **given,
        )

    @property
    def names_a_column(self) -> bool:
        """Whether a column is to be looked up in a table."""
        several = self.cluster if isinstance(self.cluster, list | tuple) else [self.cluster]
        return any(isinstance(own, str) for own in (*several, self.groups, self.time))

    def read(self, held: Dataset, column: Column, live: np.ndarray | None = None) -> Asked:
        """With the rows that it is of; `column` gives the values of a column by name.

        Those that are `live` ([n] bool) count, all of positive weight unless given.

        Raises
        ------
        DataError
            For values that are missing, or of another length than the fit.
        """
        asked = Asked(self.kind, self.type, self.information, self.correction, self.cadjust)
        live = held.rows.live if live is None else live
        if self.kind == "cluster":
            named = _clusterings(self.cluster, column, len(held.rows))
            codes = [row_codes(values, held, name, live) for name, values in named]
            return dataclasses.replace(
                asked,
                names=tuple(name for name, _ in named),
                clusters=tuple(Clusters.of(own, live) for own in codes),
            )
        if self.kind != "HAC":
            return asked
        time, groups = (
            None if given is None else row_codes(_values(given, column), held, what, live)
            for what, given in (("time", self.time), ("groups", self.groups))
        )
        freq = held.rows.freq
        if time is None and freq is not None and (freq[live] != 1).any():
            raise DataError(
                "HAC needs to know when each observation was made, and freq_weights count several "
                "in a row: give time= (rows of one time are added up), or the rows one by one."
            )
        times = Times.of(time, groups, live)
        return dataclasses.replace(asked, times=times, max_lags=self.maxlags)


def _clusterings(cluster: Any, column: Column, n: int) -> list[tuple[str, Any]]:
    """Names and values of the clusterings: one, or several by inclusion and exclusion."""
    if isinstance(cluster, str):
        names = cluster.lstrip("~ ").split("+") if cluster.lstrip().startswith("~") else [cluster]
        return [(name.strip(), column(name.strip())) for name in names]
    if isinstance(cluster, Mapping):
        return [(str(name), values) for name, values in cluster.items()]
    if hasattr(cluster, "columns") and hasattr(cluster, "iloc"):
        return [(str(name), cluster[name]) for name in cluster.columns]
    if getattr(cluster, "ndim", 1) == 2:
        return [(f"cluster {i}", own) for i, own in enumerate(np.asarray(cluster).T, 1)]
    several = isinstance(cluster, list | tuple) and len(cluster) != n
    if not several and isinstance(cluster, Sequence) and len(cluster) == n:
        several = all(hasattr(own, "__len__") and not isinstance(own, str) for own in cluster)
    if not several:
        return [(_name(cluster, "cluster"), cluster)]
    if not len(cluster):
        raise DataError("cluster is an empty list: give a column name or values, or several")
    return [
        (own, column(own)) if isinstance(own, str) else (_name(own, f"cluster {i}"), own)
        for i, own in enumerate(cluster, 1)
    ]


def _name(values: Any, default: str) -> str:
    name = getattr(values, "name", None)
    return default if name is None else str(name)


def _values(given: Any, column: Column) -> Any:
    return column(given) if isinstance(given, str) else given
