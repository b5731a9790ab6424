"""Owns the memory of this process: now and at its highest. Standard library only."""

import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def _status(name: str) -> int | None:
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return None
    found = [line for line in lines if line.startswith(name + ":")]
    return int(found[0].split()[1]) * 1024 if found else None


def resident() -> int:
    """Bytes of this process in memory now; where the system does not tell, at most so far."""
    return _status("VmRSS") or peak()


def peak() -> int:
    """Highest number of bytes in memory since the start or the last `forget_peak`.

    Linux keeps it for each address space. `getrusage`, used elsewhere, is less exact: a process
    inherits the value of the one that started it, and it cannot be set back.
    """
    unit = 1 if sys.platform == "darwin" else 1024
    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def forget_peak() -> bool:
    """Count the peak from here on; False where the system cannot."""
    try:
        _CLEAR.write_text("5")
    except OSError:
        return False
    return True
