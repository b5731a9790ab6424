"""The command line: `python -m benchmarks run | report | compare`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import compare, driver, libraries, machine, problems, report, results
from benchmarks.libraries import Entrant
from benchmarks.spec import SEED

DEFAULT_FILE = Path("benchmark-results.jsonl")
# A GPU's problems are large: one turn of them has to do within minutes.
REPEAT = {"cpu": 3, "gpu": 1}


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    verbs = top.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("run", help="measure, and append one line a run to a file")
    run.add_argument(
        "--problems",
        type=_names,
        help=f"comma-separated, with * for any text, of: {', '.join(problems.PROBLEMS)}",
    )
    run.add_argument(
        "--libraries",
        type=_names,
        help=f"comma-separated, of: {', '.join(libraries.ADAPTERS)}; each may carry @TOLERANCE",
    )
    run.add_argument(
        "--tolerances",
        type=_names,
        help="comma-separated, of: default, tight, loosest, or numbers; for each of --libraries "
        "that carries none",
    )
    run.add_argument("--scale", type=float, default=1.0, help="share of the rows (default 1)")
    run.add_argument(
        "--repeat", type=int, help="turns, each in fresh processes (default 3; 1 on a GPU)"
    )
    run.add_argument("--device", choices=("cpu", "gpu"), default="cpu", help="for JAX libraries")
    run.add_argument("--threads", type=int, help="for every library (default: the usable CPUs)")
    run.add_argument("--timeout", type=float, default=1800.0, help="seconds a process may take")
    run.add_argument("--seed", type=int, default=SEED)
    run.add_argument("--compilation-cache", type=Path, help="jaxglm's, a folder; default: none")
    run.add_argument("--out", type=Path, default=DEFAULT_FILE, help=f"default {DEFAULT_FILE}")
    show = verbs.add_parser("report", help="tables in Markdown, and a picture")
    show.add_argument("file", type=Path, nargs="?", default=DEFAULT_FILE)
    show.add_argument("--out", type=Path, help="write the tables here (default: print them)")
    show.add_argument("--picture", type=Path, help="draw the ratios here (.png or .svg)")
    against = verbs.add_parser("compare", help="ratios A / B of warm times, pair by pair")
    against.add_argument(
        "files", type=Path, nargs="+", help="one file with --libraries A,B; or two"
    )
    against.add_argument("--libraries", type=_names, help="A,B: two libraries within one file")
    return top


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def entrants(
    names: Sequence[str] | None, tolerances: Sequence[str] | None, device: str = "cpu"
) -> tuple[Entrant, ...]:
    """The runs that are asked for: libraries times tolerances, or those of the registry."""
    if names is None and tolerances is None:
        return libraries.DEFAULT[device]
    chosen: list[Entrant] = []
    for name in libraries.ADAPTERS if names is None else names:
        # A library without a ladder has nothing to be varied.
        fixed = "@" in name or tolerances is None or not libraries.create(name).ladder
        suffixes = [""] if fixed else [f"@{tolerance}" for tolerance in tolerances or ()]
        chosen += [libraries.entrant(name + suffix) for suffix in suffixes]
    for entrant in chosen:
        if entrant.at == "loosest" and not libraries.create(entrant.library).ladder:
            raise ValueError(f"{entrant.library} has no ladder of tolerances to search")
    return tuple(chosen)


def main(arguments: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    top = parser()
    given = top.parse_args(words)
    try:
        if given.verb == "run":
            return _run(given, words)
        if given.verb == "report":
            return _report(given)
        return _compare(given)
    except (ValueError, FileNotFoundError) as error:
        top.error(str(error))


def _run(given: argparse.Namespace, words: Sequence[str]) -> int:
    chosen = problems.chosen(given.problems, given.device)
    repeat = given.repeat if given.repeat is not None else REPEAT[given.device]
    if repeat < 1 or not given.scale > 0:
        raise ValueError("--repeat must be 1 or more, and --scale positive")
    plan = driver.Plan(
        problems=chosen,
        entrants=entrants(given.libraries, given.tolerances, given.device),
        scale=given.scale,
        repeat=repeat,
        device=given.device,
        threads=given.threads or machine.usable_cpus(),
        timeout=given.timeout,
        seed=given.seed,
        cache=None if given.compilation_cache is None else str(given.compilation_cache.resolve()),
        command=" ".join(["python -m benchmarks", *words]),
    )
    for line in driver.execute(plan):
        results.append(given.out, line)
    print(f"appended to {given.out}")
    return 0


def _report(given: argparse.Namespace) -> int:
    lines = results.read(given.file)
    text = report.markdown(lines)
    if given.out is None:
        print(text)
    else:
        given.out.write_text(text, encoding="utf-8")
    if given.picture is not None:
        report.picture(lines, given.picture)
    return 0


def _compare(given: argparse.Namespace) -> int:
    if given.libraries is not None:
        if len(given.libraries) != 2 or len(given.files) != 1:
            raise ValueError("compare one file with --libraries A,B, or two files without")
        lines = results.read(given.files[0])
        rows = compare.libraries(lines, *given.libraries)
        print(f"warm time of {given.libraries[0]} over {given.libraries[1]}")
    else:
        if len(given.files) != 2:
            raise ValueError("compare one file with --libraries A,B, or two files without")
        rows = compare.files(*(results.read(path) for path in given.files))
        print(f"warm time in {given.files[0]} over {given.files[1]}; not paired in time")
    print(compare.words(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
