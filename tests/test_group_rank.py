"""The rank of many segments at once, against the decision on each by itself."""

import jax
import numpy as np
import pandas as pd
import pytest

from jaxglm.families import family
from jaxglm.intake import Given, table_segments
from jaxglm.lanes._lanes import Lanes
from jaxglm.lanes._rank import rank_of
from jaxglm.search._basis import condition
from jaxglm.sums import Objective

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(8)
SMALLEST_PIVOT = float(np.finfo(float).eps ** 0.45)
N = 21


def columns(n: int = N) -> dict[str, np.ndarray]:
    return {
        "x": RNG.normal(size=n),
        "z": RNG.normal(size=n),
        "k": np.array(list("abc"))[np.arange(n) % 3],
        "w": np.ones(n),
    }


def changed(n: int = N, **given) -> pd.DataFrame:
    own = columns(n)
    return pd.DataFrame(own | {name: make(own) for name, make in given.items()})


TABLES = {
    "full rank": changed(),
    "twice the same": changed(z=lambda own: own["x"]),
    "constant": changed(x=lambda own: np.full(N, 3.7)),
    "nothing but zeros": changed(x=lambda own: np.zeros(N), z=lambda own: np.zeros(N)),
    "a sum of levels": changed(z=lambda own: 2.0 * (own["k"] != "b")),
    "lacks a level": changed(k=lambda own: np.where(own["k"] == "c", "b", own["k"])),
    "lacks the reference": changed(k=lambda own: np.where(own["k"] == "a", "b", own["k"])),
    "one level": changed(k=lambda own: np.full(N, "b")),
    "rounding apart": changed(z=lambda own: own["x"] * (1 + 1e-15 * RNG.normal(size=N))),
    "collinear to 1e-5": changed(z=lambda own: own["x"] + 1e-5 * RNG.normal(size=N)),
    "far from zero": changed(x=lambda own: own["x"] + 1e7),
    "units": changed(x=lambda own: own["x"] * 1e90, z=lambda own: own["z"] * 1e-90),
    "two rows": changed(2),
    "one row": changed(1),
    "apart in a row that does not count": changed(
        z=lambda own: own["x"] + (np.arange(N) == 4), w=lambda own: 1.0 * (np.arange(N) != 4)
    ),
}


@pytest.mark.parametrize("which", ["all", "some"])
def test_rank_is_that_of_single_fits(which: str) -> None:
    data = pd.concat(TABLES, names=["case"]).reset_index("case")
    given = Given(family("gaussian", None), {"freq_weights": "w"}, "raise", np.dtype(float))
    intake = table_segments("x ** 2 ~ x + C(k) + z", data, "case", given)
    segments = intake.segments
    chosen = segments.ready[:: 1 if which == "all" else -3]
    lanes = Lanes.of(segments, Objective(intake.model.family), chosen, max_memory=2.0**20)
    with jax.enable_x64(True):
        rank = rank_of(lanes, chosen, SMALLEST_PIVOT)
        own = (segments.one(int(g)) for g in chosen)
        bases = [condition(one, one.source, SMALLEST_PIVOT, None)[0] for one in own]
    for keep, sound, basis, g in zip(rank.keep, rank.sound, bases, chosen, strict=True):
        assert np.array_equal(keep, basis.keep), intake.keys[g]
        assert sound == (basis.transform is None), intake.keys[g]
