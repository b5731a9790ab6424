"""Owns the problems of many small fits: a table, and one model for each segment of it.

Imports `spec`, `drawing` and `segments`, and `jaxglm.datasets` for the flights only. Rows stand in
no order. Segments without a finite optimum are part of some problems: `accuracy_by_segment` finds
out which they are, from the numbers alone.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from benchmarks.drawing import respond
from benchmarks.segments import segment_ids
from benchmarks.spec import Columns, Made, Problem, Spec

FEWEST = 20
"""Segments that a problem keeps at any scale."""
CONSTANT, COPY, EMPTY_GROUP, EMPTY = 1, 2, 3, 4
"""How a segment is spoiled: a constant column, a column equal to another, no events in a group, no
events at all."""
FLIGHT_SEGMENTS = ("carrier", "origin", "month")
FLIGHT_NUMBERS = ("hour", "distance")

Sizes = Callable[[np.random.Generator, int], np.ndarray]


def _each(rows: int) -> Sizes:
    return lambda rng, count: np.full(count, rows)


def _ragged(rng: np.random.Generator, count: int) -> np.ndarray:
    """Log-normal, with median 60; the largest of 50,000 has tens of thousands of rows."""
    return np.clip(60.0 * rng.lognormal(0.0, 1.5, count), 15, 50_000).astype(int)


def _draws(
    name: str,
    family: str,
    full_count: int,
    sizes: Sizes,
    terms: int,
    *,
    level: float,
    effect: float = 0.3,
    exposure: bool = False,
    spoiled: float = 0.0,
) -> Callable[[float, int], Made]:
    """Problems of one segment column, the last term a group of its own where some are `spoiled`."""

    def make(scale: float, seed: int) -> Made:
        rng = np.random.default_rng(seed)
        count = max(round(full_count * scale), FEWEST)
        ids = np.repeat(np.arange(count, dtype=np.int32), sizes(rng, count))
        rng.shuffle(ids)
        n = ids.size
        numeric = {f"x{j}": rng.standard_normal(n) for j in range(1, terms)}
        kind = _kinds(rng, count, spoiled)[ids]
        if spoiled:
            numeric[f"x{terms - 1}"] = rng.integers(0, 2, n).astype(float)
            numeric["x2"][kind == CONSTANT] = 1.5
            numeric["x2"] = np.where(kind == COPY, numeric["x1"], numeric["x2"])
        eta = rng.normal(level, effect, count)[ids]
        for x in numeric.values():
            eta += rng.normal(0.0, effect, count)[ids] * x
        exposed = rng.uniform(0.1, 1.0, n) if exposure else None
        spec = Spec(
            name,
            family,
            n,
            terms,
            "table",
            scale=scale,
            numeric=tuple(numeric),
            has_exposure=exposure,
            by=("segment",),
            segments=count,
        )
        y = respond(spec, eta, rng, exposed)
        if spoiled:
            grouped = numeric[f"x{terms - 1}"] == 1
            y[(kind == EMPTY) | (kind == EMPTY_GROUP) & grouped] = 0.0
        return spec, Columns(y, codes={"segment": ids}, numeric=numeric, exposure=exposed)

    return make


def _kinds(rng: np.random.Generator, count: int, share: float) -> np.ndarray:
    """How each segment is spoiled, 0 where it is not; every kind is as frequent as the others."""
    kinds = np.zeros(count, np.int8)
    if share:
        chosen = rng.choice(count, max(round(share * count), EMPTY), replace=False)
        kinds[chosen] = 1 + np.arange(chosen.size) % EMPTY
    return kinds


def _flights(scale: float, seed: int) -> Made:
    """The flights of the demo, a model for each carrier, airport and month.

    A carrier with one destination has a constant distance, and some months are without a late
    flight: real segments that are rank deficient or separated.
    """
    from jaxglm.datasets import load_flights

    table = load_flights()
    codes, labels = {}, {}
    for name in FLIGHT_SEGMENTS:
        values, of_row = np.unique(table[name].astype(str), return_inverse=True)
        codes[name] = of_row.astype(np.int32)
        labels[name] = [str(value) for value in values]
    numeric = {name: table[name].to_numpy(float) for name in FLIGHT_NUMBERS}
    spec = Spec(
        name="segments-flights",
        family="binomial",
        n=len(table),
        p=1 + len(numeric),
        door="table",
        scale=min(scale, 1.0),
        numeric=FLIGHT_NUMBERS,
        by=FLIGHT_SEGMENTS,
    )
    columns = Columns(table["late"].to_numpy(float), codes=codes, levels=labels, numeric=numeric)
    ids = segment_ids(spec, columns)
    count = int(ids.max()) + 1
    chosen = np.random.default_rng(seed).permutation(count)
    kept = chosen[: max(round(count * spec.scale), FEWEST)]
    rows = np.flatnonzero(np.isin(ids, kept))
    columns = Columns(
        columns.y[rows],
        codes={name: values[rows] for name, values in codes.items()},
        levels=labels,
        numeric={name: values[rows] for name, values in numeric.items()},
    )
    return dataclasses.replace(spec, n=rows.size, segments=kept.size), columns


SEGMENT_PROBLEMS = (
    Problem(
        "segments-logistic",
        "logistic, 20,000 segments of 100 rows, 5 terms",
        _draws("segments-logistic", "binomial", 20_000, _each(100), 5, level=-0.3),
    ),
    Problem(
        "segments-wide",
        "logistic, 2,000 segments of 1,000 rows, 10 terms",
        _draws("segments-wide", "binomial", 2_000, _each(1_000), 10, level=-0.3),
    ),
    Problem(
        "segments-ragged",
        "Poisson with exposure, 50,000 segments of 15 to 50,000 rows, 4 terms, one in 50 segments "
        "without an optimum",
        _draws(
            "segments-ragged",
            "poisson",
            50_000,
            _ragged,
            4,
            level=2.0,
            exposure=True,
            spoiled=0.02,
        ),
    ),
    Problem(
        "segments-million",
        "Poisson, 1,000,000 segments of 20 rows, 3 terms",
        _draws("segments-million", "poisson", 1_000_000, _each(20), 3, level=1.0),
    ),
    Problem(
        "segments-negative-binomial",
        "negative binomial, its shape part of the fit, 5,000 segments of 150 rows, 6 terms",
        _draws(
            "segments-negative-binomial",
            "negative_binomial",
            5_000,
            _each(150),
            6,
            level=1.0,
            effect=0.2,
        ),
    ),
    Problem(
        "segments-flights",
        "logistic, the flights of each carrier, airport and month",
        _flights,
    ),
)
