"""How much `import jaxglm` costs over what it cannot do without: `import jax, pandas`.

    python -m benchmarks.import_time

Each import runs in a fresh interpreter; the two take turns, so that a busy moment hits both.
"""

import statistics
import subprocess
import sys

REPEATS = 15
CLOCK = "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"


def seconds(statement: str) -> float:
    """Seconds that one import takes in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, "-c", CLOCK.format(statement)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main() -> None:
    base: list[float] = []
    ours: list[float] = []
    for _ in range(REPEATS):
        base.append(seconds("import jax, pandas"))
        ours.append(seconds("import jaxglm"))
    low, high = statistics.median(base), statistics.median(ours)
    print(f"import jax, pandas   {low:.3f} s (median of {REPEATS})")
    print(f"import jaxglm        {high:.3f} s")
    print(f"ratio                {high / low:.2f}")


if __name__ == "__main__":
    main()
