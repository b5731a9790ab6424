"""Holds the architecture: the table of rooms, and who may import whom. Reads the source only."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "jaxglm"

# The rooms of docs/design.md. A file imports from its own room and from those above it, also for
# types; the modules at the top of the package that begin with an underscore are the first room.
ROOMS = (
    "top",
    "words",
    "algebra",
    "links",
    "designs",
    "penalties",
    "families",
    "sources",
    "rows",
    "sums",
    "solvers",
    "io.tables",
    "io.formula",
    "io.arrays",
    "io",
    "diagnostics",
    "search",
    "lanes",
    "intake",
    "inference",
    "report",
    "plots",
    "results",
    "verbs",
    "adapters",
    "datasets",
    "contents",
)
MOST_FILES_AT_THE_TOP = 10

# A solver is told sums; it never sees what they were summed over.
FORBIDDEN = {"solvers": {"designs", "sources", "rows", "families"}}

# Data frames stop at the door. Beyond it pandas labels what users are given, and `rows` has its
# hash table of numbers for plain arrays. An adapter is imported with the package that it is for,
# and makes its tables.
TABLE_PACKAGES = {"pandas", "polars", "pyarrow", "narwhals"}
ROOMS_WITH_PANDAS = {"rows", "intake", "inference", "plots", "results", "datasets"}

# Imported inside the function that needs them, so that `import jaxglm` stays cheap.
LAZY_PACKAGES = ("matplotlib", "optax", "pyarrow", "polars", "scipy.optimize", "scipy.stats")

FILES = sorted(PACKAGE.rglob("*.py"))


def name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def room(module: str) -> str | None:
    """The room of a module, named as `designs._dense`; None where there is no such room."""
    if module == "__init__":
        return "contents"
    if module.startswith("_"):
        return "top"
    found = [room for room in ROOMS if module == room or module.startswith(room + ".")]
    return max(found, key=len, default=None)


@functools.cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.AST) -> Iterator[tuple[str, ast.stmt]]:
    """Each imported module's absolute name with the statement that imports it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: write absolute imports"
            assert node.module is not None
            for alias in node.names:
                # `from jaxglm import links` and `from jaxglm.links import Log` alike.
                yield f"{node.module}.{alias.name}", node


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_file_imports_only_from_rooms_above_its_own(path: Path) -> None:
    own = room(name(path))
    assert own in ROOMS, f"{path} stands in no room of the table"
    for target, node in imports(parse(path)):
        if target.split(".")[0] != "jaxglm":
            continue
        their = room(target.removeprefix("jaxglm."))
        place = f"jaxglm.{name(path)}, line {node.lineno}: {target}"
        assert their in ROOMS, f"{place} stands in no room of the table"
        assert ROOMS.index(their) <= ROOMS.index(own), f"{place} is of a room below"
        assert their not in FORBIDDEN.get(own, ()), f"{place}: {own} must not know {their}"


def test_every_room_of_the_table_exists_and_the_top_is_small() -> None:
    assert {room(name(path)) for path in FILES} == set(ROOMS)
    assert len(list(PACKAGE.glob("*.py"))) <= MOST_FILES_AT_THE_TOP


@pytest.mark.parametrize("path", FILES, ids=name)
def test_only_the_doors_know_data_frames(path: Path) -> None:
    own = room(name(path))
    if own is not None and own.split(".")[0] in ("io", "adapters"):
        return
    allowed = {"pandas"} if own in ROOMS_WITH_PANDAS else set()
    for target, node in imports(parse(path)):
        package = target.split(".")[0]
        assert package not in TABLE_PACKAGES - allowed, (
            f"jaxglm.{name(path)}, line {node.lineno}: {package} is imported in jaxglm.io only"
        )


@pytest.mark.parametrize("path", FILES, ids=name)
def test_heavy_packages_are_imported_in_functions(path: Path) -> None:
    if room(name(path)) == "adapters" and path.name != "__init__.py":
        return
    tree = parse(path)
    in_functions = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    for target, node in imports(tree):
        heavy = any(f"{target}.".startswith(package + ".") for package in LAZY_PACKAGES)
        assert not heavy or id(node) in in_functions, f"import {target} inside a function"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_no_file_is_near_500_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 450, "split by concept"
