"""Owns what a results line says of where it was measured, and the environment of a worker.

Imports the standard library only.
"""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "POLARS_MAX_THREADS",
    # XLA's own name for the size of its CPU thread pools.
    "NPROC",
)
# A forced OpenBLAS kernel or cache size slows the NumPy that the peers compute with; a compilation
# cache from outside would make cold times warm ones.
REMOVED = (
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "JAX_COMPILATION_CACHE_DIR",
    "JAX_ENABLE_X64",
)


def usable_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def worker_environment(threads: int, device: str, cache: str | None = None) -> dict[str, str]:
    """The environment of a worker: the same number of threads for every library."""
    environment = {k: v for k, v in os.environ.items() if k not in REMOVED}
    environment |= {name: str(threads) for name in THREAD_VARIABLES}
    flags = [environment.get("XLA_FLAGS", "")]
    if threads == 1:
        flags.append("--xla_cpu_multi_thread_eigen=false")
    environment["XLA_FLAGS"] = " ".join(flag for flag in flags if flag)
    environment["JAX_PLATFORMS"] = "cpu" if device == "cpu" else "cuda,cpu"
    environment["PYTHONPATH"] = os.pathsep.join(
        part for part in (str(ROOT), environment.get("PYTHONPATH", "")) if part
    )
    environment["JAXGLM_CACHE"] = "off" if cache is None else cache
    return environment


def pin(threads: int) -> None:
    """Keep this process on so many CPUs: no library can then use more, whatever it reads."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def describe() -> dict[str, Any]:
    """The machine, in a form that can be published: no host name, no paths."""
    return {
        "cpu": _cpu_model(),
        "cpus": usable_cpus(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def commit() -> str | None:
    """The commit of the checkout, with "-dirty" where files differ from it; None outside git."""

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", *words], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "--short=12", "HEAD") + ("-dirty" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def versions(packages: tuple[str, ...] | list[str]) -> dict[str, str]:
    found = {}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            # Run from a checkout that is not installed: jaxglm says it itself.
            found[package] = "checkout" if package == "jaxglm" else "not installed"
    return found


def absent(packages: tuple[str, ...] | list[str]) -> str | None:
    """Which of these are not installed, in words, or None."""
    missing = [name for name, version in versions(packages).items() if version == "not installed"]
    return f"not installed: {', '.join(missing)}" if missing else None
