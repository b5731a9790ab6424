"""A segment that cannot be fitted keeps to itself: its own status and words, no other harmed."""

import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jaxglm as jg

from .group_fits import assert_same_fit, many, one, quiet
from .marks import slow_among

pytestmark = pytest.mark.slow

N = 31
_rng = np.random.default_rng(3)
Rows = tuple[np.ndarray, np.ndarray]


def healthy(family: str, n: int = N) -> Rows:
    X = np.column_stack([np.ones(n), _rng.normal(size=(n, 2)), np.arange(n) % 3 == 0]) * 1.0
    eta = X @ [0.3, 0.4, -0.3, 0.2]
    if family == "binomial":
        return (_rng.uniform(size=n) < 1 / (1 + np.exp(-eta))) * 1.0, X
    if family == "poisson":
        return _rng.poisson(np.exp(eta)) * 1.0, X
    return (eta + _rng.normal(size=n), X) if family == "gaussian" else (np.exp(eta), X)


def with_y(make: Callable[[np.ndarray, np.ndarray], Any]) -> Callable[[str], Rows]:
    """A segment with another response, from that of a healthy one and its columns."""

    def case(family: str) -> Rows:
        y, X = healthy(family)
        return make(y, X) * np.ones(N), X

    return case


def with_x(make: Callable[[np.ndarray], Any]) -> Callable[[str], Rows]:
    """A segment with another third column, made from its columns."""

    def case(family: str) -> Rows:
        y, X = healthy(family)
        X[:, 2] = make(X)
        return y, X

    return case


def first(values: np.ndarray, value: float) -> np.ndarray:
    return np.append(value, values[1:])


def touching(X: np.ndarray) -> np.ndarray:
    """Complete separation but for two rows at the same place."""
    X[:2, 1] = 0.0
    return np.append([0.0, 1.0], X[2:, 1] > 0)


ANY: dict[str, tuple[Callable[[str], Rows], str, str]] = {
    "given twice": (with_x(lambda X: X[:, 1]), "CONVERGED", "Rank deficient: 'x3' is"),
    "second constant": (with_x(lambda X: 3.7), "CONVERGED", "Rank deficient: 'x3' is"),
    "rounding apart": (
        with_x(lambda X: X[:, 1] * (1 + 1e-15 * _rng.normal(size=N))),
        "CONVERGED",
        "Rank deficient: 'x3' is",
    ),
    "one row": (lambda family: healthy(family, 1), "", "Rank deficient: 'x2', 'x3'"),
    "fewer rows than columns": (lambda family: healthy(family, 3), "", "Rank deficient: .*'x4'"),
    "zeros everywhere": (
        lambda family: (healthy(family)[0], np.zeros((N, 4))),
        "CONVERGED",
        "Rank deficient: 'x1', 'x2', 'x3', 'x4' are",
    ),
    "missing in X": (
        with_x(lambda X: first(X[:, 2], np.nan)),
        "INVALID",
        "'x3' of X has missing values .* in row",
    ),
    "missing in y": (with_y(lambda y, X: first(y, np.nan)), "INVALID", "y has missing values"),
    "infinite in X": (with_x(lambda X: first(X[:, 2], np.inf)), "INVALID", "infinite values"),
    "infinite in y": (with_y(lambda y, X: first(y, np.inf)), "INVALID", "infinite|support"),
    "overflow": (with_x(lambda X: 1e200 * X[:, 2]), "INVALID", "'x3': values so large"),
    "underflow": (
        with_x(lambda X: 1e-200 * X[:, 2]),
        "INVALID",
        "'x3': values so large or so small",
    ),
    "nearly collinear": (with_x(lambda X: X[:, 1] + 1e-5 * X[:, 2]), "CONVERGED", ""),
    "far from zero": (with_x(lambda X: 1e9 + X[:, 2]), "CONVERGED", ""),
    "large numbers": (with_x(lambda X: 1e100 * X[:, 2]), "CONVERGED", ""),
}
COUNTS = {
    "all zero": (with_y(lambda y, X: 0.0), "SEPARATED", "Separation.*'x1'"),
    "a group of zeros": (with_y(lambda y, X: y * (X[:, 3] == 0)), "SEPARATED", "for 'x4';"),
    "negative": (with_y(lambda y, X: first(y, -1.0)), "INVALID", "outside the support"),
}
CASES: dict[str, dict[str, tuple[Callable[[str], Rows], str, str]]] = {
    "binomial": ANY
    | COUNTS
    | {
        "all one": (with_y(lambda y, X: 1.0), "SEPARATED", "Separation.*'x1'"),
        "a group of ones": (
            with_y(lambda y, X: np.maximum(y, X[:, 3])),
            "SEPARATED",
            "for 'x4';",
        ),
        "complete separation": (with_y(lambda y, X: X[:, 1] > 0), "SEPARATED", "'x2'"),
        "quasi-complete separation": (with_y(lambda y, X: touching(X)), "SEPARATED", "'x2'"),
        "separated by a combination": (
            with_y(lambda y, X: X[:, 1] + X[:, 2] - X[:, 3] > 0),
            "SEPARATED",
            "'x2', 'x3', 'x4'",
        ),
    },
    "poisson": ANY
    | COUNTS
    | {
        "constant response": (with_y(lambda y, X: 2.0), "CONVERGED", ""),
        "perfect fit": (
            with_y(lambda y, X: np.exp(X @ [0.3, 0.4, -0.3, 0.2])),
            "CONVERGED",
            "",
        ),
        "a million million": (with_y(lambda y, X: 1e12 * y), "CONVERGED", ""),
        "one count of 1e300": (
            with_y(lambda y, X: first(y + 0.5, 1e300)),
            "INVALID",
            "response .* squares overflow",
        ),
        "huge offset": (healthy, "", ""),
    },
    "gaussian": ANY
    | {
        "constant response": (with_y(lambda y, X: 2.0), "CONVERGED", "Essentially perfect"),
        "nothing but zeros": (with_y(lambda y, X: 0.0), "CONVERGED", "Essentially perfect"),
        "perfect fit": (
            with_y(lambda y, X: X @ [1.0, 2.0, -1.0, 0.5]),
            "CONVERGED",
            "Essentially perfect",
        ),
        "a million million": (with_y(lambda y, X: 1e12 * y), "CONVERGED", ""),
        "squares overflow": (
            with_y(lambda y, X: 1e200 * y),
            "INVALID",
            "response .* squares overflow",
        ),
    },
}


class Mixture:
    """A call with healthy segments among bad ones."""

    def __init__(self, family: str):
        self.family = family
        segments = {"Healthy": healthy(family)}
        segments |= {name: make(family) for name, (make, _, _) in CASES[family].items()}
        segments |= {"zero weights": healthy(family), "healthy too": healthy(family)}
        self.groups = np.repeat(list(segments), [y.size for y, _ in segments.values()])
        self.y = np.concatenate([y for y, _ in segments.values()])
        self.X = np.vstack([X for _, X in segments.values()])
        self.vectors = {
            "freq_weights": np.where(self.groups == "zero weights", 0.0, 1.0),
            "offset": np.where(self.groups == "huge offset", 1e3, 0.0) * self.X[:, 1],
        }
        self.fits = many(self.y, self.X, self.groups, family, self.vectors)


_mixtures: dict[str, Mixture] = {}


@pytest.fixture(params=slow_among(CASES, ["gaussian", "poisson"]))
def mixture(request: pytest.FixtureRequest) -> Mixture:
    if request.param not in _mixtures:
        _mixtures[request.param] = Mixture(request.param)
    return _mixtures[request.param]


def test_each_has_its_own_status_and_words(mixture: Mixture) -> None:
    fits = mixture.fits
    expected = CASES[mixture.family] | {"zero weights": (None, "INVALID", "all weights are zero")}
    for name, (_, status, words) in expected.items():
        assert status in ("", fits.status[name].name), name
        told = fits.failed.get(name, "")
        assert bool(told) == bool(words) and re.search(words, told), (name, told)
    assert not {"Healthy", "healthy too"} & set(fits.failed.index)


@pytest.mark.parametrize("mixture", ["poisson"], indirect=True)
@pytest.mark.slow
def test_what_can_be_said_is_that_of_single_fits(mixture: Mixture) -> None:
    fits, scored = mixture.fits, 0
    for name in CASES[mixture.family]:
        rows = mixture.groups == name
        vectors = {k: v for k, v in mixture.vectors.items() if k == "offset"}
        try:
            single = one(mixture.y, mixture.X, rows, mixture.family, vectors)
        except jg.DataError as error:
            assert fits.status[name] is jg.Status.INVALID, error
            assert fits.params.loc[name].isna().all()
            continue
        assert fits.status[name] is single.status, name
        if single.status.usable:
            scored += 1
            assert_same_fit(fits[name], single, rtol=1e-8)
    assert scored > 5


def test_healthy_segments_are_what_they_are_alone(mixture: Mixture) -> None:
    for name in ("Healthy", "healthy too"):
        rows = mixture.groups == name
        vectors = {k: v[rows] for k, v in mixture.vectors.items()}
        alone = many(
            mixture.y[rows], mixture.X[rows], mixture.groups[rows], mixture.family, vectors
        )
        assert_same_fit(alone[name], mixture.fits[name], rtol=1e-12)


def test_tables_have_a_row_for_each(mixture: Mixture) -> None:
    fits = mixture.fits
    assert len(fits.glance()) == len(fits) and len(fits.tidy()) == 4 * len(fits)
    assert np.isfinite(fits.params[fits.converged.to_numpy() & ~fits.aliased.any(axis=1)]).all(
        axis=None
    )
    refused = fits.status == jg.Status.INVALID
    assert fits.params[refused].isna().all(axis=None) and fits.bse[refused].isna().all(axis=None)
    assert fits.counts().sum() == len(fits)


# -- segments fitted one by one -------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "family, options",
    [
        (jg.NegativeBinomial(), {}),
        (jg.Poisson(), {"method": "lbfgs"}),
    ],
    ids=["shape", "lbfgs"],
)
def test_single_fits_fail_by_themselves(family: Any, options: dict) -> None:
    names = ["Healthy", "given twice", "overflow", "zeros everywhere", "all zero", "missing in y"]
    bad = set(names[1:])
    # What becomes of this depends on the method; it must not end the call.
    names.append("one count of 1e300")
    made = {name: CASES["poisson"].get(name, (healthy, "", ""))[0]("poisson") for name in names}
    groups = np.repeat(names, N)
    y = np.concatenate([y for y, _ in made.values()])
    X = np.vstack([X for _, X in made.values()])
    fits = many(y, X, groups, family, **options)
    assert bad <= set(fits.failed.index)
    assert_same_fit(fits["Healthy"], one(y, X, groups == "Healthy", family, **options))


# -- what is done about failures ------------------------------------------------------------------

TABLE = {
    "g": ["a"] * 4 + ["b"] * 4 + ["c"] * 4,
    "x": [0.0, 1, 2, 3] * 3,
    "y": [1.0, 2, 4, 8, 0, 0, 0, 0, 2, 1, np.nan, 3],
}


def test_on_failure() -> None:
    words = "2 of 3 segments have no ordinary optimum: 1 separated, 1 not fitted; see .failed"
    with pytest.warns(jg.SegmentWarning, match=words) as caught:
        warned = jg.fit_groups("y ~ x", TABLE, by="g", family="poisson")
    assert len(caught) == 1 and caught[0].filename == __file__
    with pytest.raises(jg.FitError, match=words) as raised:
        jg.fit_groups("y ~ x", TABLE, by="g", family="poisson", on_failure="raise")
    assert raised.value.results.params.equals(warned.params)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ignored = jg.fit_groups("y ~ x", TABLE, by="g", family="poisson", on_failure="ignore")
    assert ignored.failed.equals(warned.failed)
    with pytest.raises(ValueError, match="on_failure"):
        jg.fit_groups("y ~ x", TABLE, by="g", family="poisson", on_failure="stop")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="max_memory"):
        jg.fit_groups("y ~ x", TABLE, by="g", family="poisson", max_memory=0)


def test_no_segment_can_be_fitted() -> None:
    table = {name: values[8:] for name, values in TABLE.items()}
    fits = quiet(jg.fit_groups, "y ~ x", table, by="g", family="poisson")
    assert fits.failed.index.tolist() == ["c"] and fits.params.isna().all(axis=None)


def test_missing_rows_may_be_left_out() -> None:
    fits = quiet(jg.fit_groups, "y ~ x", TABLE, by="g", family="poisson", missing="drop")
    assert fits.failed.index.tolist() == ["b"]
    assert fits.glance()["nobs"].tolist() == [4, 4, 3]


@pytest.mark.slow
def test_numbers_that_are_all_zero_in_a_segment_are_rank_deficient_there() -> None:
    """As `jg.glm` says it; a level that a segment lacks is no fault."""
    rng = np.random.default_rng(4)
    table = pd.DataFrame(
        {
            "shop": np.repeat(["empty", "fine", "lacking", "denormal"], 10),
            "x": rng.normal(size=40),
            "k": np.tile(["p", "q"], 20),
            "y": rng.normal(size=40),
        }
    )
    table.loc[table["shop"] == "empty", "x"] = 0.0
    table.loc[table["shop"] == "lacking", "k"] = "p"
    table.loc[table["shop"] == "denormal", "x"] *= 1e-310
    fits = jg.fit_groups("y ~ x + k", table, "shop", on_failure="ignore")
    assert list(fits.failed.index) == ["denormal", "empty"]
    with pytest.warns(jg.RankWarning):
        alone = jg.glm("y ~ x + k", table[table["shop"] == "empty"])
    assert fits.failed["empty"] in alone.notes and fits.failed["empty"] in fits["empty"].notes
    assert fits.glance().set_index("shop").loc["empty", "df_resid"] == alone.df_resid == 8
    assert "column 'x': values so large or so small" in fits.failed["denormal"]
    X = np.column_stack([np.ones(40), table["x"]])
    arrays = jg.GLM(table["y"], X).fit_groups(table["shop"], on_failure="ignore")
    assert list(arrays.failed.index) == ["denormal", "empty"]
    rows = table[table["shop"] == "empty"]
    responses = jg.fit_responses("~ x + k", rows, ["y"], on_failure="ignore")
    assert responses.failed["y"] == fits.failed["empty"]
