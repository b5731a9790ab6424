"""The table of docs/penalties.md: what the penalty of another library is here, row by row."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import jaxglm as jg
from tests.reference.cases import read_csv

HERE = Path(__file__).parent
STORED = HERE / "data" / "penalties"
PAGE = (HERE.parent / "docs" / "penalties.md").read_text()
# What is written here, by what is written there.
ROWS = dict(re.findall(r"^\| (\w.*) \| `(.*)` \|$", PAGE, flags=re.MULTILINE))
FITS: dict[str, list[dict[str, Any]]] = {
    row: fits
    for name in ("peers", "conversions")
    for row, fits in json.loads((STORED / f"{name}.json").read_text())["fits"].items()
}
TABLE = read_csv(STORED / "table.csv")
X = jg.add_constant(TABLE[[f"x{j}" for j in range(6)]].to_numpy())
FAMILIES = {"gamma": jg.Gamma(link=jg.Log()), "tweedie": jg.Tweedie(1.5)}


def penalty_here(row: str, numbers: dict[str, Any], weight: np.ndarray) -> Any:
    """What the page writes, with the numbers of a fit for its letters."""
    letters: dict[str, Any] = {name: np.array(value)[()] for name, value in numbers.items()}
    letters |= {"n": weight.sum(), "rows": len(weight), "p": X.shape[1] - 1, "np": np}
    return eval(ROWS[row], vars(jg) | letters)


def test_each_row_of_the_page_has_fits() -> None:
    assert set(ROWS) == set(FITS)


@pytest.mark.parametrize("row", FITS)
def test_the_other_library_ends_at_the_same_optimum(row: str) -> None:
    for fit in FITS[row]:
        weight = TABLE["w"].to_numpy() if fit["weighted"] else np.ones(len(TABLE))
        family = FAMILIES.get(fit["family"], fit["family"])
        model = jg.GLM(TABLE[fit["response"]].to_numpy(float), X, family, var_weights=weight)
        found = model.fit(penalty=penalty_here(row, fit["numbers"], weight), tol=1e-11)
        assert found.converged
        # Most end within 1e-12; adelie says that it converged a few times 1e-10 away.
        np.testing.assert_allclose(found.params, fit["coef"], rtol=0, atol=1e-9)
        assert ((found.params == 0) == (np.array(fit["coef"]) == 0)).all()
