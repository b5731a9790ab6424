"""Files as earlier versions wrote them, made out of new ones."""

import json
from pathlib import Path

import numpy as np


def without_covariance(path: Path) -> None:
    """Take out of a saved result what its header says of the covariance, and where to it runs."""
    with np.load(path) as archive:
        members = {name: archive[name] for name in archive.files}
    header = json.loads(members["header.json"].tobytes())
    del header["covariance"]
    members["header.json"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    members["infinite"] = members.pop("recession") != 0.0
    with open(path, "wb") as file:
        np.savez(file, **members)
