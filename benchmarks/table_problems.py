"""Owns the problems whose data are a table: insurance claims, flights, and one that is small.

Imports `spec` and `drawing`, and `jaxglm.datasets` for the flights only.
"""

from collections.abc import Mapping

import numpy as np

from benchmarks.drawing import respond
from benchmarks.spec import Columns, Made, Problem, Spec, rows_at

ROWS_PER_LEVEL = 100
"""Scaled down, factors keep only so many levels that one has this many rows on average."""
CLAIMS = {"region": 50, "brand": 20, "use": 10, "model": 100, "postcode": 1_000}
CROWDED = {"customer": 200_000, "region": 50}
FLIGHT_FACTORS = ("carrier", "origin", "dest", "month")
FLIGHT_NUMBERS = ("hour", "distance")
FEWEST_FLIGHTS = 20


def unequal_codes(rng: np.random.Generator, n: int, levels: int) -> np.ndarray:
    """Codes with unequal frequencies (about four to one), every level present."""
    chance = np.linspace(4.0, 1.0, levels)
    codes = rng.choice(levels, n, p=chance / chance.sum())
    codes[:levels] = np.arange(levels)
    rng.shuffle(codes)
    return codes.astype(np.int32)


def table(
    name: str,
    family: str,
    n_full: int,
    levels: Mapping[str, int],
    *,
    level: float,
    exposure: bool = False,
    rows_per_level: int = ROWS_PER_LEVEL,
    power: float | None = None,
):
    def make(scale: float, seed: int) -> Made:
        rng = np.random.default_rng(seed)
        n = rows_at(n_full, scale)
        sizes = {f: min(k, max(2, n // rows_per_level)) for f, k in levels.items()}
        eta = np.full(n, level)
        codes, labels = {}, {}
        for factor, size in sizes.items():
            codes[factor] = unequal_codes(rng, n, size)
            labels[factor] = [f"{factor}{j:06d}" for j in range(size)]
            eta += rng.normal(0.0, 0.25, size)[codes[factor]]
        numeric = {}
        for j in range(1, 6):
            x = rng.standard_normal(n)
            numeric[f"x{j}"] = x
            eta += rng.normal(0.0, 0.15) * x
        exposed = rng.uniform(0.1, 1.0, n) if exposure else None
        p = 1 + sum(size - 1 for size in sizes.values()) + len(numeric)
        spec = Spec(
            name, family, n, p, "table", "float64", scale, power, sizes, tuple(numeric), exposure
        )
        y = respond(spec, eta, rng, exposed)
        if family != "gamma":
            _one_event_a_level(y, codes, sizes)
        return spec, Columns(y, codes=codes, levels=labels, numeric=numeric, exposure=exposed)

    return make


def _one_event_a_level(
    y: np.ndarray, codes: Mapping[str, np.ndarray], sizes: Mapping[str, int]
) -> None:
    """Give each level without an event one, at its first row: its coefficient is then finite."""
    for factor, size in sizes.items():
        empty = np.flatnonzero(np.bincount(codes[factor], y, size) == 0)
        if empty.size:
            present, first = np.unique(codes[factor], return_index=True)
            y[first[np.isin(present, empty)]] = 1.0


def _small(scale: float, seed: int) -> Made:
    rng = np.random.default_rng(seed)
    numeric = {f"x{j}": rng.standard_normal(1_000) for j in range(1, 5)}
    spec = Spec(
        "small-table",
        "binomial",
        1_000,
        1 + len(numeric),
        "table",
        scale=scale,
        numeric=tuple(numeric),
        summary=True,
    )
    eta = -0.5 + 0.4 * np.sum(list(numeric.values()), axis=0)
    return spec, Columns(respond(spec, eta, rng), numeric=numeric)


def _flights(scale: float, seed: int) -> Made:
    """The flights of the demo, less the levels at which nothing, or everything, was late.

    Those (one destination with one flight, in full) have no finite coefficient. A subsample also
    loses levels with fewer than 20 flights, which could be separated jointly.
    """
    from jaxglm.datasets import load_flights

    table = load_flights()
    if scale < 1:
        drawn = np.random.default_rng(seed).permutation(len(table))
        table = table.iloc[drawn[: rows_at(len(table), scale, 5_000)]]
    fewest = 2 if scale >= 1 else FEWEST_FLIGHTS
    while True:
        keep = np.ones(len(table), bool)
        for factor in FLIGHT_FACTORS:
            late = table.groupby(factor, observed=True)["late"]
            mixed = (late.size() >= fewest) & late.mean().between(0, 1, inclusive="neither")
            keep &= table[factor].isin(mixed.index[mixed]).to_numpy()
        if keep.all():
            break
        table = table[keep]
    codes, labels = {}, {}
    for factor in FLIGHT_FACTORS:
        values, codes_of = np.unique(table[factor].astype(str), return_inverse=True)
        codes[factor] = codes_of.astype(np.int32)
        labels[factor] = [str(value) for value in values]
    numeric = {column: table[column].to_numpy(float) for column in FLIGHT_NUMBERS}
    sizes = {factor: len(names) for factor, names in labels.items()}
    p = 1 + sum(size - 1 for size in sizes.values()) + len(numeric)
    spec = Spec(
        name="flights",
        family="binomial",
        n=len(table),
        p=p,
        door="table",
        scale=min(scale, 1.0),
        factors=sizes,
        numeric=FLIGHT_NUMBERS,
        summary=True,
    )
    y = table["late"].to_numpy(float)
    return spec, Columns(y, codes=codes, levels=labels, numeric=numeric)


TABLE_PROBLEMS = (
    Problem(
        "claims",
        "Poisson with exposure, 1,000,000 rows, factors of 50, 20, 10, 100 and 1,000 levels, "
        "5 numeric columns",
        table("claims", "poisson", 1_000_000, CLAIMS, level=-2.0, exposure=True),
    ),
    Problem(
        "claims-severity",
        "Gamma with log link, the columns of claims",
        table("claims-severity", "gamma", 1_000_000, CLAIMS, level=7.0),
    ),
    Problem(
        "claims-tweedie",
        "Tweedie 1.5 with log link, the columns of claims",
        table("claims-tweedie", "tweedie", 1_000_000, CLAIMS, level=0.0, power=1.5),
    ),
    Problem(
        "high-cardinality",
        "Poisson, 2,000,000 rows, factors of 200,000 and 50 levels, 5 numeric columns",
        table("high-cardinality", "poisson", 2_000_000, CROWDED, level=0.0, rows_per_level=10),
    ),
    Problem("flights", "logistic, 327,345 flights, from data frame to summary", _flights),
    Problem(
        "small-table",
        "logistic, 1,000 x 5 at every scale, from data frame to summary",
        _small,
    ),
    Problem(
        "claims-20m",
        "claims at 20,000,000 rows: for an accelerator",
        table("claims-20m", "poisson", 20_000_000, CLAIMS, level=-2.0, exposure=True),
    ),
)
