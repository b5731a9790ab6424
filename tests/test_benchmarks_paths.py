"""The benchmark of paths: its strengths, its judgement, its lines, its page; peers where they are.

What is run is run in processes of their own, on a tiny problem.
"""

from pathlib import Path

import numpy as np
import pytest

import jaxglm as jg
from benchmarks import data, machine, results
from benchmarks.paths import bars, base, driver, optimality, page, problems
from benchmarks.paths.__main__ import main
from benchmarks.paths.base import ADAPTERS, CV, PLAIN, RIDGE, Given
from benchmarks.spec import Columns, Spec
from benchmarks.targets import OURS

FEW = 4


def by_hand() -> tuple[Spec, Columns]:
    X = np.column_stack([np.ones(4), [1.0, 1.0, -1.0, -1.0], [1.0, -1.0, 1.0, -1.0]])
    return Spec("hand", "binomial", 4, 3, "arrays"), Columns(np.array([1.0, 1.0, 0.0, 1.0]), X=X)


def test_the_first_strength_is_the_least_that_leaves_nothing() -> None:
    spec, columns = by_hand()
    # The mean is 3/4; the slopes of the two columns are 1/4 each.
    found = optimality.strengths(spec, columns, 1e-2, 3)
    assert np.allclose(found, [0.25, 0.025, 0.0025], rtol=1e-12)
    null = np.log(3.0)
    verdict = optimality.judge(spec, columns, found, np.full(3, null), np.zeros((3, 2)))
    assert np.allclose(verdict.residuals, [0.0, 0.225, 0.2475], atol=1e-12)
    loss = -(3 * np.log(0.75) + np.log(0.25)) / 4
    assert np.allclose(verdict.objectives, loss)


def test_residuals_by_hand() -> None:
    spec, columns = by_hand()
    # At zero all means are 1/2: slopes -1/4 and 1/4 of the intercept and -1/4 of the first column.
    at_zero = optimality.judge(spec, columns, np.array([0.1]), np.zeros(1), np.zeros((1, 2)))
    assert np.allclose(at_zero.residuals, 0.25)
    # A coefficient that is not zero has to have the slope of its sign.
    b = np.array([[1e-300, 0.0]])
    tiny = optimality.judge(spec, columns, np.array([0.6]), np.zeros(1), b)
    assert np.allclose(tiny.residuals, 0.6 - 0.25)


def test_tables_have_the_same_columns_for_all() -> None:
    spec, columns = problems.draw("claims", 1e-3, 1)
    X = optimality.design(spec, columns)
    assert X.shape == (spec.n, spec.p - 1) and columns.exposure is not None
    strengths = optimality.strengths(spec, columns, 0.1, FEW)
    null = np.full(FEW, np.log(columns.y.sum() / columns.exposure.sum()))
    verdict = optimality.judge(spec, columns, strengths, null, np.zeros((FEW, spec.p - 1)))
    assert verdict.residuals[0] < 1e-12 and np.allclose(
        verdict.residuals, strengths[0] - strengths, atol=1e-12
    )


@pytest.mark.parametrize("name", ["tall", "wide"])
def test_matrices_are_drawn_alike_again(name: str) -> None:
    spec, columns = problems.draw(name, 1e-9, 1)
    X = columns.X
    assert X is not None and X.shape == (500, 1 + problems.PROBLEMS[name].columns)
    assert X.shape == (spec.n, spec.p) and (X[:, 0] == 1).all() and 0 < columns.y.mean() < 1
    spread = X[:, 1:].std(axis=0)
    assert spread.max() > 3 * spread.min()
    again = problems.draw(name, 1e-9, 1)[1].X
    assert again is not None and np.array_equal(X, again)


def test_tolerances_are_of_each_library() -> None:
    ours = base.create(OURS)
    assert ours.asked(["all"]) == [1e-1, 1e-2, 1e-3, 1e-5]
    assert ours.asked(["default", "tight", "0.1"]) == [0.1, 1e-5]
    assert base.create(CV).asked(["all"]) == [None]
    for name in ADAPTERS:
        adapter = base.create(name)
        assert list(adapter.tolerances) == adapter.asked(["all"])


def test_no_folder_of_this_machine_is_told() -> None:
    words = "python -m benchmarks.paths --python /a/b/bin/python --out=/c/r.jsonl --scale 1"
    assert driver.without_paths(words) == (
        "python -m benchmarks.paths --python python --out=r.jsonl --scale 1"
    )
    assert driver.without_paths("error: '/a/b': none, 1 / 2") == "error: 'b': none, 1 / 2"


def test_names_that_there_are_not_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        ["--problems", "round"],
        ["--libraries", "lars"],
        ["--repeat", "0"],
        ["--tolerances", "exact"],
    ):
        with pytest.raises(SystemExit):
            main(words)
    assert "there is no 'lars'" in capsys.readouterr().err


def line(library: str, at: float | None, seconds: float, kkt: float | None, turn: int = 0) -> dict:
    made = {
        "kind": "run",
        "invocation": "a",
        "date": "2020-01-01",
        "commit": "c",
        "command": "python -m benchmarks.paths",
        "machine": {"cpu": "cpu", "memory_gib": 1.0, "python": "3"},
        "threads": 1,
        "problem": "tall",
        "spec": {"family": "binomial"},
        "n": 10,
        "p": 3,
        "strengths": [0.1, 0.01],
        "library": library,
        "tolerance": at,
        "turn": turn,
        "status": "ok",
        "warm": {"median": seconds, "fits": 1},
        "cold": {"total": 2 * seconds},
    }
    if kkt is None:
        return made
    verdict = {"largest": kkt, "at": 0.1, "share": 10 * kkt}
    return made | {"kkt": verdict, "objectives": [1.0, 0.5 + kkt], "nonzero": 2}


def test_the_page_compares_the_loosest_that_come_near_enough() -> None:
    lines = [
        line(OURS, 1e-1, 1.0, 5e-5),
        line(OURS, 1e-5, 2.0, 1e-8),
        line("glum", 1e-4, 3.0, 1e-3),
        line("glum", 1e-6, 8.0, 1e-7),
        line("celer", 1e-4, 9.0, 2e-5),
        line(CV, None, 6.0, None),
        line(RIDGE, None, 3.0, None),
        line(PLAIN, None, 2.0, None),
        line("skglm", 1e-4, 0.0, None) | {"status": "error", "reason": "no answer in 5 s"},
        line("glmnet", 1e-7, 0.0, None) | {"status": "skipped", "reason": "no Rscript"},
    ]
    text = page.markdown(lines)
    assert "| jaxglm | 0.1 | 1 | 1 | 2 | 1e-05 | 2 | 1 | 4 |" in text
    assert "| glum | 1e-06 | 8 | 8 | 16 | 1e-06 | 8 | 4 | 16 |" in text
    assert "| celer | 0.0001 | 9 | 9 | 18 | not reached: 2.0e-05 at 0.0001 | 9 | - | - |" in text
    assert "| skglm | no path | - | - | - | no path" in text
    assert "| skglm | 0.0001 | error: no answer in 5 s |" in text
    assert "over a path | 6 | 3 | under 4: yes |" in text
    assert "ridge over a fit without a penalty | 3 | 1.5 |" in text
    assert "Not run: glmnet (no Rscript)." in text
    assert page.markdown([]) == "No runs.\n"
    # A turn that comes less near counts.
    assert "not reached: 3.0e-02" in page.markdown(
        [*lines[:1], line(OURS, 1e-1, 1.0, 3e-2, turn=1)]
    )
    glum = {1e-4: lines[2:3], 1e-6: lines[3:4]}
    assert bars.shown(glum) == {1e-6} and bars.nearest({1e-4: lines[8:9]}) is None


@pytest.mark.slow
def test_ours_has_the_residual_that_it_claims(tmp_path: Path) -> None:
    spec, columns = problems.draw("tall", 1e-9, 1)
    data.save(tmp_path, spec, columns)
    strengths = optimality.strengths(spec, columns, 0.1, FEW)
    given = Given(data.read(tmp_path), strengths)
    adapter = base.create(OURS)
    adapter.load()
    found = adapter.solve(given, 1e-2)
    assert found is not None
    verdict = optimality.judge(spec, columns, strengths, found.intercepts, found.beta)
    path = jg.GLM(columns.y, given.data.matrix, "binomial").fit_path(lambdas=strengths, tol=1e-2)
    assert np.allclose(verdict.residuals, path.kkt_residual, rtol=1e-6, atol=1e-12)


@pytest.mark.slow
def test_a_small_run_from_end_to_end(tmp_path: Path) -> None:
    out, shown = tmp_path / "results.jsonl", tmp_path / "page.md"
    words = ["--problems", "claims", "--scale", "1e-3", "--strengths", str(FEW), "--repeat", "2"]
    words += ["--tolerances", "tight", "--libraries", f"{OURS},{RIDGE},{PLAIN},glum,celer,glmnet"]
    assert main([*words, "--threads", "1", "--out", str(out)]) == 0
    assert main(["report", str(out), "--out", str(shown)]) == 0
    lines = results.read(out)
    assert str(tmp_path) not in out.read_text()
    by_library = results.group(lines, "library")
    assert all(line["status"] in ("ok", "skipped") for line in lines)
    for name in (OURS, RIDGE, PLAIN):
        assert [line["turn"] for line in by_library[name]] == [0, 1]
    # Poisson is nothing for celer, installed or not.
    assert by_library["celer"][0]["status"] == "skipped"
    for name in (OURS, "glum", "glmnet"):
        if by_library[name][0]["status"] == "ok":
            assert bars.residual(by_library[name]) < 1e-6
    if not machine.absent(["glum"]):
        assert by_library["glum"][0]["status"] == "ok"
    assert "### claims: poisson, 1,000 rows" in shown.read_text()
