"""The command line: `python -m benchmarks.inference`."""

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine, results
from benchmarks.inference import driver, page
from benchmarks.inference.base import ADAPTERS
from benchmarks.inference.problems import PROBLEMS, Size
from benchmarks.spec import SEED

DEFAULT_FILE = Path("inference-results.jsonl")


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m benchmarks.inference", description=__doc__)
    for name, known in (("problems", PROBLEMS), ("libraries", ADAPTERS)):
        top.add_argument(
            f"--{name}",
            type=lambda text: [part for part in text.split(",") if part],
            default=list(known),
            help=f"comma-separated, of: {', '.join(known)} (default: all)",
        )
    for size in dataclasses.fields(Size):
        top.add_argument(
            f"--{size.name}", type=int, default=size.default, help=f"default {size.default:,}"
        )
    top.add_argument("--repeat", type=int, default=5, help="turns (default 5)")
    top.add_argument("--threads", type=int, help="for every library (default: the usable CPUs)")
    top.add_argument("--timeout", type=float, default=1800.0, help="seconds an answer may take")
    top.add_argument("--seed", type=int, default=SEED)
    top.add_argument("--out", type=Path, default=DEFAULT_FILE, help=f"default {DEFAULT_FILE}")
    top.add_argument("--page", type=Path, help="write the tables here (default: print them)")
    top.add_argument("--report", action="store_true", help="run nothing: tables of --out only")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    top = parser()
    given = top.parse_args(words)
    for asked, known in ((given.problems, PROBLEMS), (given.libraries, ADAPTERS)):
        unknown = [name for name in asked if name not in known]
        if unknown:
            top.error(f"there is no {unknown[0]!r}; there are {', '.join(known)}")
    if given.repeat < 1:
        top.error("--repeat must be 1 or more")
    if not given.report:
        plan = driver.Plan(
            problems=given.problems,
            libraries=given.libraries,
            size=Size(**{f.name: getattr(given, f.name) for f in dataclasses.fields(Size)}),
            repeat=given.repeat,
            threads=given.threads or machine.usable_cpus(),
            timeout=given.timeout,
            seed=given.seed,
            command=" ".join(["python -m benchmarks.inference", *words]),
        )
        for line in driver.execute(plan):
            results.append(given.out, line)
    text = page.markdown(results.read(given.out))
    if given.page is None:
        print(text)
    else:
        given.page.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
