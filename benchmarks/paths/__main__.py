"""The command line: `python -m benchmarks.paths` and `python -m benchmarks.paths report FILE`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine, results
from benchmarks.paths import driver, page
from benchmarks.paths.base import ADAPTERS
from benchmarks.paths.problems import PROBLEMS
from benchmarks.spec import SEED

DEFAULT_FILE = Path("path-results.jsonl")


def _names(text: str) -> list[str]:
    return [part for part in text.split(",") if part]


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m benchmarks.paths",
        description=__doc__,
        epilog="report FILE [--out PAGE]: tables in Markdown, of lines that were measured before",
    )
    for name, known in (("problems", PROBLEMS), ("libraries", ADAPTERS)):
        top.add_argument(
            f"--{name}",
            type=_names,
            default=list(known),
            help=f"comma-separated, of: {', '.join(known)} (default: all)",
        )
    top.add_argument(
        "--tolerances",
        type=_names,
        default=["all"],
        help="comma-separated, of: default, tight, all, or numbers (default: all of each library)",
    )
    top.add_argument("--scale", type=float, default=1.0, help="share of the rows (default 1)")
    top.add_argument("--strengths", type=int, default=100, help="how many (default 100)")
    top.add_argument("--repeat", type=int, default=3, help="turns (default 3)")
    top.add_argument("--threads", type=int, help="for every library (default: the usable CPUs)")
    top.add_argument("--timeout", type=float, default=1800.0, help="seconds a process may take")
    top.add_argument("--seed", type=int, default=SEED)
    top.add_argument("--python", default=sys.executable, help="the interpreter of the peers")
    top.add_argument("--out", type=Path, default=DEFAULT_FILE, help=f"default {DEFAULT_FILE}")
    return top


def report_parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m benchmarks.paths report")
    top.add_argument("file", type=Path, nargs="?", default=DEFAULT_FILE)
    top.add_argument("--out", type=Path, help="write the tables here (default: print them)")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["report"]:
        return _report(report_parser().parse_args(words[1:]))
    top = parser()
    given = top.parse_args(words)
    for asked, known in ((given.problems, PROBLEMS), (given.libraries, ADAPTERS)):
        unknown = [name for name in asked if name not in known]
        if unknown:
            top.error(f"there is no {unknown[0]!r}; there are {', '.join(known)}")
    for word in given.tolerances:
        if word not in ("default", "tight", "all"):
            try:
                float(word)
            except ValueError:
                top.error(f"--tolerances are default, tight, all or numbers, not {word!r}")
    if given.repeat < 1 or given.strengths < 2 or not given.scale > 0:
        top.error("--repeat must be 1 or more, --strengths 2 or more, and --scale positive")
    plan = driver.Plan(
        problems=given.problems,
        libraries=given.libraries,
        tolerances=given.tolerances,
        scale=given.scale,
        count=given.strengths,
        repeat=given.repeat,
        threads=given.threads or machine.usable_cpus(),
        timeout=given.timeout,
        seed=given.seed,
        python=given.python,
        command=" ".join(["python -m benchmarks.paths", *words]),
    )
    for line in driver.execute(plan):
        results.append(given.out, line)
    print(f"appended to {given.out}")
    return 0


def _report(given: argparse.Namespace) -> int:
    text = page.markdown(results.read(given.file))
    if given.out is None:
        print(text)
    else:
        given.out.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
