"""The data of `tests/data/hypotheses`, and what R says of them."""

import json
from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).parent / "data"
R = json.loads((FOLDER / "hypotheses" / "hypotheses.json").read_text(encoding="utf-8"))


def _read(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / "reference" / "data" / f"{name}.csv")


warpbreaks, mtcars, birthwt, esoph = map(_read, ("warpbreaks", "mtcars", "birthwt", "esoph"))
