"""What the report may not leave out, or put side by side."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchmarks import (
    accuracy,
    compare,
    data,
    libraries,
    machine,
    problems,
    report,
    results,
    worker,
)
from benchmarks.__main__ import main
from benchmarks.libraries.base import Library, Solution

from .benchmark_lines import stored_line


def line(library: str, seconds: float, **more: Any) -> results.Line:
    """A stored line, of the first turn."""
    memory = {
        "before": 2**30,
        "peak": 2**30 + 2**25,
        "over_data": 3.0,
        "over_data_later": 2.0,
        "first_only": 2**24,
    }
    own = {"problem": "small-table", "n": 1_000, "p": 5, "library": library, "memory": memory}
    return stored_line(seconds, **(own | more))


def rows(text: str, name: str) -> list[str]:
    return [row for row in text.splitlines() if f"| {name} " in row]


def test_the_report_refuses_to_mix_commits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mixed = [
        line("jaxglm", 1.0),
        line("jaxglm", 1.0, problem="claims", commit="4567-dirty"),
        line("jaxglm", 1.0, problem="flights", commit=None),
    ]
    words = r"3 commits: 0123 \(small-table\); 4567-dirty \(claims\); outside git \(flights\)"
    for refused in (report.markdown, results.one_commit):
        with pytest.raises(ValueError, match=words):
            refused(mixed)
    with pytest.raises(ValueError, match="3 commits"):
        compare.files(mixed, mixed)
    path = tmp_path / "mixed.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in mixed))
    with pytest.raises(SystemExit):
        main(["report", str(path)])
    assert "3 commits" in capsys.readouterr().err

    # Of a problem only the latest invocation counts; files of two commits may be compared.
    newer = [line("jaxglm", 2.0, invocation="b", commit="89ab")]
    assert "commit 89ab" in report.markdown([line("jaxglm", 1.0), *newer])
    assert compare.files(newer, [line("jaxglm", 1.0)])[0][1] == results.Pairs(2.0, 2.0, 2.0, 1)
    assert "outside git" in report.markdown([line("jaxglm", 1.0, commit=None)])


def test_the_commit_says_that_files_differ_and_nothing_outside_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert machine.commit() is None

    def git(*words: str) -> None:
        who = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    file = tmp_path / "file"
    file.write_text("1")
    git("init")
    git("add", "file")
    git("commit", "-m", "one")
    clean = machine.commit()
    assert clean is not None and len(clean) == 12
    file.write_text("2")
    assert machine.commit() == clean + "-dirty"


def test_peers_without_standard_errors_are_marked_and_those_that_win_are_named() -> None:
    text = report.markdown(
        [
            line("jaxglm", 1.0),
            line("sklearn-lbfgs@loosest", 0.5, standard_errors="none"),
            line("pyfixest@loosest", 3.0, standard_errors="partial"),
            line("statsmodels@loosest", 2.0),
            line("glum", 0.1, status="failed", reason="distance 2.0e-02 standard errors"),
            line("null", 0.01, status="baseline", standard_errors="none"),
        ]
    )
    assert "| small-table | sklearn-lbfgs@loosest † | warm | 0.5 |" in text
    assert "| small-table | sklearn-lbfgs@loosest † | cold | 0.75 |" in text
    assert rows(text, "pyfixest@loosest ‡")[0].count("| partial |") == 1
    # Warm and cold seconds, each with its ratio.
    assert "| statsmodels@loosest | - | 2 | 2 | 3 | 1.5 | all |" in text
    assert "| warm | 0.1 " not in text and "| small-table | null" not in text
    assert "† makes no standard errors, ‡ only some" in text
    assert "of these 16 in the first fit only" in text
    behind = "| small-table | cold time of ours, beyond that of statsmodels@loosest | -1 s |"
    assert behind + " at most 1 s | yes |" in text


def test_first_calls_and_a_float32_run_have_limits_of_their_own() -> None:
    many = {"problem": "segments-wide", "spec": {"family": "binomial", "segments": 2_000}}
    many |= {"share": 1.0, "accuracy": {"distance": 1e-9, "answered": 0, "unhealthy": 0}}
    text = report.markdown(
        [
            line("jaxglm", 0.5, **many, cold={"first": 4.0, "total": 5.0}),
            line("jaxglm", 1.0, problem="dense-long-float32", over_hardware=5.0),
            line("jaxglm-float32", 1.0, problem="dense-long-float32", over_hardware=1.5),
            line("jaxglm-compiled", 1.0),
        ]
    )
    first = "| segments-wide | first call, beyond a warm one | 3.5 s | at most 2.5 s | **no** |"
    assert first in text
    what = "time over the hardware's limit, jaxglm-float32"
    assert f"| dense-long-float32 | {what} | 1.5x | at most 2x | yes |" in text
    assert "| 2 s | at most 0.6 s | **no** |" in text


class Near(Library):
    """A library whose answer is as far from the optimum as it is told."""

    ladder = (1.0, 0.6, 0.4)
    reference: accuracy.Reference

    def solve(self, given: data.Data, tolerance: float | None) -> Solution:
        assert tolerance is not None
        eta = self.reference.eta.copy()
        eta[0] += tolerance * accuracy.GATE / self.reference.metric[0] ** 0.5
        return Solution(eta=eta)


def test_the_loosest_tolerance_keeps_a_margin_to_the_gate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, columns = problems.generate("small")
    data.save(tmp_path, spec, columns)
    near = Near()
    near.reference = accuracy.find_reference(spec, columns)
    near.reference.save(tmp_path)
    monkeypatch.setattr(libraries, "create", lambda name: near)
    found = worker.probe({"library": "near", "folder": str(tmp_path)})
    # The second is within the gate, but not by half.
    assert found["tolerance"] == 0.4 and len(found["seen"]) == 3
    assert accuracy.MARGIN == 0.5 and found["seen"][1]["distance"] < accuracy.GATE


def test_the_precision_is_the_one_that_is_calculated_in() -> None:
    held = problems.generate("dense-logistic-float32", 0.0)[0]
    assert libraries.create("jaxglm").precision(held) == "float64"
    assert libraries.create("jaxglm-float32").precision(held) == "float32"
    assert libraries.create("sklearn-lbfgs").precision(held) == "float32"
    assert libraries.create("numpy-irls").precision(held) == "float64"
