"""The notebooks run; the flow of 01-first-model, held as tests: known truth, four mistakes."""

import ast
import contextlib
import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import jaxglm as jg

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "notebooks").glob("*.ipynb"))
PREDICTORS = "salary + experience_years + overtime_hours"
PEOPLE = {"salary": [90, 30], "experience_years": [10, 10], "overtime_hours": [10, 20]}
TRUTH = {name: pd.Series(values) for name, values in jg.datasets.HR_COEFFICIENTS.items()}


@pytest.fixture(scope="module")
def hr() -> pd.DataFrame:
    return jg.datasets.load_hr()


@pytest.fixture(scope="module")
def leaving(hr: pd.DataFrame) -> jg.Results:
    return jg.glm(f"left ~ {PREDICTORS}", hr, family="binomial")


@pytest.fixture(scope="module")
def sick(hr: pd.DataFrame) -> jg.Results:
    return jg.glm(f"sick_days ~ {PREDICTORS}", hr, family="poisson")


@pytest.fixture(scope="module")
def quasi(hr: pd.DataFrame) -> jg.Results:
    return jg.glm(f"sick_days ~ {PREDICTORS}", hr, family="quasipoisson")


@pytest.fixture(scope="module")
def shaped(hr: pd.DataFrame) -> jg.Results:
    return jg.glm(f"sick_days ~ {PREDICTORS}", hr, family=jg.NegativeBinomial())


def distance(result: jg.Results, response: str) -> pd.Series:
    """How far the estimates lie from what the table was drawn from, in standard errors."""
    return ((result.params - TRUTH[response]) / result.bse).abs()


def test_honest_models_find_the_truth(
    leaving: jg.Results, quasi: jg.Results, shaped: jg.Results
) -> None:
    for result, response in ((leaving, "left"), (quasi, "sick_days"), (shaped, "sick_days")):
        assert result.converged
        assert (distance(result, response) < 4).all()
    assert abs(shaped.family.alpha - jg.datasets.HR_ALPHA) < 4 * shaped.fit.alpha_se


def test_summary_shows_estimates_and_what_they_are(leaving: jg.Results) -> None:
    text = str(leaving.summary())
    for name in TRUTH["left"].index:
        assert name in text
    assert "log-odds" in text
    assert "odds_ratios()" in text


def test_odds_ratios_are_the_exponentials(leaving: jg.Results) -> None:
    table = leaving.odds_ratios()
    names = ["salary", "experience_years", "overtime_hours"]
    assert list(table.index) == names
    assert_allclose(table["odds ratio"], np.exp(leaving.params[names]), rtol=1e-14)
    interval = np.exp(leaving.conf_int().loc[names])
    assert_allclose(table[["conf_low", "conf_high"]], interval, rtol=1e-14)


def test_mistake_wrong_distribution_is_noted_or_refused(hr: pd.DataFrame) -> None:
    counts = jg.glm(f"sick_days ~ {PREDICTORS}", hr)
    assert any("sick_days looks like counts" in note for note in counts.notes)
    assert "family='poisson'" in str(counts.summary())
    zero_one = jg.glm(f"left ~ {PREDICTORS}", hr)
    assert any("left holds only 0 and 1" in note for note in zero_one.notes)
    with pytest.raises(jg.DataError, match="sick_days"):
        jg.glm(f"sick_days ~ {PREDICTORS}", hr, family="binomial")


def test_mistake_reading_link_scale_coefficients(leaving: jg.Results) -> None:
    at = pd.DataFrame({"salary": [90, 90, 30, 30], "experience_years": 10, "overtime_hours": 10})
    at.loc[[1, 3], "overtime_hours"] = 20
    low, low_more, high, high_more = leaving.predict(at)
    # One odds ratio, two differences of probability.
    odds = [p / (1 - p) for p in (low, low_more, high, high_more)]
    assert_allclose(odds[1] / odds[0], odds[3] / odds[2], rtol=1e-10)
    assert high_more - high > 3 * (low_more - low)


@pytest.mark.slow
def test_mistake_comparing_across_links(hr: pd.DataFrame, leaving: jg.Results) -> None:
    probit = jg.glm(f"left ~ {PREDICTORS}", hr, family=jg.Binomial(link=jg.Probit()))
    ratio = leaving.params["overtime_hours"] / probit.params["overtime_hours"]
    assert 1.5 < ratio < 2.0
    assert (leaving.fittedvalues - probit.fittedvalues).abs().max() < 0.05
    assert any("not comparable with a logit coefficient" in note for note in probit.notes)
    with pytest.raises(ValueError, match="No odds ratios here"):
        probit.odds_ratios()


def test_mistake_ignoring_overdispersion(sick: jg.Results, shaped: jg.Results) -> None:
    report = sick.overdispersion()
    assert report.overdispersed
    assert 2.5 < report.pearson_ratio < 3.5
    assert "quasipoisson" in str(report)
    assert "negative_binomial" in str(report)
    assert any(note.startswith("Overdispersion") for note in sick.notes)
    # Too sure of itself: the truth is farther off than its standard errors say is likely.
    assert not shaped.overdispersion().overdispersed
    assert shaped.aic < sick.aic - 1000


def test_quasi_poisson_keeps_coefficients_and_widens(sick: jg.Results, quasi: jg.Results) -> None:
    assert_allclose(quasi.params, sick.params, rtol=1e-10)
    assert_allclose(quasi.bse / sick.bse, np.sqrt(quasi.scale), rtol=1e-10)
    assert_allclose(quasi.scale, sick.overdispersion().pearson_ratio, rtol=1e-10)
    assert np.isnan(quasi.aic)


def test_prediction_intervals_stay_in_range(leaving: jg.Results, shaped: jg.Results) -> None:
    for result, top in ((leaving, 1.0), (shaped, np.inf)):
        frame = result.get_prediction(PEOPLE).summary_frame(alpha=0.05)
        low, high = frame["mean_ci_lower"], frame["mean_ci_upper"]
        assert (low > 0).all()
        assert (low < frame["mean"]).all()
        assert (frame["mean"] < high).all()
        assert (high < top).all()


def test_saved_model_predicts_the_same(leaving: jg.Results, tmp_path: Path) -> None:
    leaving.save(tmp_path / "model.jaxglm")
    again = jg.load(tmp_path / "model.jaxglm")
    assert_allclose(again.predict(PEOPLE), leaving.predict(PEOPLE), rtol=0)


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def code(request: pytest.FixtureRequest) -> list[dict]:
    """The cells of a notebook that hold code."""
    cells = json.loads(request.param.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*non-interactive")  # of plt.show()
def test_notebook_shows_what_it_stores(
    code: list[dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = ["".join(cell["source"]) for cell in code]
    if any("plot" in source for source in sources):
        pytest.importorskip("matplotlib").use("Agg")
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    # As wide as in a notebook; a terminal's width is its own.
    with pd.option_context("display.max_columns", 20):
        for cell, source in zip(code, sources, strict=True):
            assert shown(source, names) == stored(cell["outputs"]), source


# What differs from run to run.
TIMES = re.compile(r"\d[\d,.]* s\b")


def shown(source: str, names: dict) -> list[str]:
    """The lines that a cell prints, then those of the value of its last line."""
    body = ast.parse(source).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(ast.Module(body, []), "<cell>", "exec"), names)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)
            if value is not None and not source.endswith(";"):  # as in a notebook
                print(repr(value))
    return lines(printed.getvalue())


def stored(outputs: list[dict]) -> list[str]:
    """The same of what a notebook holds; pictures and progress bars aside."""
    texts = [
        "".join(output["text"] if "text" in output else output["data"]["text/plain"])
        for output in outputs
        if output.get("name") != "stderr" and "image/png" not in output.get("data", {})
    ]
    return lines("\n".join(texts))


def lines(text: str) -> list[str]:
    return [TIMES.sub("# s", line.rstrip()) for line in text.splitlines() if line.strip()]


def test_notebooks_store_no_noise(code: list[dict]) -> None:
    """Progress bars and warnings of other packages, with the folders of who ran the notebook."""
    assert not any(output.get("name") == "stderr" for cell in code for output in cell["outputs"])


def test_notebook_is_stored_with_its_outputs(code: list[dict]) -> None:
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert not any(output["output_type"] == "error" for cell in code for output in cell["outputs"])
