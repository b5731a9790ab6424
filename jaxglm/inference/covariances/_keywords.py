"""Owns the words that ask for a covariance, ours and statsmodels', and which do not go together."""

from collections.abc import Mapping
from typing import Any

from jaxglm.words import is_one_of, listed

TYPES = ("HC0", "HC1", "HC2", "HC3")
# statsmodels' names beside ours.
PANELS = ("hac-panel", "nw-panel")
SUMS = ("hac-groupsum", "nw-groupsum")
_NAMES = {name.lower(): name for name in ("nonrobust", *TYPES, "cluster", "HAC")}
_NAMES |= dict.fromkeys((*PANELS, *SUMS), "HAC")
# The keywords of statsmodels' cov_kwds, with ours.
_KEYWORDS = (
    *("groups", "maxlags", "time", "use_correction", "kernel", "weights_func"),
    *("type", "correction", "cadjust"),
)


def kind_named(cov_type: Any, cluster: Any) -> str:
    """The kind asked for, by whichever of its names."""
    if cov_type is None:
        return "nonrobust" if cluster is None else "cluster"
    name = _NAMES.get(cov_type.lower()) if isinstance(cov_type, str) else None
    if name is None:
        raise ValueError(
            "cov_type must be 'nonrobust', 'HC0', 'HC1', 'HC2', 'HC3', 'cluster' or 'HAC', not "
            f"{cov_type!r}"
        )
    return "cluster" if name == "nonrobust" and cluster is not None else name


def need(value: Any, name: str, what: str) -> None:
    """Refuse a kind without what it is made from."""
    if value is None:
        raise ValueError(f"{what} needs {name}=: a column name, or one value per row")


def refuse_idle(
    name: str, given: Mapping[str, Any], type: str | None, correction: str, cadjust: bool
) -> None:
    """Refuse what has no part in the kind of covariance asked for."""
    if type is not None and name not in ("cluster", *TYPES):
        raise ValueError(f"type={type!r} is a kind of HC and of cluster covariances, not {name}")
    belongs = {"cluster": ("cluster",), "HAC": ("groups", "time", "maxlags")}.get(name, ())
    foreign = [key for key, value in given.items() if value is not None and key not in belongs]
    if foreign:
        other = "cov_type='cluster'" if foreign == ["cluster"] else "cov_type='HAC'"
        raise ValueError(
            f"{', '.join(f'{key}=' for key in foreign)} belongs to {other}, and the covariance "
            f"asked for is {name!r}"
        )
    if not cadjust and name != "cluster":
        raise ValueError(
            "cadjust=False leaves out the G / (G - 1) of clusters, and the covariance asked for is "
            f"{name!r}"
        )
    if correction == "fixest" and name == "HAC":
        raise ValueError("correction='fixest' is of HC and cluster covariances")
    if correction != "sandwich" and name == "nonrobust":
        raise ValueError(
            f"correction={correction!r} is of robust covariances, and the one asked for is "
            "'nonrobust'"
        )


def of_keywords(
    name: str, given: Mapping[str, Any], small: Mapping[str, Any], keywords: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
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
    small = {key: keywords.get(key, value) for key, value in small.items()}
    corrected = keywords.get("use_correction")
    if corrected is None:
        return given, small
    if "correction" in keywords or "cadjust" in keywords:
        raise ValueError(
            "use_correction is statsmodels' word for correction and cadjust: give it or these"
        )
    if name == "cluster":
        small |= {"correction": "statsmodels"} if corrected else {"cadjust": False}
    elif name == "HAC":
        small |= {"correction": "stata"} if corrected else {}  # n / (n - k) under both names
    else:
        raise ValueError(
            f"use_correction is of cluster and HAC covariances, and the one asked for is {name!r}"
        )
    return given, small
