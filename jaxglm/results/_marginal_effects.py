"""Owns `MarginalEffects`: tables of effects, and contrasts between groups of rows."""

import dataclasses
from typing import Literal

import numpy as np
import pandas as pd

from jaxglm.inference import Effects, interval, wald
from jaxglm.report import Pairs, Sheet, Summary
from jaxglm.words import (
    FloatArray,
    aligned,
    check_choice,
    p_value,
    row,
    statistic,
    understands_habits,
)


class MarginalEffects:
    """Effects of variables on the mean, made by `Results.margins` and `Results.get_margeff`.

    Standard errors are the delta method's, from the covariance of the coefficients; tests are
    Student's t where the dispersion is estimated, and normal elsewhere. Arrays are in the order of
    `labels`. Prints as `summary()`.

    Attributes
    ----------
    labels : DataFrame [k rows]
        What each effect is of: `variable` and `change` (a derivative, or the two values that are
        compared), then a column ``at NAME`` for each variable that was given values, and
        ``by NAME`` for each that makes the groups.
    margeff, margeff_se : [k]
        Effects and their standard errors.
    notes : tuple of str
        Why some are nan, or were left out.
    """

    def __init__(self, effects: Effects, header: tuple[Pairs, Pairs], head: str, alpha: float):
        self._effects, self._header, self._head, self._alpha = effects, header, head, alpha
        self.labels, self.notes = effects.labels, effects.notes
        self.margeff: FloatArray = effects.values
        self.margeff_se: FloatArray = effects.spread.standard_errors

    @property
    def margeff_cov(self) -> FloatArray:
        """Covariance of the effects, [k, k]."""
        return self._effects.spread.matrix

    @property
    def tvalues(self) -> FloatArray:
        """Wald statistics `margeff / margeff_se`, [k]."""
        return wald(self.margeff, self.margeff_se, self._effects.df)[0]

    @property
    def pvalues(self) -> FloatArray:
        """Two-sided p-values of `tvalues`, [k]."""
        return wald(self.margeff, self.margeff_se, self._effects.df)[1]

    @understands_habits
    def conf_int(self, alpha: float | None = None) -> FloatArray:
        """Lower and upper ends of intervals of level 1 - alpha, [k, 2].

        Parameters
        ----------
        alpha : float, optional
            That of the call of `margins` when left out.

        Raises
        ------
        ValueError
            When `alpha` is outside (0, 1).
        """
        level = self._alpha if alpha is None else alpha
        return np.column_stack(interval(self.margeff, self.margeff_se, level, self._effects.df))

    @understands_habits
    def tidy(self, alpha: float | None = None) -> pd.DataFrame:
        """One row per effect: `labels`, then numbers.

        These are `estimate, std_error, statistic, p_value, conf_low, conf_high`.
        """
        ends = self.conf_int(alpha)
        return self.labels.assign(
            estimate=self.margeff,
            std_error=self.margeff_se,
            statistic=self.tvalues,
            p_value=self.pvalues,
            conf_low=ends[:, 0],
            conf_high=ends[:, 1],
        )

    @understands_habits
    def summary_frame(self, alpha: float | None = None) -> pd.DataFrame:
        """One row per effect under the names that statsmodels gives the columns."""
        letter, ends = self._letter, self.conf_int(alpha)
        return pd.DataFrame(
            {
                self._head: self.margeff,
                "Std. Err.": self.margeff_se,
                letter: self.tvalues,
                f"Pr(>|{letter}|)": self.pvalues,
                "Conf. Int. Low": ends[:, 0],
                "Cont. Int. Hi.": ends[:, 1],  # as it is spelt there
            },
            index=self._names(),
        )

    @understands_habits
    def summary(self, alpha: float | None = None) -> Summary:
        """The table of the effects with its notes; prints as text, HTML and LaTeX."""
        level, letter = self._alpha if alpha is None else alpha, self._letter
        columns = (
            self.margeff,
            self.margeff_se,
            self.tvalues,
            self.pvalues,
            *self.conf_int(level).T,
        )
        written = []
        for effect, se, z, p, low, high in zip(*columns, strict=True):
            centre, spread, *ends = row(se, [effect, se, low, high])
            said = [spread, statistic(z), p_value(p), *ends]
            written.append([centre, *(said if np.isfinite(se) else [""] * len(said))])
        cells = [aligned(column) for column in zip(*written, strict=True)]
        heads = (self._head, "std err", letter, f"P>|{letter}|", f"[{level / 2:.4g}")
        return Summary(
            Sheet(
                title="Marginal effects",
                subtitle="",
                header=self._header,
                columns=(*heads, f"{1 - level / 2:.4g}]"),
                names=tuple(self._names()),
                rows=tuple(zip(*cells, strict=True)),
                notes=self.notes,
            )
        )

    @understands_habits
    def contrasts(self, kind: Literal["reference", "pairwise"] = "reference") -> "MarginalEffects":
        """Differences of each effect between groups, with the standard errors of differences.

        Parameters
        ----------
        kind : {"reference", "pairwise"}
            Each group against the first, or every group against every one before it.

        Raises
        ------
        ValueError
            Where the effects are not those of two groups or more.

        Examples
        --------
        >>> import jaxglm as jg
        >>> hr = jg.datasets.load_hr(2000)
        >>> hr["senior"] = hr["experience_years"] > 10
        >>> fit = jg.glm("left ~ salary * senior", hr, family="binomial")
        >>> difference = fit.margins("salary", by="senior").contrasts()
        >>> difference.labels["by senior"].to_list()
        ['True - False']
        """
        check_choice("kind", kind, ("reference", "pairwise"))
        by = [name for name in self.labels if name.startswith("by ")]
        groups = self.labels[by].drop_duplicates()
        if not by or len(groups) < 2:
            raise ValueError(
                "contrasts are between groups of rows, and these effects are of one: "
                "margins(by=...) gives those of several"
            )
        # The effects of a group stand together, those of all groups in one order.
        rows = np.arange(len(self.labels)).reshape(len(groups), -1)
        pairs = [
            (high, low)
            for high in range(1, len(groups))
            for low in (range(high) if kind == "pairwise" else [0])
        ]
        high, low = (np.concatenate([rows[pair[end]] for pair in pairs]) for end in (0, 1))
        texts = [", ".join(map(str, values)) for values in groups.itertuples(index=False)]
        labels = self.labels.drop(columns=by).iloc[high].reset_index(drop=True)
        name = "by " + ", ".join(text.removeprefix("by ") for text in by)
        labels[name] = np.repeat([f"{texts[a]} - {texts[b]}" for a, b in pairs], rows.shape[1])
        effects = dataclasses.replace(
            self._effects,
            labels=labels,
            values=self.margeff[high] - self.margeff[low],
            spread=self._effects.spread.minus(high, low),
        )
        left, right = self._header
        header = (*left, ("Differences", "between groups")), right
        return MarginalEffects(effects, header, self._head, self._alpha)

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return str(self.summary())

    def _repr_html_(self) -> str:
        return self.summary().as_html()

    @property
    def _letter(self) -> str:
        return "z" if self._effects.df is None else "t"

    def _names(self) -> list[str]:
        """What each effect is of, on one line."""
        names = []
        others = self.labels.columns[2:]
        for variable, change, *values in self.labels.itertuples(index=False):
            text = str(variable) if change == self._head else f"{variable}: {change}"
            beside = [
                f"{other.partition(' ')[2]} = {_short(value)}"
                for other, value in zip(others, values, strict=True)
            ]
            names.append(f"{text} | {', '.join(beside)}" if beside else text)
        return names


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
