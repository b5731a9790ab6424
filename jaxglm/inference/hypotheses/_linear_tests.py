"""Owns Wald tests: of linear hypotheses one by one and together, and of the terms of a formula.

The statistic of m hypotheses R b = q is ``(R b - q)' (R C R')^-1 (R b - q)``, C the covariance of
the coefficients (Wald 1943, Trans. AMS 54, 426-482): chi-squared with m degrees of freedom, or m
times an F variable where the dispersion was estimated.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from jaxglm._status import Status
from jaxglm.inference._shown import as_html, as_text
from jaxglm.inference._wald import interval, wald
from jaxglm.inference.hypotheses._combinations import (
    HELD,
    INFINITE,
    NEGATIVE,
    NO_DISPERSION,
    NO_FIT,
    OPEN,
    Combinations,
    combinations_of,
    is_constrained,
)
from jaxglm.inference.hypotheses._comparisons import no_tests
from jaxglm.inference.hypotheses._hypothesis import Hypothesis
from jaxglm.search import Fit
from jaxglm.words import FloatArray, count, p_value, row, statistic, understands_habits

# Of rows of length 1, a singular value that is nothing but rounding.
_ROUNDING = 1e-12
# Coefficients tested together; the work grows with the cube.
_MOST_TOGETHER = 2000
_INDEFINITE = (
    "No test: the covariance of these combinations has negative eigenvalues, as that of "
    "clusterings of several ways can have; robust(..., correction='fixest') sets them to 0."
)


@dataclasses.dataclass(frozen=True, repr=False)
class WaldTest:
    """A test of one or more linear hypotheses together.

    Attributes
    ----------
    statistic : float
        The Wald statistic W, or F = W / `df_num`; nan where there is no test, and `notes` say why.
    pvalue : float
        Its upper-tail probability.
    df_num : int
        The number of hypotheses, without those that follow from others.
    df_denom : float
        Denominator degrees of freedom of F; inf for chi-squared.
    distribution : {"chi2", "F"}
    hypotheses : tuple of str
        Those tested, in words.
    notes : tuple of str
        What a reader should know, in sentences.
    """

    statistic: float
    pvalue: float
    df_num: int
    df_denom: float
    distribution: str
    hypotheses: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @understands_habits
    def summary_frame(self) -> pd.DataFrame:
        """One row: the statistic (`chi2` or `F`), its p-value and the degrees of freedom."""
        return _test_table([self], [", ".join(self.hypotheses)])

    def __str__(self) -> str:
        lines = ["Wald test", *(f"  {text}" for text in self.hypotheses)]
        return as_text("\n".join(lines), _written([self], [""]), self.notes)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        title = "Wald test: " + ", ".join(self.hypotheses)
        return as_html(title, _written([self], [""]), self.notes)


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class LinearTest:
    """Tests of m linear hypotheses, each by itself.

    Attributes
    ----------
    effect : [m]
        Estimates of the combinations of coefficients, link scale.
    sd : [m]
        Their standard errors.
    null_value : [m]
        The values that the hypotheses state.
    tvalue, statistic : [m]
        ``(effect - null_value) / sd``.
    pvalue : [m]
        Two-sided.
    df_denom : float
        Degrees of freedom of Student's t; inf for the normal distribution.
    distribution : {"t", "norm"}
    hypotheses : tuple of m str
    notes : tuple of str
        What a reader should know, in sentences.
    """

    effect: FloatArray
    sd: FloatArray
    null_value: FloatArray
    statistic: FloatArray
    pvalue: FloatArray
    df_denom: float
    distribution: str
    hypotheses: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def tvalue(self) -> FloatArray:
        """The statistics, as statsmodels calls them, t or z."""
        return self.statistic

    @understands_habits
    def conf_int(self, alpha: float = 0.05) -> FloatArray:
        """Intervals of level 1 - alpha of the combinations, [m, 2].

        Raises
        ------
        ValueError
            When `alpha` is outside (0, 1).
        """
        df = self.df_denom if self.distribution == "t" else None
        return np.column_stack(interval(self.effect, self.sd, alpha, df))

    @understands_habits
    def summary_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """A row for each hypothesis, with the columns that statsmodels has.

        Raises
        ------
        ValueError
            When `alpha` is outside (0, 1).
        """
        low, high = self.conf_int(alpha).T
        return pd.DataFrame(
            {
                "coef": self.effect,
                "std err": self.sd,
                self._letter: self.statistic,
                f"P>|{self._letter}|": self.pvalue,
                "Conf. Int. Low": low,
                "Conf. Int. Upp.": high,
            },
            index=list(self.hypotheses),
        )

    @property
    def _letter(self) -> str:
        return "t" if self.distribution == "t" else "z"

    def _shown(self) -> tuple[str, pd.DataFrame, tuple[str, ...]]:
        cells = []
        ends = self.conf_int()
        for i in range(len(self.effect)):
            estimate, se, *reach = row(self.sd[i], [self.effect[i], self.sd[i], *ends[i]])
            test = [statistic(self.statistic[i]), p_value(self.pvalue[i])]
            cells.append([estimate, se, *test, *reach])
        heads = ["coef", "std err", self._letter, f"P>|{self._letter}|", "[0.025", "0.975]"]
        table = pd.DataFrame(cells, index=list(self.hypotheses), columns=heads)
        df = f", t with {count(self.df_denom)} df" if self.distribution == "t" else ""
        return f"Tests of linear hypotheses{df}", table, self.notes

    def __str__(self) -> str:
        return as_text(*self._shown())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(*self._shown())


@dataclasses.dataclass(frozen=True, repr=False)
class TermTests:
    """Wald tests of the terms of a formula.

    Attributes
    ----------
    tests : dict of str to WaldTest
        By term.
    caution : str
        What is to be said of the fit as a whole; empty where nothing is.
    """

    tests: dict[str, WaldTest]
    caution: str = ""

    @property
    def table(self) -> pd.DataFrame:
        """A row for each term: `statistic, pvalue, df_constraint`, and `df_denom` of F tests."""
        some = list(self.tests.values())
        table = pd.DataFrame(
            {
                "statistic": [test.statistic for test in some],
                "pvalue": [test.pvalue for test in some],
                "df_constraint": [test.df_num for test in some],
            },
            index=list(self.tests),
        )
        if any(test.distribution == "F" for test in some):
            table["df_denom"] = [test.df_denom for test in some]
        return table

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know, in sentences."""
        own = [f"{term}: {note}" for term, test in self.tests.items() for note in test.notes]
        return tuple(filter(None, [self.caution, *own]))

    @understands_habits
    def summary_frame(self) -> pd.DataFrame:
        """`table` with the statistic called `chi2` or `F`."""
        return _test_table(list(self.tests.values()), list(self.tests))

    def __str__(self) -> str:
        return as_text(
            "Wald tests of terms", _written(list(self.tests.values()), list(self.tests)), self.notes
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        table = _written(list(self.tests.values()), list(self.tests))
        return as_html("Wald tests of terms", table, self.notes)


def joint_test(
    fit: Fit, names: Sequence[str], hypothesis: Hypothesis, df: float | None
) -> WaldTest:
    """The Wald test of all rows of a hypothesis; F with `df`, chi-squared with None."""
    own, note = hypothesis.independent()
    found = combinations_of(fit, names, own.matrix)
    # Once dependent columns are told apart, rows may say the same that did not before.
    if fit.aliased.any() and not any(found.reasons):
        own, more = dataclasses.replace(own, matrix=own.matrix * ~fit.aliased).independent()
        note = " ".join(filter(None, (note, more)))
        found = combinations_of(fit, names, own.matrix)
    said = (caution(fit), note, *no_tests(own.labels, found.reasons).values())
    notes = tuple(filter(None, said))
    return _wald_test(found, own.value, own.labels, notes, fit, df)


def single_tests(fit: Fit, names: Sequence[str], hypothesis: Hypothesis) -> LinearTest:
    """The tests of all rows of a hypothesis, each by itself."""
    empty = ~hypothesis.matrix.any(axis=1)
    if empty.any():
        label = hypothesis.labels[int(np.flatnonzero(empty)[0])]
        raise ValueError(f"the hypothesis {label!r} is about no coefficient")
    found, df = combinations_of(fit, names, hypothesis.matrix), fit.covariance.df
    se = found.standard_errors
    values, p = wald(found.estimate - hypothesis.value, se, df)
    return LinearTest(
        effect=found.estimate,
        sd=se,
        null_value=hypothesis.value,
        statistic=values,
        pvalue=p,
        df_denom=math.inf if df is None else df,
        distribution="norm" if df is None else "t",
        hypotheses=hypothesis.labels,
        notes=tuple(
            filter(None, (caution(fit), *no_tests(hypothesis.labels, found.reasons).values()))
        ),
    )


def caution(fit: Fit) -> str:
    """Why tests of a fit may mislead that is no ordinary optimum; those of others have reasons."""
    status = Status(fit.status)
    return "" if status in (Status.CONVERGED, Status.SEPARATED) else status.message


def columns_test(
    fit: Fit, names: Sequence[str], columns: Sequence[int], df: float | None
) -> WaldTest:
    """The Wald test that the coefficients of some columns are 0; aliased ones have no part."""
    covariance = fit.covariance
    own = np.array([j for j in columns if not fit.aliased[j]], dtype=int)
    labels = tuple(f"{names[j]} = 0" for j in own)
    reason = ""
    if not own.size:
        reason = "all its columns were left out of the fit (aliased)"
    elif own.size > _MOST_TOGETHER:
        reason = f"{own.size:,} coefficients are more than the {_MOST_TOGETHER:,} tested together"
    elif covariance.infinite[own].any():
        reason = INFINITE
    elif covariance.open[own].any():
        reason = OPEN
    elif np.isnan(covariance.scale):
        reason = NO_DISPERSION
    elif not fit.covariance.expected.standard_errors[own].all():
        reason = HELD
    elif not np.isfinite([fit.coef[own], *covariance.root.dense[own].T]).all():
        reason = NO_FIT
    elif not np.isfinite(covariance.standard_errors[own]).all():
        reason = NEGATIVE
    if reason:
        return _without(len(own), labels, (f"No test: {reason}.",), df)
    found = Combinations(fit.coef[own], covariance.spread_of(own), ("",) * own.size)
    return _wald_test(found, np.zeros(own.size), labels, (), fit, df)


def _wald_test(
    found: Combinations,
    value: FloatArray,
    labels: tuple[str, ...],
    notes: tuple[str, ...],
    fit: Fit,
    df: float | None,
) -> WaldTest:
    m = len(labels)
    if any(found.reasons):
        return _without(m, labels, notes, df)
    if df is not None and df <= 0:
        why = "No F test: no residual degrees of freedom are left for its denominator."
        return _without(m, labels, (*notes, why), df)
    root, signs = found.spread.root, found.spread.signs
    sizes = np.linalg.norm(root, axis=1)
    u, singular, along = np.linalg.svd(
        root / np.where(sizes > 0, sizes, 1.0)[:, None], full_matrices=False
    )
    rank = int(np.count_nonzero(singular > _ROUNDING))
    if rank < m:
        what = f"the covariance ({fit.covariance.kind}) tells"
        if is_constrained(fit):
            what = "the constraints of the fit, by which some follow from others, tell"
        why = f"No test: {what} apart {rank} of the {m} combinations; test fewer together."
        return _without(m, labels, (*notes, why), df)
    distances = u.T @ ((found.estimate - value) / sizes) / singular
    if signs is not None:
        try:
            # With the signs of the columns the covariance of these is the unit matrix no more.
            lower = np.linalg.cholesky((along * signs) @ along.T)
        except np.linalg.LinAlgError:
            return _without(m, labels, (*notes, _INDEFINITE), df)
        distances = np.linalg.solve(lower, distances)
    distance = float(np.sum(distances**2))
    from scipy import special

    if df is None:
        p = special.chdtrc(m, distance)
        return WaldTest(distance, float(p), m, math.inf, "chi2", labels, notes)
    ratio = distance / m
    return WaldTest(ratio, float(special.fdtrc(m, df, ratio)), m, df, "F", labels, notes)


def _without(m: int, labels: tuple[str, ...], notes: tuple[str, ...], df: float | None) -> WaldTest:
    """A test that there is not, for the reasons in its notes."""
    which, denominator = ("chi2", math.inf) if df is None else ("F", df)
    return WaldTest(math.nan, math.nan, m, denominator, which, labels, notes)


def _test_table(tests: Sequence[WaldTest], index: Sequence[str]) -> pd.DataFrame:
    letter = tests[0].distribution if tests else "chi2"
    table = pd.DataFrame(
        {
            letter: [test.statistic for test in tests],
            f"P>{letter}": [test.pvalue for test in tests],
            "df constraint": [test.df_num for test in tests],
        },
        index=list(index),
    )
    if letter == "F":
        table["df denom"] = [test.df_denom for test in tests]
    return table


def _written(tests: Sequence[WaldTest], index: Sequence[str]) -> pd.DataFrame:
    """The table of tests with its numbers written out."""
    table = _test_table(tests, index)
    written = {
        head: [
            (statistic if j == 0 else p_value if j == 1 else count)(value) for value in table[head]
        ]
        for j, head in enumerate(table.columns)
    }
    return pd.DataFrame(written, index=list(index))
