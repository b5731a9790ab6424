"""Make fixest.json: errors of pyfixest's fepois, clustered, with a factor absorbed.

    pip install pyfixest==0.60.0; python make_fixest.py

With one absorbed factor only: of several, this version takes the number of levels of the wrong one.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyfixest as pf
from pyfixest.demeaners import MapDemeaner

N = 96
i = np.arange(N)
table = pd.DataFrame(
    {
        "firm": i % 12,
        "country": i % 12 // 3,
        "year": i // 12,
        "x": (i * 37 % 101) / 50 - 1,
        "z": (i * i % 17) / 8 - 1,
    }
)
table["y"] = (i * i * 7 + i) % 5 + table.firm % 3 + (table.x > 0)
fit = pf.fepois(
    "y ~ x + z | firm",
    table,
    vcov="iid",
    fixef_rm="none",
    iwls_tol=1e-14,
    demeaner=MapDemeaner(fixef_tol=1e-13),
)
cases = {"hetero": "HC1"} | {name: {"CRV1": name} for name in ("firm", "country", "year")}
found = {}
for name, kind in cases.items():
    errors = fit.vcov(kind).se()
    found[name] = {"errors": errors[["x", "z"]].tolist(), "k": int(fit._df_k)}
answer = {"pyfixest": pf.__version__, "table": table.to_dict("list"), "errors": found}
Path(__file__).with_name("fixest.json").write_text(json.dumps(answer) + "\n")
