"""Owns how a covariance is asked for, in our words and in statsmodels'; no row is read for it."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from jaxglm._status import DataError
from jaxglm.inference._clusters import row_codes
from jaxglm.inference.covariances._clustered import Clusters
from jaxglm.inference.covariances._corrections import SOFTWARE
from jaxglm.inference.covariances._sandwich import Asked
from jaxglm.inference.covariances._serial import Times
from jaxglm.intake import Dataset
from jaxglm.words import check_choice, is_one_of, listed

Information = Literal["expected", "observed"]
_TYPES = ("HC0", "HC1", "HC2", "HC3")
# statsmodels' names beside ours.
_PANELS = ("hac-panel", "nw-panel")
_SUMS = ("hac-groupsum", "nw-groupsum")
_NAMES = {name.lower(): name for name in ("nonrobust", *_TYPES, "cluster", "HAC")}
_NAMES |= dict.fromkeys((*_PANELS, *_SUMS), "HAC")
# The keywords of statsmodels' cov_kwds, with ours.
_KEYWORDS = ("groups", "maxlags", "time", "use_correction", "kernel", "weights_func")

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
        name = _kind(cov_type, cluster)
        check_choice("information", information, ("expected", "observed"))
        check_choice("correction", correction, SOFTWARE)
        check_choice("cadjust", cadjust, (True, False))
        given = {"cluster": cluster, "groups": groups, "time": time, "maxlags": maxlags}
        if cov_kwds is not None:
            given, correction, cadjust = _of_statsmodels(name, given, cov_kwds, correction, cadjust)
        panel = isinstance(cov_type, str) and cov_type.lower()
        if panel in _SUMS:
            _need(given["time"], "time", f"cov_type={cov_type!r}")
            given["groups"] = None
        elif panel in _PANELS:
            _need(given["groups"], "groups", f"cov_type={cov_type!r}")
        if name in _TYPES and given["cluster"] is not None:
            type, name = type or name, "cluster"
        check_choice("type", type, (None, *_TYPES))
        if type is not None and name not in ("cluster", *_TYPES):
            raise ValueError(
                f"type={type!r} is a kind of HC and of cluster covariances, not {name}"
            )
        belongs = {"cluster": ("cluster",), "HAC": ("groups", "time", "maxlags")}.get(name, ())
        foreign = [key for key, value in given.items() if value is not None and key not in belongs]
        if foreign:
            other = "cov_type='cluster'" if foreign == ["cluster"] else "cov_type='HAC'"
            raise ValueError(
                f"{', '.join(f'{key}=' for key in foreign)} belongs to {other}, and the covariance "
                f"asked for is {name!r}"
            )
        if name == "cluster":
            _need(given["cluster"], "cluster", "cov_type='cluster'")
        lags = given["maxlags"]
        if lags is not None and (
            isinstance(lags, bool) or not isinstance(lags, int | np.integer) or lags < 0
        ):
            raise ValueError(f"maxlags must be a number of lags, 0 or more, not {lags!r}")
        if correction == "fixest" and name == "HAC":
            raise ValueError("correction='fixest' is of HC and cluster covariances")
        return cls(
            kind="HC" if name in _TYPES else name,
            type=name if name in _TYPES else type or "HC0",
            cadjust=cadjust,
            correction=correction,
            information=information,
            **given,
        )

    def read(self, held: Dataset, column: Column) -> Asked:
        """With the rows that it is of; `column` gives the values of a column by name.

        Raises
        ------
        DataError
            For values that are missing, or of another length than the fit.
        """
        asked = Asked(self.kind, self.type, self.information, self.correction, self.cadjust)
        live = held.rows.live
        if self.kind == "cluster":
            named = _clusterings(self.cluster, column, len(held.rows))
            codes = [row_codes(values, held, name) for name, values in named]
            return dataclasses.replace(
                asked,
                names=tuple(name for name, _ in named),
                clusters=tuple(Clusters.of(own, live) for own in codes),
            )
        if self.kind != "HAC":
            return asked
        time, groups = (
            None if given is None else row_codes(_values(given, column), held, what)
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


def _kind(cov_type: Any, cluster: Any) -> str:
    if cov_type is None:
        return "nonrobust" if cluster is None else "cluster"
    name = _NAMES.get(cov_type.lower()) if isinstance(cov_type, str) else None
    if name is None:
        raise ValueError(
            "cov_type must be 'nonrobust', 'HC0', 'HC1', 'HC2', 'HC3', 'cluster' or 'HAC', not "
            f"{cov_type!r}"
        )
    return "cluster" if name == "nonrobust" and cluster is not None else name


def _need(value: Any, name: str, what: str) -> None:
    if value is None:
        raise ValueError(f"{what} needs {name}=: a column name, or one value per row")


def _of_statsmodels(
    name: str, given: dict[str, Any], keywords: Mapping[str, Any], correction: str, cadjust: bool
) -> tuple[dict[str, Any], str, bool]:
    """What cov_kwds= say, in our words."""
    if not isinstance(keywords, Mapping):
        raise ValueError(f"cov_kwds must be a dict of keywords, not {keywords!r}")
    unknown = [key for key in keywords if key not in _KEYWORDS]
    if unknown:
        raise ValueError(f"cov_kwds has no {unknown[0]!r}; it may hold {listed(_KEYWORDS, 9)}")
    given = dict(given)
    for key in ("groups", "maxlags", "time"):
        if keywords.get(key) is None:
            continue
        ours = "cluster" if key == "groups" and name == "cluster" else key
        if given[ours] is not None:
            raise ValueError(
                f"{ours}= was given, and {key!r} in cov_kwds as well: give one of them"
            )
        given[ours] = keywords[key]
    if not is_one_of(keywords.get("kernel", "bartlett"), ("bartlett", None)):
        raise ValueError(
            "HAC covariances have Bartlett weights here (Newey-West): leave out kernel"
        )
    if keywords.get("weights_func") is not None:
        raise ValueError("HAC covariances have Bartlett weights here: leave out weights_func")
    corrected = keywords.get("use_correction")
    if corrected is not None and name == "cluster":
        correction, cadjust = ("statsmodels", True) if corrected else (correction, False)
    elif corrected:
        correction = "stata"  # n / (n - k) under both names
    return given, correction, cadjust


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
