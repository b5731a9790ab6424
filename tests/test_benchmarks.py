"""The benchmark harness: its problems, its judgement, its lines and its report.

No peer needs to be installed.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse, stats

import jaxglm as jg
from benchmarks import (
    accuracy,
    compare,
    data,
    dense_problems,
    driver,
    formulas,
    hardware,
    libraries,
    machine,
    memory,
    problems,
    report,
    results,
    table_problems,
    targets,
)
from benchmarks.__main__ import REPEAT, entrants, main, parser
from benchmarks.spec import Columns, Made, Spec

from .benchmark_lines import stored_line

SMALL = 0.002
FAMILIES = [name for name in problems.PROBLEMS if name.startswith("family-")]
COUNTS = ("binomial", "poisson", "negative_binomial", "tweedie", "gaussian")
# A quasi family has the coefficients of its namesake.
NOT_FAMILIES = {"Family", "family", "links", "Quasi", "QuasiBinomial", "QuasiPoisson"}
NOT_LINKS = {"Link", "Power", "as_link", "slope", "stands_for_link"}
# Those of many fits have tests of their own.
DRAWN = [
    name
    for name in problems.PROBLEMS
    if name not in (*problems.FOR_GPU, "flights") and not name.startswith("segments-")
]
FULL_COLUMNS = {
    "dense-logistic": 50,
    "dense-logistic-float32": 50,
    "dense-logistic-correlated": 50,
    "dense-wide": 500,
    "dense-wide-float32": 500,
    "dense-gaussian": 200,
    "dense-long-float32": 10,
    "claims": 1_181,
    "claims-severity": 1_181,
    "claims-tweedie": 1_181,
    "high-cardinality": 200_054,
    "small": 5,
    "small-table": 5,
}
FULL_COLUMNS |= {name: 20 for name in problems.PROBLEMS if name.startswith("family-")}


def made(name: str, scale: float = SMALL) -> Made:
    return problems.generate(name, scale)


def dense(spec: Spec, columns: Columns) -> np.ndarray:
    """X, written out independently of the harness."""
    if columns.X is not None:
        return columns.X.astype(float)
    parts: list[Any] = [np.ones((spec.n, 1))]
    for name, size in spec.factors.items():
        parts.append(np.eye(size)[columns.codes[name]][:, 1:])
    parts.extend(values[:, None] for values in columns.numeric.values())
    return np.hstack(parts)


@pytest.mark.parametrize("name", DRAWN)
def test_problems_have_the_shape_they_say_and_the_numbers_of_their_seed(name: str) -> None:
    spec, columns = made(name)
    again = made(name)[1]
    other = problems.generate(name, SMALL, seed=1)[1]
    assert np.array_equal(columns.y, again.y) and not np.array_equal(columns.y, other.y)
    assert columns.y.shape == (spec.n,)
    if columns.X is not None:
        assert columns.X.shape == (spec.n, spec.p) and columns.X.dtype == spec.dtype
        assert (columns.X[:, 0] == 1).all()
    else:
        assert spec.p == 1 + sum(k - 1 for k in spec.factors.values()) + len(spec.numeric)
        assert spec.numeric == tuple(columns.numeric)
        for factor, size in spec.factors.items():
            events = np.bincount(columns.codes[factor], columns.y, size)
            assert events.size == size and (events > 0).all()


@pytest.mark.parametrize("name", [n for n in DRAWN if problems.PROBLEMS[n].name != "small"])
def test_the_full_problem_has_the_columns_that_the_page_names(name: str) -> None:
    # The tables' factors keep all levels at full scale only; drawing that many rows takes too long
    # here, so the levels are counted.
    if name.startswith("claims"):
        assert 1 + sum(k - 1 for k in table_problems.CLAIMS.values()) + 5 == FULL_COLUMNS[name]
    elif name == "high-cardinality":
        assert 1 + sum(k - 1 for k in table_problems.CROWDED.values()) + 5 == FULL_COLUMNS[name]
    else:
        assert made(name)[0].p == FULL_COLUMNS[name]


def test_every_family_and_link_of_the_library_is_in_a_problem() -> None:
    specs = [made(name)[0] for name in problems.PROBLEMS if name.startswith("family-")]
    families = {getattr(jg, name).name for name in set(jg.families.__all__) - NOT_FAMILIES}
    assert {spec.family for spec in specs} == families
    links = {getattr(jg.links, name)().name for name in set(jg.links.__all__) - NOT_LINKS}
    assert {spec.link for spec in specs} == links
    assert {spec.estimates_shape for spec in specs} == {True, False}


def test_correlated_columns_are_and_the_others_are_not() -> None:
    for name, expected in (("dense-logistic-correlated", dense_problems.ALIKE), ("small", 0.0)):
        X = problems.generate(name, 0.01)[1].X
        assert X is not None
        assert np.corrcoef(X[:, 2], X[:, 3])[0, 1] == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("name", ["small", "claims", "claims-severity", "claims-tweedie"])
def test_the_sums_of_the_judgement_are_those_of_the_written_out_matrix(name: str) -> None:
    spec, columns = made(name)
    rows, X = accuracy.Rows(spec, columns), dense(spec, columns)
    rng = np.random.default_rng(0)
    b, v = rng.normal(0, 0.1, spec.p), rng.uniform(0.5, 2.0, spec.n)
    offset = 0.0 if columns.exposure is None else np.log(columns.exposure)
    np.testing.assert_allclose(rows.eta(b), X @ b + offset, atol=1e-12)
    np.testing.assert_allclose(rows.sums(v), X.T @ v, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(rows.sums(v, squared=True), (X**2).T @ v, rtol=1e-10)
    step = rows.newton(v, X.T @ v)
    np.testing.assert_allclose(X.T @ (v[:, None] * X) @ step, X.T @ v, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("name", ["claims-tweedie", *FAMILIES])
def test_the_derivatives_of_the_judgement_are_those_of_its_loss(name: str) -> None:
    spec = made(name)[0]
    # Of links whose mean has to be positive, both predictors are too.
    positive = spec.link in ("inverse", "inverse_squared", "sqrt")
    eta = np.linspace(0.5, 2.0, 9) if positive else np.linspace(-2.0, 2.0, 9)
    y = np.where(np.arange(9) % 2, 1.0, 0.0 if spec.family in COUNTS else 0.3)
    h, shape = 1e-5, 0.7 if spec.estimates_shape else None
    low, mid, high = (formulas.row_terms(spec, y, eta + d, shape) for d in (-h, 0.0, h))
    np.testing.assert_allclose((high.loss - low.loss) / (2 * h), mid.score, atol=1e-8)
    np.testing.assert_allclose((high.score - low.score) / (2 * h), mid.observed, atol=1e-8)
    mean = formulas.means(spec.link, eta)[0]
    np.testing.assert_allclose(formulas.predictor(spec.link, mean), eta, atol=1e-12)
    # Expected is what observed is on average: at responses that are their means.
    at_mean = formulas.row_terms(spec, mean, eta, shape)
    np.testing.assert_allclose(at_mean.expected, at_mean.observed, rtol=1e-10)
    np.testing.assert_allclose(at_mean.score, 0.0, atol=1e-12)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_reference_of_every_family_is_an_optimum(name: str) -> None:
    spec, columns = made(name)
    reference = accuracy.find_reference(spec, columns)
    assert reference.verified and np.isfinite(reference.eta).all()
    judged = accuracy.judge(spec, columns, reference, beta=reference.beta)
    assert judged.gradient < 1e-6


def test_a_shape_that_is_told_is_judged(tmp_path: Path) -> None:
    spec, columns = made("family-negative-binomial-shape")
    reference = accuracy.find_reference(spec, columns)
    assert reference.shape is not None
    # SciPy's own likelihood at the same means is highest there.
    mean = np.exp(reference.eta)

    def likelihood(log_shape: float) -> float:
        theta = np.exp(-log_shape)
        return stats.nbinom.logpmf(columns.y, theta, theta / (theta + mean)).sum()

    at, h = np.log(reference.shape), 1e-3
    low, top, high = (likelihood(at + d) for d in (-h, 0.0, h))
    assert abs(high - low) / (2 * h) < 1e-3
    curve = (low - 2 * top + high) / h**2
    assert reference.shape_information == pytest.approx(-curve, rel=1e-3)
    reference.save(tmp_path)
    again = accuracy.Reference.read(tmp_path)
    assert again.describe() == reference.describe()
    error = 1 / np.sqrt(reference.shape_information)
    for moved, passes in ((1e-4, True), (2e-3, False)):
        shape = reference.shape * np.exp(moved * error)
        verdict = accuracy.judge(spec, columns, again, beta=reference.beta, shape=shape)
        assert verdict.passed is passes and verdict.distance == pytest.approx(moved, rel=1e-6)
    assert accuracy.judge(spec, columns, again, beta=reference.beta).distance == 0.0


@pytest.mark.parametrize("name", ["small", "claims", "claims-severity", "claims-tweedie"])
def test_the_reference_is_an_optimum_and_a_perturbed_solution_fails(name: str) -> None:
    spec, columns = made(name)
    reference = accuracy.find_reference(spec, columns)
    assert reference.verified
    good = accuracy.judge(spec, columns, reference, beta=reference.beta)
    assert good.passed and good.gradient < 1e-6 and abs(good.excess) < 1e-6

    # One coefficient moved by so many standard errors is at least that far away.
    X = dense(spec, columns)
    covariance = np.linalg.inv(X.T @ (reference.metric[:, None] * X))
    for moved, passes in ((1e-5, True), (2e-3, False)):
        beta = reference.beta.copy()
        beta[-1] += moved * np.sqrt(covariance[-1, -1])
        verdict = accuracy.judge(spec, columns, reference, beta=beta)
        assert verdict.passed is passes
        assert verdict.distance >= moved * (1 - 1e-6)
        exact = np.sqrt(
            (beta - reference.beta) @ np.linalg.solve(covariance, beta - reference.beta)
        )
        assert verdict.distance == pytest.approx(exact, rel=1e-5)
        # A linear predictor is judged as its coefficients are.
        rows = accuracy.Rows(spec, columns)
        same = accuracy.judge(spec, columns, reference, eta=rows.eta(beta))
        assert same.distance == verdict.distance
    beta[0] = np.nan
    assert not accuracy.judge(spec, columns, reference, beta=beta).passed


def test_a_long_problem_starts_at_the_optimum_of_its_first_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec, columns = made("small")
    right = accuracy.find_reference(spec, columns)
    monkeypatch.setattr(accuracy, "HEAD", 200)
    visits: list[int] = []
    terms = accuracy.row_terms

    def counted(spec, y, eta, shape):
        visits.append(y.size)
        return terms(spec, y, eta, shape)

    monkeypatch.setattr(accuracy, "row_terms", counted)
    found = accuracy.find_reference(spec, columns)
    assert found.verified
    np.testing.assert_allclose(found.beta, right.beta, rtol=1e-9)
    assert {200, 1000} == set(visits)


def test_the_reference_agrees_with_the_library_and_its_standard_errors() -> None:
    spec, columns = made("claims-severity")
    reference = accuracy.find_reference(spec, columns)
    X = sparse.csr_array(dense(spec, columns))
    fit = jg.GLM(columns.y, X, "gamma", link="log").fit()
    assert accuracy.judge(spec, columns, reference, beta=fit.fit.coef).passed
    assert reference.dispersion == pytest.approx(fit.scale, rel=1e-6)


def test_a_problem_survives_its_files(tmp_path: Path) -> None:
    spec, columns = made("claims")
    data.save(tmp_path, spec, columns)
    reference = accuracy.find_reference(spec, columns)
    reference.save(tmp_path)
    given = data.read(tmp_path)
    assert given.spec == spec
    assert list(given.frame.columns) == [*spec.factors, *spec.numeric, "y", "exposure"]
    assert given.nbytes > spec.n * 8 * 7
    for name, codes in columns.codes.items():
        assert np.array_equal(given.frame[name].cat.codes, codes)
    again = accuracy.Reference.read(tmp_path)
    assert again.verified and np.array_equal(again.beta, reference.beta)


def test_workers_get_equal_threads_and_no_forced_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "512")
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=false")
    one = machine.worker_environment(1, "cpu")
    assert "OPENBLAS_CORETYPE" not in one and "OPENBLAS_L2_SIZE" not in one
    assert {one[name] for name in machine.THREAD_VARIABLES} == {"1"}
    assert one["XLA_FLAGS"].split() == [
        "--xla_cpu_enable_fast_math=false",
        "--xla_cpu_multi_thread_eigen=false",
    ]
    assert machine.worker_environment(2, "cpu")["JAX_PLATFORMS"] == "cpu"


def test_peak_memory_sees_a_large_array() -> None:
    memory.forget_peak()
    before = memory.peak()
    np.ones(1 << 24).sum()
    assert memory.peak() >= before + 100 * 2**20


def line(library: str, turn: int, seconds: float, status: str = "ok", **more: Any) -> results.Line:
    """A stored line of the large problem."""
    own = {
        "machine": {"cpu": "A | B", "cpus": 2, "memory_gib": 8.0, "python": "3.11"},
        "problem": "dense-logistic",
        "n": 1_000_000,
        "p": 50,
        "library": library,
        "turn": turn,
        "status": status,
        "reason": "distance 2.0e-02 standard errors" if status == "failed" else "",
        "cold": {"import": 1.0, "first": 1.0, "total": 2.0},
        "memory": {
            "before": 2**30,
            "peak": 2**30 + 2**20,
            "over_data": 1.25,
            "over_data_later": 1.125,
            "first_only": 2**19,
        },
        "versions": {"numpy": "2.0"},
    }
    return stored_line(seconds, **(own | more))


STORED = [
    line("jaxglm", 0, 1.0),
    line("glum@loosest", 0, 6.0),
    line("statsmodels@loosest", 0, 0.001, "failed"),
    {**line("r-glm@loosest", 0, 0.0, "skipped"), "reason": "no Rscript on the path"},
    # The machine was slow in the second turn: the paired ratio does not see it.
    line("jaxglm", 1, 10.0),
    line("glum@loosest", 1, 70.0),
]


def test_lines_are_appended_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results.jsonl"
    for stored in STORED:
        results.append(path, stored)
    assert results.read(path) == STORED
    assert len(path.read_text().splitlines()) == len(STORED)
    path.write_text('{"a": 1}\nnot json\n')
    with pytest.raises(ValueError, match="line 2"):
        results.read(path)


def test_ratios_are_paired_within_turns_and_skip_what_missed_the_gate() -> None:
    named = results.group(STORED, "library")
    found = results.ratio(named["glum@loosest"], named["jaxglm"])
    assert found == results.Pairs(6.5, 6.0, 7.0, 2)
    assert results.ratio(named["statsmodels@loosest"], named["jaxglm"]) is None
    rows = compare.libraries(STORED, "glum@loosest", "jaxglm")
    assert compare.words(rows) == "dense-logistic: 6.5 (6 to 7), 2 pairs"
    before = [stored | {"invocation": "b"} for stored in STORED[:1]]
    assert compare.words(compare.files(STORED, before)) == (
        "dense-logistic (scale 1), jaxglm: 1, 1 pair"
    )


def test_only_the_latest_invocation_of_a_problem_is_shown() -> None:
    newer = [stored | {"invocation": "b"} for stored in STORED[:1]]
    assert results.latest([*STORED, *newer]) == newer


def test_the_report_shows_ratios_targets_and_no_time_of_a_failed_run(tmp_path: Path) -> None:
    text = report.markdown(STORED)
    glum = next(row for row in text.splitlines() if row.startswith("| glum@loosest"))
    # Warm, and cold.
    assert "| 6.5 (6 to 7) | 2 | 1 (1 to 1) |" in glum
    failed = next(row for row in text.splitlines() if row.startswith("| statsmodels@loosest"))
    assert "failed: distance 2.0e-02" in failed and "0.001" not in failed
    assert "Not run: r-glm@loosest (no Rscript on the path)." in text
    assert (
        "| dense-logistic | warm time of glum@loosest over ours | 6.5 (6 to 7)x | 4.5x | yes |"
        in (text)
    )
    assert "no pair that passed the gate" in text
    assert "1.25x (compiling; later fits 1.12x) | at most 1.5x | yes" in text
    assert "`python -m benchmarks run` on 2026-01-01, commit 0123" in text

    path, page = tmp_path / "results.jsonl", tmp_path / "report.md"
    path.write_text("".join(json.dumps(stored) + "\n" for stored in STORED))
    assert main(["report", str(path), "--out", str(page)]) == 0
    assert page.read_text() == text
    pytest.importorskip("matplotlib")
    report.picture(STORED, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 1000


def test_targets_name_problems_and_runs_that_exist() -> None:
    by_default = {entrant.name for entrant in libraries.DEFAULT["cpu"]}
    for target in (*targets.TARGETS, *targets.LAGS):
        assert target.problem in problems.DEFAULT["cpu"]
        assert target.against in by_default
    for limit in targets.LIMITS:
        assert limit.problem in problems.DEFAULT["cpu"] and limit.ours in by_default


def test_every_adapter_can_be_created_and_is_documented() -> None:
    page = (Path(report.__file__).parent / "README.md").read_text()
    for name in libraries.ADAPTERS:
        adapter = libraries.create(name)
        assert list(adapter.ladder) == sorted(adapter.ladder, reverse=True)
        assert f"`{name}`" in page
    for name in problems.PROBLEMS:
        assert f"`{name}`" in page


def test_libraries_and_tolerances_make_the_runs() -> None:
    chosen = entrants(["jaxglm", "glum", "statsmodels@tight"], ["default", "loosest", "1e-6"])
    assert [entrant.name for entrant in chosen] == [
        "jaxglm",
        "glum",
        "glum@loosest",
        "glum@1e-6",
        "statsmodels@tight",
    ]
    assert chosen[3].tolerance(libraries.create("glum")) == 1e-6
    assert parser().parse_args(["run"]).repeat is None
    assert REPEAT == {"cpu": 3, "gpu": 1}
    for wrong in (["nothing"], ["glum@loose"], ["null@loosest"]):
        with pytest.raises(ValueError):
            entrants(wrong, None)


def test_problems_are_chosen_by_name_or_by_a_part_of_it() -> None:
    assert problems.chosen(["small*", "claims", "small"]) == ["small", "small-table", "claims"]
    assert len(problems.chosen(["family-*"])) == len(FAMILIES)
    assert problems.chosen(None, "gpu") == list(problems.DEFAULT["gpu"])
    with pytest.raises(ValueError, match="no problem 'larger'"):
        problems.chosen(["larger"])


def test_what_a_pass_costs_on_known_hardware() -> None:
    spec = dataclasses.replace(made("small")[0], n=1000, p=10)
    nbytes, flops = hardware.pass_cost(spec)
    assert (nbytes, flops) == (1000 * 88, 1000 * 140)
    measured = {
        "copy_bytes_per_second": {"numpy": 88.0, "jax": 44.0},
        "flops_per_second": {"float64": {"numpy": 1.0, "jax": 14.0}},
    }
    # Five passes of 1000 seconds by bandwidth, or 10,000 by arithmetic.
    assert hardware.distance(spec, 100_000.0, 5, "float64", measured) == pytest.approx(2.0)
    assert hardware.distance(spec, 1.0, None, "float64", measured) is None
    # Data held in float64, calculated with in float32: the rate is that of float32.
    measured["flops_per_second"]["float32"] = {"jax": 7.0}
    assert hardware.distance(spec, 100_000.0, 5, "float32", measured) == pytest.approx(1.0)


@pytest.mark.slow
def test_a_small_run_from_end_to_end(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    words = "--problems claims --libraries jaxglm,null --scale 0.001 --repeat 1 --threads 1"
    assert main(["run", *words.split(), "--out", str(path)]) == 0
    stored = results.read(path)
    assert [one["kind"] for one in stored] == ["hardware", "run", "run"]
    ours, null = stored[1:]
    assert ours["status"] == "ok" and null["status"] == "baseline"
    assert ours["accuracy"]["distance"] < 1e-6 < null["accuracy"]["distance"]
    assert ours["accuracy"]["objective"] < null["accuracy"]["objective"]
    assert ours["cold"]["total"] > ours["warm"]["median"] > null["warm"]["median"] > 0
    # A renamed inner step of the library would be noticed here.
    assert set(ours["stages"]) == {"encode", "transfer", "solve"}
    assert min(ours["stages"].values()) > 0
    assert ours["memory"]["over_data"] > 1 and ours["over_hardware"] > 0
    assert (
        ours["standard_errors"] == "all"
        and ours["precision"] == "float64"
        and ours["reference"]["verified"]
    )
    assert ours["threads"] == 1 and ours["versions"]["jax"] and ours["machine"]["cpu"]
    assert "| null |" in report.markdown(stored)


def test_a_worker_that_fails_leaves_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(plan: driver.Plan, folder: Path, **request: Any) -> dict[str, Any]:
        if request["mode"] == "hardware":
            return {
                "copy_bytes_per_second": {"numpy": 1.0},
                "flops_per_second": {key: {"numpy": 1.0} for key in ("float32", "float64")},
            }
        return {"status": "error", "reason": "ended with code -9: no message"}

    monkeypatch.setattr(driver, "ask", answer)
    plan = driver.Plan(["small"], [libraries.entrant("null")])
    lines = list(driver.execute(plan, say=lambda words: None))
    assert "commit" in lines[-1]
    assert lines[-1]["status"] == "error" and "code -9" in lines[-1]["reason"]
    assert "error: ended with code -9" in report.markdown(lines)
