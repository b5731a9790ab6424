"""Owns the table "cost model": what each kind of pass costs a row, beside what it must cost.

    python -m benchmarks.cost_model                              # print the table
    python -m benchmarks.cost_model --page docs/performance.md   # and write it into the page

Rows are in place and programs compiled. A pass must read its bytes, at the rate of a copy, and do
its operations, at that of a matrix product (`hardware.py`): its limit is the larger of the two.
"""

import argparse
import dataclasses
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

import jaxglm as jg
from benchmarks import hardware, machine
from benchmarks.report import table
from jaxglm._jax import computing
from jaxglm.designs import Categorical, Dense, Design, Split
from jaxglm.intake import Columns
from jaxglm.sources import Block, Resident, Rows
from jaxglm.sums import (
    NullModel,
    Point,
    full_moments,
    lean_final_sums,
    light_moments,
    quick_moments,
)

REPEATS = 7
FAMILY = jg.families.Binomial()
# As a fit of single trials computes with it.
TRIALS = FAMILY.for_rows(np.array([0.0, 1.0]), None)
HEADER = (
    "pass",
    "columns",
    "ns a row",
    "bytes",
    "operations",
    "limit, ns",
    "times it",
    "most of it",
)
MARKS = ("<!-- cost model: begin -->", "<!-- cost model: end -->")


@dataclass(frozen=True)
class Shape:
    """Rows to visit: so many numeric columns, and factors of so many levels."""

    rows: int
    numeric: int
    levels: tuple[int, ...] = ()
    dtype: str = "float64"

    @property
    def words(self) -> str:
        """As the table has it."""
        kind = "" if self.dtype == "float64" else f" {self.dtype}"
        if not self.levels:
            return f"{self.numeric}{kind}"
        return f"{self.numeric} and factors of {', '.join(f'{m:,}' for m in self.levels)}"

    @property
    def parts(self) -> int:
        """Entries of a row that are not zero."""
        return self.numeric + len(self.levels)

    @property
    def width(self) -> int:
        """Bytes of a row: its columns, the response and a weight."""
        size = np.dtype(self.dtype).itemsize
        return size * (self.numeric + 2) + 4 * len(self.levels)


@dataclass(frozen=True)
class Pass:
    """A visit to the rows.

    Attributes
    ----------
    words : str
    visit : callable
        From the rows to what makes the visit once.
    operations : callable
        Operations of a row with k entries that are not zero.
    matrix : str
        The dtype of its products with a matrix, or "own"; empty where it has none.
    functions : str
        The pass that has the same functions of a row; empty where it has none.
    factors : bool
        Whether it is measured beside factors.
    """

    words: str
    visit: Callable[["Placed"], Callable[[], Any]]
    operations: Callable[[int], int]
    matrix: str = ""
    functions: str = ""
    factors: bool = True


class Placed:
    """Rows of a shape, where a fit has them."""

    def __init__(self, shape: Shape):
        rng, n = np.random.default_rng(0), shape.rows
        numeric = Dense(rng.standard_normal((n, shape.numeric), np.float32).astype(shape.dtype))
        self.design: Design = numeric
        if shape.levels:
            factors = (
                Categorical(rng.integers(0, m, n, np.int32), None, m - 1) for m in shape.levels
            )
            self.design = Split(numeric, tuple(factors), eliminated=True)
        self.dtype = np.dtype(shape.dtype)
        y = rng.integers(0, 2, n).astype(float)
        self.source = Resident(Block(self.design, Rows(y, np.ones(n))), self.dtype)
        p = self.design.n_columns
        self.beta = rng.normal(0.0, 0.1, p)
        self.columns = Columns(self.design, np.arange(p), n)

    def sums(self, kernel: Callable[..., Any], *params: Any) -> Callable[[], Any]:
        """A visit that adds up sums."""

        def visit() -> Any:
            with computing(self.dtype == np.float64):
                return jax.block_until_ready(self.source.reduce(kernel, TRIALS, *params))

        return visit

    def moments(self, kernel: Callable[..., Any]) -> Callable[[], Any]:
        """A visit of the search."""
        cast = self.dtype.type
        at = Point(self.beta.astype(cast), False, np.int32(0), cast(0.5), cast(0.0))
        return self.sums(kernel, at)

    def final(self) -> Callable[[], Any]:
        """The visit that statistics are made of."""
        half = self.dtype.type(0.5)
        null = NullModel(half, half, self.dtype.type(0.0))
        return self.sums(lean_final_sums, self.beta.astype(self.dtype), null)

    def lengths(self) -> Callable[[], Any]:
        """The visit that leverages and errors of predictions are made of."""
        root = np.eye(self.design.n_columns)
        return lambda: self.columns.squared_lengths(root)


def moments(kernel: Callable[..., Any]) -> Callable[[Placed], Callable[[], Any]]:
    return lambda placed: placed.moments(kernel)


# A symmetric matrix takes k^2 operations, two products with the columns 4 k.
SCORE, FINAL = "score only", "final"
PASSES = (
    Pass("moments", moments(full_moments), lambda k: k * k + 4 * k, "own", SCORE),
    Pass(
        "moments, matrix in float32",
        moments(quick_moments),
        lambda k: k * k + 4 * k,
        "float32",
        SCORE,
    ),
    Pass(SCORE, moments(light_moments), lambda k: 4 * k, functions=SCORE),
    Pass(FINAL, Placed.final, lambda k: k * k + 4 * k, "own", FINAL),
    Pass("X b", lambda placed: lambda: placed.columns.matvec(placed.beta), lambda k: 2 * k),
    Pass("leverages", Placed.lengths, lambda k: 2 * k * k, "float64", factors=False),
)
SHAPES = (
    Shape(1_000_000, 1),
    Shape(1_000_000, 1, dtype="float32"),
    Shape(1_000_000, 10),
    Shape(1_000_000, 50),
    Shape(1_000_000, 50, dtype="float32"),
    Shape(250_000, 200),
    Shape(1_000_000, 5, (20, 50, 1_000)),
)
SEGMENTS = ((20_000, 100, 5), (2_000, 1_000, 10))


def best(action: Callable[[], Any], repeats: int) -> float:
    """Seconds of the quickest of some calls; the first, which may compile, is not among them."""
    action()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


@dataclass(frozen=True)
class Limits:
    """What the machine can do."""

    bytes_per_second: float
    flops_per_second: dict[str, float]

    @classmethod
    def measured(cls, small: bool) -> "Limits":
        """By `hardware.py`."""
        found = hardware.measure(small)
        rates = {k: max(v.values()) for k, v in found["flops_per_second"].items()}
        return cls(max(found["copy_bytes_per_second"].values()), rates)


def rows_of_table(limits: Limits, scale: float, repeats: int) -> Iterator[list[str]]:
    """One row for each pass over each shape, then for whole fits of segments."""
    functions: dict[tuple[str, str], float] = {}
    for shape in SHAPES:
        rows, dtype = max(64, int(shape.rows * scale)), shape.dtype
        placed = Placed(dataclasses.replace(shape, rows=rows))
        for kind in PASSES:
            of_functions = shape.numeric == 1 and not shape.levels
            if of_functions and kind.words not in (SCORE, FINAL):
                continue
            if (shape.levels and not kind.factors) or kind.matrix == dtype == "float32":
                continue
            took = 1e9 * best(kind.visit(placed), repeats) / rows
            if of_functions:
                functions[kind.words, dtype] = took
            rate = limits.flops_per_second[kind.matrix if kind.matrix.startswith("f") else dtype]
            operations = kind.operations(shape.parts)
            own = functions.get((kind.functions, dtype), 0.0)
            yield [
                kind.words,
                shape.words,
                *_numbers(limits, took, shape.width, operations, rate, own),
            ]
    for count, each, p in SEGMENTS:
        own = functions[SCORE, "float64"]
        yield _segments(limits, max(2, int(count * scale)), each, p, own, repeats)


def _segments(limits: Limits, count: int, each: int, p: int, own: float, repeats: int) -> list[str]:
    """Fits of segments in random order, over the passes that these take: a last one each."""
    rng, n = np.random.default_rng(0), count * each
    X, y = rng.standard_normal((n, p)), rng.integers(0, 2, n).astype(float)
    keys = rng.permutation(np.repeat(np.arange(count), each))
    model, found = jg.GLM(y, X, FAMILY), []
    seconds = best(lambda: found.append(model.fit_groups(keys)), repeats)
    passes = float(np.mean(found[-1].fits.scalars["turns"])) + 1
    took, rate = 1e9 * seconds / n / passes, limits.flops_per_second["float64"]
    return [
        "fit of segments, each pass",
        f"{p}, {count:,} segments of {each:,}",
        *_numbers(limits, took, 8 * (p + 2), p * p + 4 * p, rate, own),
    ]


def _numbers(
    limits: Limits, took: float, width: int, operations: int, rate: float, own: float
) -> list[str]:
    """What stands beside a pass; `own` are the nanoseconds of its functions of a row."""
    parts = {
        "memory": 1e9 * width / limits.bytes_per_second,
        "products": 1e9 * operations / rate,
    }
    limit = max(parts.values())
    parts["row functions"] = own
    most = max(parts, key=lambda name: parts[name])
    return [
        f"{took:.3g}",
        f"{width}",
        f"{operations:,}",
        f"{limit:.2g}",
        f"{took / limit:.1f}",
        most,
    ]


def markdown(scale: float = 1.0, repeats: int = REPEATS) -> str:
    """The table, with the machine below it."""
    limits = Limits.measured(small=scale < 1)
    lines = table(HEADER, list(rows_of_table(limits, scale, repeats)))
    where = machine.describe()
    rates = " and ".join(f"{v / 1e9:.0f} in {k}" for k, v in limits.flops_per_second.items())
    return (
        f"{lines}\n{where['cpus']} cores of {where['cpu']}, {where['memory_gib']:.0f} GiB; a copy "
        f"moves {limits.bytes_per_second / 1e9:.1f} GB/s, a matrix product does {rates} billion "
        f"operations a second. jaxglm {jg.__version__} at {machine.commit()}, jax "
        f"{jax.__version__}, Python {where['python']}.\n"
    )


def written_into(page: str, text: str) -> str:
    """A page with the table between its marks."""
    begin, end = MARKS
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", flags=re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"the page has no place for the table: {begin} ... {end}")
    return pattern.sub(lambda _: f"{begin}\n{text}{end}", page)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost_model", description=__doc__)
    parser.add_argument("--page", type=Path, help="write the table between the marks of this page")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the rows (default 1)")
    parser.add_argument("--repeat", type=int, default=REPEATS, help=f"default {REPEATS}")
    given = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    os.environ.setdefault("OMP_NUM_THREADS", str(machine.usable_cpus()))
    text = markdown(given.scale, given.repeat)
    print(text)
    if given.page is not None:
        given.page.write_text(written_into(given.page.read_text("utf-8"), text), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
