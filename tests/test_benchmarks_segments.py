"""The benchmark harness on many small fits: problems, judgement, loop and report.

No peer needs to be installed.
"""

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks import accuracy, data, driver, libraries, problems, report
from benchmarks import accuracy_by_segment as by_segment
from benchmarks.libraries import _loop
from benchmarks.segments import Sorted, segment_ids
from benchmarks.spec import Columns, Made, Spec

from .benchmark_lines import stored_line

SMALL = 0.002
RAGGED = "segments-ragged"


@pytest.fixture(scope="module")
def ragged() -> Made:
    return problems.generate(RAGGED, SMALL)


@pytest.fixture(scope="module")
def reference(ragged: Made) -> by_segment.Reference:
    return by_segment.find_reference(*ragged)


@pytest.fixture(scope="module")
def folder(
    ragged: Made, reference: by_segment.Reference, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    made = tmp_path_factory.mktemp(RAGGED)
    data.save(made, *ragged)
    reference.save(made)
    return made


@pytest.mark.parametrize(
    "name, rows, terms",
    [
        ("segments-logistic", 100, 5),
        ("segments-wide", 1_000, 10),
        ("segments-million", 20, 3),
        ("segments-negative-binomial", 150, 6),
    ],
)
def test_segments_have_the_rows_and_terms_that_the_page_names(
    name: str, rows: int, terms: int
) -> None:
    spec, columns = problems.generate(name, SMALL)
    ids = segment_ids(spec, columns)
    assert (np.bincount(ids) == rows).all() and ids.max() + 1 == spec.segments
    assert spec.p == terms == 1 + len(spec.numeric) and spec.n == columns.y.size
    assert (np.diff(ids) < 0).any(), "rows stand in no order"
    found = by_segment.find_reference(spec, columns)
    assert found.verified and found.healthy.all()


def test_segments_of_several_columns_are_counted_in_the_order_of_their_keys() -> None:
    codes = {"a": np.array([1, 0, 1, 0, 2]), "b": np.array([0, 3, 1, 3, 0])}
    spec = Spec("made", "poisson", 5, 2, "table", numeric=("x",), by=("a", "b"), segments=4)
    columns = Columns(np.arange(5.0), codes=codes, numeric={"x": np.arange(5.0)})
    assert segment_ids(spec, columns).tolist() == [1, 0, 2, 0, 3]
    y, X, offset = Sorted(spec, columns).rows(0, 2)
    assert y.tolist() == [1, 3, 0] and X.tolist() == [[1, 1], [1, 3], [1, 0]] and offset is None


def test_the_reference_of_a_segment_is_that_of_its_single_fit(
    ragged: Made, reference: by_segment.Reference
) -> None:
    spec, columns = ragged
    sizes = np.bincount(segment_ids(spec, columns))
    assert sizes.min() >= 15 and sizes.max() > 4 * np.median(sizes)
    assert reference.verified and 4 <= (~reference.healthy).sum() <= 6
    for part in Sorted(spec, columns).parts()[:20]:
        if not reference.healthy[part.segment]:
            continue
        assert part.offset is not None
        alone = dataclasses.replace(spec, n=part.y.size, by=(), segments=0, door="arrays")
        exposure = np.exp(part.offset)
        single = accuracy.find_reference(alone, Columns(part.y, X=part.X, exposure=exposure))
        np.testing.assert_allclose(reference.beta[part.segment], single.beta, atol=1e-8)
        information = part.X.T @ (single.metric[:, None] * part.X)
        np.testing.assert_allclose(reference.information[part.segment], information, rtol=1e-6)


def test_one_healthy_segment_that_is_touched_fails_the_run(
    reference: by_segment.Reference,
) -> None:
    beta = np.where(reference.healthy[:, None], reference.beta, np.nan)
    good = by_segment.judge(reference, beta)
    assert good.passed and good.distance == 0.0 and good.answered == 0
    assert good.healthy + good.unhealthy == reference.healthy.size
    assert by_segment.judge(reference, np.where(np.isnan(beta), 1.0, beta)).answered > 0

    touched = int(np.flatnonzero(reference.healthy)[7])
    error = np.sqrt(np.linalg.inv(reference.information[touched])[1, 1])
    moved = beta.copy()
    moved[touched, 1] += 2e-3 * error
    verdict = by_segment.judge(reference, moved)
    assert not verdict.passed and verdict.distance >= 2e-3 * (1 - 1e-6)
    others = np.delete(np.arange(len(beta)), touched)
    assert by_segment.judge(reference, moved[others], others).passed

    moved[touched] = np.nan
    verdict = by_segment.judge(reference, moved)
    assert not verdict.passed and "1 of" in verdict.reason
    with pytest.raises(ValueError, match="segments"):
        by_segment.judge(reference, beta[:-1])


def test_segments_survive_their_files(folder: Path, reference: by_segment.Reference) -> None:
    given = data.read(folder)
    assert given.spec.by == ("segment",) and given.frame["segment"].dtype == np.int64
    assert list(given.frame.columns) == ["segment", "x1", "x2", "x3", "y", "exposure"]
    again = by_segment.Reference.read(folder)
    assert again.verified and np.array_equal(again.beta, reference.beta)
    assert again.describe() == reference.describe()


class Exact(_loop.Loop):
    """A library that knows the optimum of every segment, and raises at some."""

    def __init__(self, reference: by_segment.Reference):
        self.reference = reference

    def fit_part(self, part: Any, spec: Spec, tolerance: float | None) -> _loop.Fitted:
        if not self.reference.healthy[part.segment]:
            raise ArithmeticError
        beta = self.reference.beta[part.segment]
        return _loop.Fitted(beta, np.ones_like(beta))


def test_a_loop_that_is_cut_short_is_judged_and_scaled_by_its_share(
    folder: Path, reference: by_segment.Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, library = data.read(folder), Exact(reference)
    library.ready(given)
    whole = library.solve(given, None)
    assert whole.share == 1.0 and whole.beta is not None
    assert by_segment.judge(reference, whole.beta, whole.segments).passed

    monkeypatch.setattr(_loop, "LOOP_SECONDS", 0.0)
    one = library.solve(given, None)
    assert one.beta is not None and len(one.beta) == 1
    assert one.share == pytest.approx(1 / given.spec.segments)


def test_jaxglm_answers_nan_for_what_it_calls_failed(
    folder: Path, reference: by_segment.Reference
) -> None:
    given, library = data.read(folder), libraries.create("jaxglm")
    table = pd.DataFrame(reference.beta, index=np.unique(given.frame["segment"]))
    asked: list[tuple] = []

    def fit_groups(*words: Any, **options: Any) -> SimpleNamespace:
        asked.append((words[0], *words[2:], options["exposure"]))
        failed = pd.Series("separated", index=table.index[~reference.healthy])
        return SimpleNamespace(tidy=lambda: None, params=table, bse=table, failed=failed)

    library.jg = SimpleNamespace(fit_groups=fit_groups)  # type: ignore[attr-defined]
    found = library.solve(given, None)
    assert asked == [("y ~ x1 + x2 + x3", "segment", "poisson", "exposure")]
    assert set(found.stages) == {"fit", "tidy"} and found.beta is not None
    verdict = by_segment.judge(reference, found.beta)
    assert verdict.passed and verdict.answered == 0


def test_only_libraries_that_fit_segments_are_run_on_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver.machine, "versions", lambda names: dict.fromkeys(names, "1"))
    spec = data.read_spec(folder)
    run = [
        name
        for name in libraries.ADAPTERS
        if driver._obstacle(libraries.create(name), spec) is None
    ]
    assert run == [
        "jaxglm",
        "jaxglm-cpu",
        "glum",
        "statsmodels",
        "statsmodels-discrete",
        "numpy-irls",
        "polars-statistics",
    ]


def test_the_report_says_how_many_segments_were_timed() -> None:
    shared = stored_line(
        55.0,
        spec={"family": "poisson", "segments": 50_000},
        n=9_000_000,
        p=4,
        memory={
            "before": 0,
            "peak": 3 * 2**30,
            "over_data": 2.0,
            "over_data_later": 1.5,
            "first_only": 0,
        },
        accuracy={"distance": 1e-9, "answered": 3, "unhealthy": 1_000},
    )
    ours = shared | {"library": "jaxglm", "warm": {"median": 1.0}, "share": 1.0}
    peer = {"library": "statsmodels@loosest", "warm": {"median": 60.0}, "share": 0.25}
    lines = [one | {"problem": RAGGED} for one in (ours, shared | peer)]
    text = report.markdown([*lines, ours | {"problem": "segments-million"}])
    assert f"### {RAGGED}: poisson, 50,000 segments, 9,000,000 rows, 4 columns" in text
    assert "| 1.2e+03 | 12,500 | 3 of 1000 |" in text
    assert f"| {RAGGED} | warm time of statsmodels@loosest over ours | 60x | 30x | yes |" in text
    assert "| segments-million | peak memory of the process | 3 GiB | at most 4 GiB | yes |" in text
