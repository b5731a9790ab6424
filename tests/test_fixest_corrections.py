"""The small-sample corrections of fixest: which coefficients it counts, held to pyfixest."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jaxglm as jg
from jaxglm._tuning import tuned
from jaxglm.inference import Estimated
from jaxglm.inference.covariances._clustered import Clusters
from jaxglm.inference.covariances._nested import nested

pytestmark = pytest.mark.slow

STORED = json.loads((Path(__file__).parent / "data" / "robust" / "fixest.json").read_text())
TABLE = pd.DataFrame(STORED["table"])
N = len(TABLE)


@pytest.fixture(scope="module", params=[2, 32], ids=["eliminated", "dense"])
def fit(request: Any) -> jg.Results:
    with tuned(least_eliminated=request.param):
        return jg.glm("y ~ x + z + C(firm)", TABLE, "poisson")


def counted(result: jg.Results, cluster: Any) -> float:
    """The k that the correction must have had."""
    plain, own = (
        result.robust(cluster=cluster, correction=software).cov_params().loc["x", "x"]
        for software in ("sandwich", "fixest")
    )
    return N - (N - 1) * plain / own


@pytest.mark.parametrize("case", STORED["errors"])
def test_errors_are_those_of_pyfixest(fit: jg.Results, case: str) -> None:
    kind = {"cov_type": "HC1"} if case == "hetero" else {"cluster": case}
    found = fit.robust(**kind, correction="fixest").bse[["x", "z"]]
    np.testing.assert_allclose(found, STORED["errors"][case]["errors"], rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(
    "formula, cluster, k",
    [
        ("y ~ x + C(firm)", "firm", 2),
        ("y ~ 0 + x + C(firm)", "firm", 2),
        ("y ~ x + C(firm, contr.sum)", "country", 2),
        ("y ~ x + C(firm)", "year", 13),
        ("y ~ x + C(firm) + C(year)", "firm", 9),
        ("y ~ x + C(firm) + C(year)", "country", 9),
        ("y ~ x + C(country) + C(firm)", "country", 2),
        ("y ~ x + x:C(firm)", "firm", 13),
    ],
)
def test_a_factor_inside_the_clusters_counts_as_an_intercept(
    formula: str, cluster: str, k: int
) -> None:
    # Firms lie in countries, so of both together some columns are aliased.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jg.RankWarning)
        result = jg.glm(formula, TABLE, "poisson")
    assert counted(result, TABLE[cluster]) == pytest.approx(k, abs=1e-6)


def test_one_of_several_clusterings_is_enough(fit: jg.Results) -> None:
    held = fit.model.held("a test")
    estimated = Estimated.of(fit.fit, fit.family, held)
    live = held.rows.live
    ways = [Clusters.of(TABLE[name].to_numpy(), live) for name in ("year", "country")]
    every = np.ones((1, 14), bool)
    assert nested(estimated.source, ways, every).tolist() == [11]
    assert nested(estimated.source, ways[:1], every).tolist() == [0]


def test_a_matrix_has_no_factors() -> None:
    dummies = np.eye(12)[TABLE.firm][:, 1:]
    result = jg.GLM(TABLE.y, np.column_stack([np.ones(N), TABLE.x, dummies]), "poisson").fit()
    ratio = (
        result.robust(cluster=TABLE.firm, correction="fixest").bse
        / result.robust(cluster=TABLE.firm).bse
    )
    np.testing.assert_allclose(ratio**2, (N - 1) / (N - 13), rtol=1e-9)


@pytest.mark.slow
def test_each_segment_counts_what_is_inside_its_own_clusters() -> None:
    # In the first half of the years firms stay in a country; in the second one of them moves.
    half = np.where(TABLE.year < 4, "stay", "move")
    country = TABLE.country.where((TABLE.firm != 5) | (TABLE.year < 6), 3)
    table = TABLE.assign(half=half, country=country)
    both = jg.fit_groups("y ~ x + C(firm)", table, "half", "poisson")
    found = both.robust(cluster=country, correction="fixest").bse
    for key, rows in table.groupby("half"):
        own = jg.glm("y ~ x + C(firm)", rows, "poisson")
        wanted = own.robust(cluster=rows.country, correction="fixest")
        np.testing.assert_allclose(found.loc[key], wanted.bse, rtol=1e-8)
        plain = own.robust(cluster=rows.country, correction="statsmodels").bse
        few = key == "stay"
        assert (wanted.bse["x"] < plain["x"] * 0.95) == few
