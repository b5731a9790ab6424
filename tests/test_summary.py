"""What a summary shows, in three formats: alignment, extreme numbers, and the notes."""

import dataclasses
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jaxglm as jg
from jaxglm.algebra import Root
from jaxglm.diagnostics import RowFacts
from jaxglm.report import _render
from jaxglm.report._render import Sheet

HR = jg.datasets.load_hr(400)
LOGIT = "left ~ salary + overtime_hours"


@pytest.fixture(scope="module")
def logistic() -> jg.Results:
    return jg.glm(LOGIT, HR, family="binomial")


@pytest.fixture(scope="module")
def poisson() -> jg.Results:
    return jg.glm("sick_days ~ salary + overtime_hours", HR, family="poisson")


def variant(
    results: jg.Results,
    *,
    fit: dict[str, Any] | None = None,
    covariance: dict[str, Any] | None = None,
    model: dict[str, Any] | None = None,
    facts: dict[str, Any] | None = None,
) -> jg.Results:
    """The result with some of its content replaced: what a note says needs no fit of its own."""
    known = dataclasses.replace(results.row_facts, **(facts or {}))
    own = dataclasses.replace(results.fit.covariance, **(covariance or {}))
    return jg.Results(
        dataclasses.replace(results.fit, covariance=own, **(fit or {})),
        dataclasses.replace(results.model, **(model or {})),
        known,
    )


def rows_of(summary: Any) -> list[str]:
    """The lines of the coefficient table."""
    lines = str(summary).splitlines()
    first = next(i for i, line in enumerate(lines) if set(line) == {"-"})
    last = max(i for i, line in enumerate(lines) if set(line) == {"="})
    return lines[first + 1 : last]


# -- content -------------------------------------------------------------------------------------


def test_the_header_says_what_was_fitted(logistic: jg.Results) -> None:
    text = str(logistic.summary())
    for label, value in {
        "Response": "left",
        "Family": "binomial",
        "Link": "logit",
        "Converged": "yes",
        "Observations": "400",
        "Df residual": "397",
        "Df model": "2",
        "Log-likelihood": f"{logistic.llf:.3f}",
        "AIC": f"{logistic.aic:.3f}",
        "BIC": f"{logistic.bic:.3f}",
        "Deviance": f"{logistic.deviance:.3f}",
        "Null deviance": f"{logistic.null_deviance:.3f}",
        "Pearson chi2": f"{logistic.pearson_chi2:.3f}",
        "Scale": re.escape("1 (fixed)"),
    }.items():
        assert re.search(rf"{label}: +{value}(\s|$)", text), label
    assert LOGIT in text
    assert f"irls, {logistic.n_iter} turns" in text


def test_the_table_shows_the_estimates(logistic: jg.Results) -> None:
    rows = rows_of(logistic.summary())
    tidy = logistic.tidy()
    for row, (_, expected) in zip(rows, tidy.iterrows(), strict=True):
        name, coef, se, z, p, low, high = row.split()
        assert name == expected["term"]
        shown = [float(x) for x in (coef, se, low, high)]
        exact = expected[["estimate", "std_error", "conf_low", "conf_high"]].to_numpy(float)
        np.testing.assert_allclose(shown, exact, atol=0.6e-3 * exact[1])
        assert float(z) == pytest.approx(expected["statistic"], abs=5.1e-4)
        assert float(p) == pytest.approx(expected["p_value"], rel=0.06, abs=5.1e-4)


def test_heads_follow_the_statistic_and_the_level(logistic: jg.Results) -> None:
    text = str(logistic.summary(alpha=0.1))
    assert "P>|z|" in text and "[0.05" in text and "0.95]" in text
    family = {"family": jg.QuasiBinomial()}
    estimated = variant(logistic, model=family, covariance={"df": logistic.df_resid})
    text = str(estimated.summary())
    assert "P>|t|" in text and "none (quasi)" in text and "nan" not in text


def test_weights_offset_and_parameters_are_named(poisson: jg.Results) -> None:
    used = frozenset({"freq_weights", "exposure"})
    text = str(variant(poisson, model={"used": used, "family": jg.Tweedie(power=1.25)}).summary())
    assert re.search(r"Uses: +freq_weights, exposure", text)
    assert re.search(r"Family: +tweedie\(1.25\)", text)
    shape = variant(
        poisson,
        fit={"alpha": 0.5, "alpha_se": 0.0123},
        model={"family": jg.NegativeBinomial(alpha=0.5)},
    )
    assert re.search(r"Alpha = 1/theta: +0.5 \(se 0.0123\)", str(shape.summary()))


def test_the_event_is_named(logistic: jg.Results) -> None:
    text = str(variant(logistic, model={"event": "yes"}).summary())
    assert re.search(r"Response: +left = yes", text)
    assert "log-odds of left = yes" in text


# -- numbers and names ---------------------------------------------------------------------------


@pytest.mark.parametrize("unit", [1e-12, 1e-6, 1e-3, 1.0, 1e3, 1e6, 1e12])
def test_numbers_of_any_size_are_aligned_and_keep_digits(logistic: jg.Results, unit: float) -> None:
    coef = np.array([1.0, -2.345678, 1234.5678]) * unit
    root = np.diag(np.array([0.1, 0.2, 300.0]) * unit)
    fit = variant(logistic, fit={"coef": coef}, covariance={"root": Root(root, np.zeros(3))})
    summary = fit.summary()
    shown = np.array([[float(x) for x in row.split()[1:3]] for row in rows_of(summary)])
    np.testing.assert_allclose(shown[:, 0], coef, rtol=1e-3)
    np.testing.assert_allclose(shown[:, 1], np.diag(root), rtol=1e-3)
    heads = re.finditer(r"std err|\S+", str(summary).splitlines()[12])
    for column, head in enumerate(heads):
        for line, row in zip(rows_of(summary), summary.sheet.rows, strict=True):
            assert line.ljust(200)[: head.end()].endswith(row[column])


# Coefficients of one table, their errors, and how both are written below each other.
MIXED = {
    (5.123456, 0.432109): ("5.1235", "0.4321"),
    (-9.177e-05, 1.8e-05): ("-0.00009177", "0.00001800"),
    (-0.25, 0.01234): ("-0.25000", "0.01234"),
    (5234.25, 1234.5): ("5234", "1234"),
    (-2e-9, 0.1): ("-2.000e-09", "0.1000"),
    (3e-12, 1.5e-13): ("3.0000e-12", "1.500e-13"),
    (4.5e8, 2e3): ("4.50000000e+08", "2000"),
}


def test_each_row_has_the_digits_of_its_own_error(logistic: jg.Results) -> None:
    """A column in another unit takes no digit from the others, and shows no zeros for its own."""
    coef, se = np.array(list(MIXED)).T
    p = len(coef)
    fit = variant(
        logistic,
        fit={"coef": coef},
        covariance={
            "root": Root(np.diag(se), np.zeros(p)),
            "aliased": np.zeros(p, bool),
            "recession": np.zeros(p),
            "open": np.zeros(p, bool),
        },
        model={"names": tuple(f"x{j}" for j in range(p))},
    )
    summary = fit.summary()
    shown = [tuple(cell.strip() for cell in row[:2]) for row in summary.sheet.rows]
    assert shown == list(MIXED.values())
    for row in summary.sheet.rows:
        assert not any(re.fullmatch(r"-0\.0+", cell.strip()) for cell in row)
    points = {line.index(".", 4) for line in rows_of(summary) if "e" not in line.split()[1]}
    points -= {line.index(".", 4) for line in rows_of(summary) if "." not in line.split()[1]}
    assert len(points) == 1
    # The decimals that a cell lacks are blanks of their width, not text.
    assert "-0.25000\N{FIGURE SPACE}" in summary.as_html()
    assert r"$-0.25000$\phantom{000}" in summary.as_latex()
    assert r"5234\phantom{.00000000}" in summary.as_latex()


def test_zero_and_tiny_values(logistic: jg.Results) -> None:
    fit = variant(logistic, fit={"coef": np.array([0.0, 50.0, 1e-9])})
    rows = rows_of(fit.summary())
    assert re.search(r"Intercept +0\.0+ ", rows[0])
    assert "1.000e-09" in rows[2]
    assert "<1e-300" in rows[1]


def test_aliased_and_separated_rows_show_no_numbers(logistic: jg.Results) -> None:
    nan = np.nan
    root = np.array([[1.0, 0], [0, 0], [0, 3e4]])
    fit = variant(
        logistic,
        fit={
            "coef": np.array([0.5, nan, -21.0]),
            "status": jg.Status.SEPARATED,
        },
        covariance={
            "root": Root(root, np.zeros(3)),
            "aliased": np.array([False, True, False]),
            "recession": np.array([0.0, 0.0, -1.0]),
            "open": np.array([True, False, False]),
        },
    )
    rows = rows_of(fit.summary())
    assert rows[0].split() == ["Intercept", "nan"]
    assert rows[1].split() == ["salary", "aliased"]
    assert rows[2].split() == ["overtime_hours", "-inf"]
    assert "NO (separated)" in str(fit.summary())


def test_long_names_neither_break_the_table_nor_become_alike(logistic: jg.Results) -> None:
    stem = "bs(log(annual_overtime_hours_per_person), df=8, degree=3)"
    names = ("Intercept", f"{stem}[1]", f"{stem}[2]")
    fit = variant(logistic, model={"names": names})
    rows = rows_of(fit.summary())
    assert max(map(len, rows)) <= 110
    assert rows[1].startswith("bs(log(annual_overt...") and "degree=3)[1] " in rows[1]
    assert "degree=3)[2] " in rows[2]
    assert names[1] in fit.summary().as_html().replace("&lt;", "<")
    alike = (f"{'a' * 30}1{'b' * 30}", f"{'a' * 30}2{'b' * 30}", "c")
    rows = rows_of(variant(logistic, model={"names": alike}).summary())
    assert [row.split()[0] for row in rows] == list(alike)


def test_long_tables_are_cut_and_say_so(logistic: jg.Results) -> None:
    summary = logistic.summary(max_rows=2)
    assert len(rows_of(summary)) == 2
    assert "The first 2 of 3 coefficients" in str(summary)
    assert len(rows_of(logistic.summary(max_rows=None))) == 3


# -- formats ---------------------------------------------------------------------------------------

AWKWARD = Sheet(
    title="Title & more",
    subtitle="y ~ a_b + I(x^2) + C(g)[T.<b>]",
    header=((("Family", "quasi(mu^2)"),), (("Scale", "1 (fixed)"), ("Uses", "offset"))),
    columns=("coef", "P>|z|", "[0.025"),
    names=("a_b", "C(g)[T.<b>]", "50%"),
    rows=(("-1.0", "0.5", "2"), ("-inf", "", ""), ("1e-05", "<1e-300", "x")),
    notes=("Use {this} & $that$ for #1.",),
)


class Cells(HTMLParser):
    """Checks that tags nest, and collects the text of cells by row."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "br":
            return
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def test_html_nests_and_escapes() -> None:
    cells = Cells()
    cells.feed(_render.html(AWKWARD))
    assert cells.open == []
    assert cells.rows[0] == ["Family", "quasi(mu^2)", "Scale", "1 (fixed)"]
    assert cells.rows[1] == ["", "", "Uses", "offset"]
    assert cells.rows[2] == ["", *AWKWARD.columns]
    expected = [[n, *r] for n, r in zip(AWKWARD.names, AWKWARD.rows, strict=True)]
    assert cells.rows[3:] == expected
    assert "<b>" not in _render.html(AWKWARD)


def test_latex_escapes_and_has_equal_rows() -> None:
    text = _render.latex(AWKWARD)
    assert r"a\_b" in text and r"50\%" in text and r"Title \& more" in text
    assert r"Use \{this\} \& \$that\$ for \#1." in text
    assert r"I(x\textasciicircum{}2)" in text and "$-1.0$" in text and "$-inf$" in text
    for environment in set(re.findall(r"\\begin{(\w+)}", text)):
        assert text.count(rf"\begin{{{environment}}}") == text.count(rf"\end{{{environment}}}")
    _, header, table = re.split(r"\\begin{tabular}", text)
    for part, columns in ((header, 4), (table, 4)):
        lines = [line for line in part.splitlines() if line.endswith(r"\\")]
        assert {len(re.findall(r"(?<!\\)&", line)) for line in lines} == {columns - 1}


def test_text_is_aligned() -> None:
    lines = _render.text(AWKWARD).splitlines()
    start = next(i for i, line in enumerate(lines) if "coef" in line)
    assert lines[start].endswith("[0.025")
    ends = [m.end() for m in re.finditer(r"\S+", lines[start])]
    first = [m.end() for m in re.finditer(r"\S+", lines[start + 2])]
    assert first[1:] == ends
    assert all(line == line.rstrip() for line in lines)


def test_a_result_shows_itself_in_notebooks_and_latex(logistic: jg.Results) -> None:
    assert logistic._repr_html_() == logistic.summary()._repr_html_()
    assert logistic.to_latex() == logistic.summary().as_latex()
    assert str(logistic.summary()) == repr(logistic.summary()) == logistic.summary().as_text()
    assert repr(logistic) == (
        f"<jaxglm.Results: {LOGIT}, binomial/logit, 400 observations, converged>"
    )


# -- notes -----------------------------------------------------------------------------------------


def notes(results: jg.Results) -> str:
    return " | ".join(results.notes)


def test_a_sound_fit_has_one_note_on_reading_it(logistic: jg.Results) -> None:
    assert logistic.notes == (
        "Coefficients are differences in log-odds; .odds_ratios() gives odds ratios.",
    )


def test_overdispersed_counts_are_noted(poisson: jg.Results) -> None:
    text = notes(poisson)
    for word in ("Overdispersion", "too small by a factor", "quasipoisson", "negative_binomial"):
        assert word in text
    calm = variant(poisson, fit={"pearson_chi2": 1.2 * poisson.df_resid})
    assert "Overdispersion" not in notes(calm)
    chance = variant(poisson, facts={"dean_lawless": 1.0})
    assert "Overdispersion" not in notes(chance)


def test_overdispersed_groups_are_noted(logistic: jg.Results) -> None:
    fit = {"pearson_chi2": 3 * logistic.df_resid}
    grouped = variant(logistic, fit=fit, facts={"grouped": True, "zero_one": False})
    assert "quasibinomial" in notes(grouped)
    assert "Overdispersion" not in notes(variant(logistic, fit=fit))


@pytest.mark.parametrize(
    ("family", "facts", "words"),
    [
        (jg.Gaussian(), {"zero_one": True}, "family='binomial'"),
        (jg.Gaussian(), {"zero_one": False, "small_counts": True}, "family='poisson'"),
        (jg.Poisson(), {"zero_one": True}, "not counts"),
        (jg.NegativeBinomial(alpha=1.0), {"zero_one": True}, "not counts"),
    ],
)
def test_a_wrong_distribution_is_noted(
    logistic: jg.Results, family: jg.Family, facts: dict[str, bool], words: str
) -> None:
    assert words in notes(variant(logistic, model={"family": family}, facts=facts))


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ([0.0, 1.0, 1.0, 0.0], {"zero_one": True, "counts": False}),
        ([0.0, 1.0, 5.0, 2.0], {"zero_one": False, "small_counts": True}),
        ([1990.0, 1991.0, 1995.0, 2001.0], {"counts": True, "small_counts": False}),
        ([0.5, 1.0, 2.0, 4.0], {"zero_one": False, "counts": False}),
    ],
)
def test_facts_of_a_response(response: list[float], expected: dict[str, bool]) -> None:
    facts: RowFacts = jg.GLM(response, np.ones((4, 1))).fit().row_facts
    assert {name: getattr(facts, name) for name in expected} == expected


def test_rows_of_weight_zero_are_no_facts() -> None:
    fit = jg.GLM([0.0, 1, 1, 0, 7], np.ones((5, 1)), var_weights=[1, 1, 1, 1, 0]).fit()
    assert fit.row_facts.zero_one


def test_the_linear_model_is_silent() -> None:
    fit = jg.glm("salary ~ experience_years", HR)
    assert fit.notes == ()
    assert str(fit.summary()).endswith("=")


@pytest.mark.parametrize(
    ("family", "words"),
    [
        (jg.Binomial(link=jg.Probit()), "not comparable with a logit coefficient"),
        (jg.Binomial(link=jg.CLogLog()), "log hazards; .effects() gives hazard ratios"),
        (jg.Poisson(), "log rates; .effects() gives rate ratios"),
        (jg.Gamma(link=jg.Log()), "log means; .effects() gives ratios of means"),
        (jg.Gamma(), "a positive one lowers the mean"),
    ],
    ids=str,
)
def test_links_say_how_to_read_them(logistic: jg.Results, family: jg.Family, words: str) -> None:
    assert words in notes(variant(logistic, model={"family": family}))


def test_what_the_fit_reported_comes_first_and_once(logistic: jg.Results) -> None:
    fit = variant(logistic, fit={"notes": ("Separation: ...", "Separation: ...", "3 rows ...")})
    assert fit.notes[:2] == ("Separation: ...", "3 rows ...") and len(fit.notes) == 3


def test_notes_of_a_real_separation_and_an_aliased_column() -> None:
    rows = pd.DataFrame(
        {"y": [0, 0, 1, 1, 1, 1], "x": [1.0, 2, 1, 2, 1, 3], "g": list("aaaabb")}
    ).assign(twice=lambda t: 2 * t.x)
    fit = jg.glm("y ~ x + g + twice", rows, family="binomial", on_failure="ignore")
    text = str(fit.summary())
    assert "Separation" in text and "'g[T.b]'" in text and "'twice'" in text
    assert re.search(r"^g\[T\.b\] +inf$", text, flags=re.MULTILINE)
    assert re.search(r"^twice +aliased$", text, flags=re.MULTILINE)
