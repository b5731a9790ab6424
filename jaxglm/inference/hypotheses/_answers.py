"""Owns how tests of linear hypotheses answer: together, one by one, and by term of a formula."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd

from jaxglm.inference._shown import as_html, as_text
from jaxglm.inference._wald import interval
from jaxglm.words import FloatArray, count, p_value, row, statistic, understands_habits


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

    @understands_habits
    def tidy(self) -> pd.DataFrame:
        """One row: `hypothesis, statistic, p_value, df, df_denom`; the last is inf for chi2."""
        return _tidy([self], "hypothesis", [", ".join(self.hypotheses)])

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

    @understands_habits
    def tidy(self, alpha: float = 0.05) -> pd.DataFrame:
        """A row for each hypothesis under the names of all tidy tables.

        Columns `hypothesis, estimate, null_value, std_error, statistic, p_value, conf_low,
        conf_high`.

        Raises
        ------
        ValueError
            When `alpha` is outside (0, 1).
        """
        low, high = self.conf_int(alpha).T
        return pd.DataFrame(
            {
                "hypothesis": list(self.hypotheses),
                "estimate": self.effect,
                "null_value": self.null_value,
                "std_error": self.sd,
                "statistic": self.statistic,
                "p_value": self.pvalue,
                "conf_low": low,
                "conf_high": high,
            }
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

    @understands_habits
    def tidy(self) -> pd.DataFrame:
        """A row for each term: `term, statistic, p_value, df, df_denom`, inf for chi2."""
        return _tidy(list(self.tests.values()), "term", list(self.tests))

    def __str__(self) -> str:
        return as_text(
            "Wald tests of terms", _written(list(self.tests.values()), list(self.tests)), self.notes
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        table = _written(list(self.tests.values()), list(self.tests))
        return as_html("Wald tests of terms", table, self.notes)


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


def _tidy(tests: Sequence[WaldTest], head: str, names: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            head: list(names),
            "statistic": [test.statistic for test in tests],
            "p_value": [test.pvalue for test in tests],
            "df": [test.df_num for test in tests],
            "df_denom": [test.df_denom for test in tests],
        }
    )


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
