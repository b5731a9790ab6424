"""Owns the table in which models or terms are compared, with what is to be said of it."""

import dataclasses
import html
import textwrap
from collections.abc import Iterable

import numpy as np
import pandas as pd

from jaxglm._status import DataWarning
from jaxglm.words import count, measure, p_value, statistic, understands_habits, warn

# Columns of test statistics, read to three decimals whatever their size.
_STATISTICS = {
    *("F", "F value", "LR", "LRT", "LR Chisq", "Chisq", "scaled dev."),
    *("Rao", "Rao score", "scaled Rao sc."),
}
# What tidy tables call the other columns.
_TIDY = {
    **{"Df": "df", "Deviance": "deviance", "AIC": "aic", "Sum Sq": "sumsq"},
    **{"Resid. Df": "df_residual", "Resid. Dev": "residual_deviance"},
}


@dataclasses.dataclass(frozen=True, repr=False)
class Comparison:
    """A table of models or of terms; it prints with its title and notes.

    Attributes
    ----------
    table : DataFrame
        Unrounded numbers, nan where there is nothing to tell; columns are named as in R.
    title : str
        What is compared, and by which test.
    notes : tuple of str
        What a reader of the table should know, one plain sentence each.
    """

    table: pd.DataFrame
    title: str
    notes: tuple[str, ...] = ()

    @understands_habits
    def summary_frame(self) -> pd.DataFrame:
        """A copy of `table`."""
        return self.table.copy()

    @understands_habits
    def tidy(self) -> pd.DataFrame:
        """`table` under the names of all tidy tables, as broom has them.

        The labels of its rows are the column `term`; R's columns become `df, deviance, df_residual,
        residual_deviance, aic, sumsq, statistic, p_value`, as far as they are there. `statistic` is
        what the p-value is of: a fall of the deviance, or a score, over the dispersion.
        """
        names = {name: _tidy_name(name) for name in self.table}
        if "scaled Rao sc." in names:
            names["Rao"] = "score"
        tidy = self.table.rename(columns=names).rename_axis("term").reset_index()
        if "p_value" in tidy and "statistic" not in tidy:  # R has the fall of the deviance alone
            fall = tidy["deviance"] * np.sign(tidy["df"])
            tidy.insert(tidy.columns.get_loc("p_value"), "statistic", fall)
        return tidy

    def __str__(self) -> str:
        lines = [*textwrap.wrap(self.title, 78), self._written().to_string()]
        for note in self.notes:
            lines += textwrap.wrap(note, 78, initial_indent="* ", subsequent_indent="  ")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        below = f"<ul>{notes}</ul>" if notes else ""
        return f"<p>{html.escape(self.title)}</p>{self._written().to_html()}{below}"

    def _written(self) -> pd.DataFrame:
        return pd.DataFrame(
            {name: [_cell(name, x) for x in values] for name, values in self.table.items()},
            index=self.table.index,
        )

    def warned(self, cautions: Iterable[str]) -> "Comparison":
        """The table with cautions before its notes, each given as a warning as well."""
        cautions = tuple(cautions)
        for caution in cautions:
            warn(caution, DataWarning)
        return dataclasses.replace(self, notes=cautions + self.notes)


def _tidy_name(column: str) -> str:
    if column in _STATISTICS:
        return "statistic"
    return "p_value" if column.startswith("Pr(") else _TIDY.get(column, column)


def _cell(column: str, value: object) -> str:
    if not isinstance(value, float | int | np.number):
        return "" if value is None else str(value)
    number = float(value)
    if np.isnan(number):
        return ""
    if column.lower().endswith("df") or column == "nobs":
        return count(number)
    if column.startswith("Pr("):
        return p_value(number)
    return statistic(number) if column in _STATISTICS else measure(number)
