"""The benchmark of inference: its tasks, its workers, its lines and its page; statsmodels the peer.

Ours and statsmodels answer in this process, on a tiny problem, once for all tests.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import machine, results
from benchmarks.inference import base, driver, page, problems, tasks, worker
from benchmarks.inference.__main__ import main
from benchmarks.inference.base import ADAPTERS, Answer, Given
from benchmarks.inference.problems import Size
from benchmarks.targets import OURS

SIZE = Size(rows=400, columns=3, clusters=20, others=7, levels=40)
WORDS = ["--rows", "400", "--columns", "3", "--clusters", "20", "--others", "7"]


class Here:
    """A worker in this process."""

    def __init__(self, request: dict[str, Any], plan: driver.Plan):
        self.said: list[Any] = []
        work = worker.draw if request["mode"] == "draw" else worker.fitted
        self.adapter = work(request, self.said.append)

    def heard(self) -> Any:
        return self.said.pop()

    def ask(self, task: str, correction: str = "sandwich", keep: Path | None = None) -> Any:
        return worker.answer(self.adapter, {"task": task, "correction": correction, "keep": keep})

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[results.Line]:
    folder = tmp_path_factory.mktemp("inference")
    out, shown = folder / "results.jsonl", folder / "page.md"
    words = [*WORDS, "--problems", "logit", "--libraries", f"{OURS},statsmodels", "--repeat", "2"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(driver, "Worker", Here)
        # There is much to be looked through in a process of tests.
        patch.setattr(worker.gc, "collect", lambda: 0)
        assert main([*words, "--out", str(out), "--page", str(shown)]) == 0
    assert shown.read_text() == page.markdown(results.read(out))
    return results.read(out)


@pytest.mark.parametrize("name", problems.PROBLEMS)
def test_problems_have_the_size_and_the_clusters_asked_for(name: str) -> None:
    made = problems.draw(name, SIZE, 1)
    # No table has fewer rows than these.
    assert made.spec.n == (500 if name == "levels" else 400)
    assert np.unique(made.others).size == 7
    if name == "levels":
        assert made.spec.factors == {"firm": 40}
        assert np.array_equal(made.clusters, made.columns.codes["firm"])
    else:
        assert made.spec.p == 3 and np.unique(made.clusters).size == 20
    again = problems.draw(name, SIZE, 1)
    assert np.array_equal(made.others, again.others) and np.array_equal(
        made.clusters, again.clusters
    )


def test_sizes_and_names_that_cannot_be_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="150 clusters of 400 rows: take 2 to 100"):
        problems.draw("poisson", Size(rows=400, columns=3, clusters=150), 1)
    for words in (["--problems", "probit"], ["--libraries", "stata"], ["--repeat", "0"]):
        with pytest.raises(SystemExit):
            main(words)
    assert "there is no 'stata'" in capsys.readouterr().err


def test_ours_answers_every_task_and_peers_have_some_of_them() -> None:
    assert all(callable(getattr(base.adapter_of(OURS), task.name)) for task in tasks.TASKS)
    for name in ADAPTERS:
        adapter = base.adapter_of(name)
        assert set(adapter.corrections) <= set(tasks.BY_NAME)
        if name != "r-sandwich":  # that has them in R
            assert all(callable(getattr(adapter, task)) for task in adapter.corrections)


@pytest.mark.slow
@pytest.mark.slow
def test_every_turn_has_every_task_of_each_library(lines: list[results.Line]) -> None:
    named = results.group(lines, "library", "task")
    assert {task for library, task in named if library == OURS} == {
        task.name for task in tasks.of("logit")
    }
    assert all([line["turn"] for line in group] == [0, 1] for group in named.values())
    for line in lines:
        assert line["status"] == "ok" and line["warm"]["median"] > 0
        assert line["library"] != OURS or line["unit"] > 0
        assert line["n"] == 400 and line["commit"] and line["versions"]["numpy"]


@pytest.mark.slow
def test_peers_agree_at_the_corrections_named(lines: list[results.Line]) -> None:
    theirs = [line for line in lines if line["library"] == "statsmodels"]
    assert {line["task"] for line in theirs} == set(base.adapter_of("statsmodels").corrections)
    for line in theirs:
        assert line["agreement"]["difference"] < 1e-9
    assert driver.difference(np.ones(2), np.array([1.0, 1.5])) == 0.5
    assert driver.difference(np.ones(2), np.ones(3)) == np.inf


@pytest.mark.slow
def test_the_page_shows_passes_and_holds_them_to_the_target(lines: list[results.Line]) -> None:
    ours = [line for line in lines if (line["library"], line["task"]) == (OURS, "HC0")]
    theirs = [line for line in lines if line["library"] != OURS and line["task"] == "HC0"]
    set_ = [line | {"warm": {"median": 6.0}, "unit": 1.0} for line in ours]
    slow = [line | {"warm": {"median": 60.0}} for line in theirs]
    row = next(row for row in page.markdown([*set_, *slow]).splitlines() if row[:5] == "| HC0")
    assert "| 6 | 6 (6 to 6) | 2 (" in row and "| yes | 10 (10 to 10)x; " in row
    set_[0]["unit"] = set_[1]["unit"] = 0.9
    assert "| **no** |" in page.markdown(set_)

    failed = [*set_, slow[0] | {"status": "error", "reason": "no answer in 5 s"}]
    assert "error: no answer in 5 s" in page.markdown(failed)
    idle = {"status": "skipped", "reason": "no Rscript", "task": "-", "library": "r-sandwich"}
    text = page.markdown([*set_, set_[0] | idle])
    assert "Not run: r-sandwich (no Rscript)." in text
    assert "HC0 at correction='statsmodels'" in page.markdown([*set_, *slow])
    assert page.markdown([]) == "No runs.\n"


def test_a_worker_that_cannot_go_on_answers_with_the_reason(tmp_path: Path) -> None:
    plan = driver.Plan(["logit"], [OURS], timeout=60.0)
    process = driver.Worker({"mode": "serve", "library": OURS, "folder": str(tmp_path)}, plan)
    answer = process.heard()
    assert answer["status"] == "error" and "FileNotFoundError" in answer["reason"]
    assert "ended with code 0" in process.ask("HC0")["reason"]
    process.close()


class Fake(base.Adapter):
    """A peer that needs what there is not, and fails at what it is asked."""

    packages = ("jaxglm-of-another-world",)

    def HC0(self, correction: str) -> Any:
        raise ArithmeticError("no covariance")

    def HC3(self, correction: str) -> Any:
        return [1.0, 2.0]


@pytest.mark.slow
def test_failures_of_a_peer_are_answers(tmp_path: Path) -> None:
    problems.draw("logit", SIZE, 1).save(tmp_path)
    fake = Fake(Given.read(tmp_path))
    assert machine.absent(list(fake.packages)) == "not installed: jaxglm-of-another-world"
    kept = tmp_path / "kept.npy"
    asked = {"task": "HC0", "correction": "sandwich", "keep": str(kept)}
    assert worker.answer(fake, asked) == {
        "status": "error",
        "reason": "ArithmeticError: no covariance",
    }
    assert worker.answer(fake, asked | {"task": "HC3"})["status"] == "ok"
    assert np.load(kept).tolist() == [1.0, 2.0]
    assert isinstance(fake.answer("HC3", "sandwich"), Answer)
    json.dumps(worker.answer(fake, asked | {"task": "HC3", "keep": None}))


@pytest.mark.slow
def test_a_small_run_from_end_to_end(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    words = [*WORDS, "--levels", "300", "--repeat", "1", "--problems", "poisson,levels"]
    assert main([*words, "--threads", "1", "--out", str(path)]) == 0
    named = results.group(results.read(path), "problem", "library")
    assert named["poisson", OURS] and named["levels", OURS]
    for group in named.values():
        assert all(line["status"] in ("ok", "skipped") for line in group)
