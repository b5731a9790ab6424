"""Holds the architecture: who may import whom. Reads the source, imports nothing.

Each module may import from its own layer and from those before it. The layers are those of
docs/design.md; a new module is added to the list here, by whoever adds the module.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "jaxglm"

# A name stands for a module or for a package with all its modules; the longest match counts.
LAYERS: list[set[str]] = [
    {"_status", "_faults", "_record", "_pytree", "_numbers", "_programs"},
    {"links", "_linalg", "_special", "_inverse", "designs"},
    {"families", "sources._block"},
    {"_rowwise", "sources"},
    {"_moments", "_final"},
    {"_fused"},
    {"solvers"},
    {"_drive", "_problem", "inference", "diagnostics"},
    {"_settings", "groups._segments", "groups._records", "groups._buckets"},
    {"_conditioning", "_separation", "_compress", "_fastest", "_choices"},
    {"_search"},
    {"_estimate"},
    {"_shape"},
    {"_statistics", "_fit_notes"},
    {"groups._replicas"},
    {"groups._lanes"},
    {"groups._rank", "groups._separation"},
    {"groups._search"},
    {"effects", "_overdispersion", "_prediction"},
    {"io"},
    {"_model"},
    {"_intake"},
    {"results", "summary", "_estimates", "_notes", "_render", "_save", "groups._results"}
    | {"groups._estimates", "groups._failures", "groups._levels", "groups._predict"}
    | {"groups._many", "groups._response_results", "groups._bootstrap"},
    {"groups._intake", "groups._responses"},
    {"groups._verb"},
    {"groups._response_verb"},
    {"groups"},
    {"_fit"},
    {"datasets"},
]

# A solver is told sums; it never sees what they were summed over.
FORBIDDEN = {"solvers": {"designs", "sources", "families"}}

# Data frames stop at the door. Outside it: the labels on what a result answers, `datasets`, and
# pandas' hash table of numbers, which `_compress` gives plain arrays.
TABLE_PACKAGES = {"pandas", "polars", "pyarrow", "formulaic", "narwhals"}
TABLE_EXCEPTIONS = {
    name: {"pandas"}
    for name in (
        "results",
        "_estimates",
        "effects",
        "_prediction",
        "datasets",
        "_compress",
        "groups._results",
        "groups._estimates",
        "groups._many",
        "groups._bootstrap",
        "groups._response_results",
        "groups._responses",
    )
}

# Imported inside the function that needs them, so that `import jaxglm` stays cheap.
LAZY_PACKAGES = {"formulaic", "optax", "pyarrow", "polars", "scipy.optimize", "scipy.stats"}


def module_name(path: Path) -> str:
    """`designs._dense` for jaxglm/designs/_dense.py, `designs` for its __init__."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    name: path for path in sorted(PACKAGE.rglob("*.py")) if (name := module_name(path)) != ""
}


def imports(path: Path) -> Iterator[tuple[str, ast.stmt]]:
    """Each imported module's absolute name with the statement that imports it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write absolute imports"
            assert node.module is not None
            for alias in node.names:
                # `from jaxglm import _linalg` and `from jaxglm._linalg import x` alike.
                yield f"{node.module}.{alias.name}", node


def listed(module: str, names: set[str]) -> str | None:
    """The longest entry of `names` that is `module` or a package that holds it."""
    found = [name for name in names if module == name or module.startswith(name + ".")]
    return max(found, key=len, default=None)


def layer(module: str) -> int | None:
    best = {i: name for i, names in enumerate(LAYERS) if (name := listed(module, names))}
    return max(best, key=lambda i: len(best[i]), default=None)


@pytest.mark.parametrize("module", MODULES)
def test_module_imports_only_from_layers_before_it(module: str) -> None:
    own = layer(module)
    assert own is not None, f"jaxglm.{module} stands in no layer of tests/test_layers.py"
    for target, node in imports(MODULES[module]):
        if target.split(".")[0] != "jaxglm":
            continue
        inner = target.removeprefix("jaxglm").removeprefix(".")
        their = layer(inner)
        place = f"jaxglm.{module}, line {node.lineno}"
        assert their is not None, f"{place}: {target} stands in no layer; import it from its module"
        assert their <= own, f"{place}: {target} belongs to a later layer"
        if inside := listed(module, set(FORBIDDEN)):
            assert not listed(inner, FORBIDDEN[inside]), f"{place}: {inside} must not know {target}"


@pytest.mark.parametrize("module", MODULES)
def test_only_the_door_knows_data_frames(module: str) -> None:
    if listed(module, {"io"}):
        return
    allowed = TABLE_EXCEPTIONS.get(listed(module, set(TABLE_EXCEPTIONS)) or "", set())
    for target, node in imports(MODULES[module]):
        package = target.split(".")[0]
        assert package not in TABLE_PACKAGES - allowed, (
            f"jaxglm.{module}, line {node.lineno}: {package} is imported in jaxglm.io only"
        )


@pytest.mark.parametrize("module", MODULES)
def test_heavy_packages_are_imported_in_functions(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    in_functions = {
        node
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    type_checking = {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test).endswith("TYPE_CHECKING")
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if node in in_functions or node in type_checking:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        heavy = [name for name in names if listed(name, LAZY_PACKAGES)]
        assert not heavy, f"jaxglm.{module}, line {node.lineno}: import {heavy} in a function"


def test_layers_name_modules_that_exist() -> None:
    stale = {
        name for names in LAYERS for name in names if not any(listed(m, {name}) for m in MODULES)
    }
    assert not stale, f"remove from LAYERS: {sorted(stale)}"


def test_no_module_is_near_500_lines() -> None:
    lengths = {
        name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in MODULES.items()
    }
    too_long = {name: length for name, length in lengths.items() if length > 450}
    assert not too_long, f"split by concept: {too_long}"
