"""Owns what a result answers about combinations of coefficients: tests and contrasts."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from jaxglm._status import DataWarning
from jaxglm.inference import (
    ADJUSTMENTS,
    LinearTest,
    TermTests,
    WaldTest,
    adjusted,
    adjusted_critical_value,
    caution,
    columns_test,
    combinations_of,
    comparison_table,
    contrasts_of,
    critical_value,
    is_intercept,
    joint_test,
    ratio_label,
    read_combination,
    read_hypothesis,
    refusal,
    single_tests,
    wald,
    warn_no_tests,
)
from jaxglm.results._rowwise import RowAnswers
from jaxglm.words import check_choice, listed, understands_habits, warn


class HypothesisTests(RowAnswers):
    """Tests of linear hypotheses, and contrasts; a part of `Results`.

    All rest on the coefficients and `cov_params()`: Student's t and F where the dispersion is
    estimated, the normal and chi-squared distribution where it is known.
    """

    @understands_habits
    def wald_test(self, hypothesis: Any, use_f: bool | None = None) -> WaldTest:
        """Test linear hypotheses on the coefficients (link scale) together.

        The statistic is ``(R b - q)' (R C R')^-1 (R b - q)`` for the hypothesis ``R b = q`` of m
        rows and the covariance C of b: chi-squared with m degrees of freedom where the dispersion
        is known; divided by m, F with m and `df_resid`, where it is estimated.

        Parameters
        ----------
        hypothesis : str, list of str, dict, vector, matrix, DataFrame or pair
            Text, as in ``"x1 = x2, C(g)[T.b] = 0"`` or ``"2*x1 - x2 = 0.5"``; what has no equals
            sign is 0. Coefficients go by their names, in backticks where a name could be read
            otherwise. A dict has the coefficients of one combination, ``{"x1": 1, "x2": -1}``. A
            matrix R [m, p] or vector [p] is ``R b = 0``, a pair (R, q) is ``R b = q``; columns of
            a frame may be named.
        use_f : bool, optional
            F or chi-squared, whatever the family; F has `df_resid` then.

        Returns
        -------
        WaldTest
            `statistic, pvalue, df_num, df_denom`. Rows that follow from others are left out, and
            said. Where the data do not determine a combination, or it runs to infinity
            (separation), the statistic is nan, and `notes` say why.

        Raises
        ------
        ValueError
            When the hypothesis cannot be read, names no coefficient, or contradicts itself.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [1, 0, 2, 3, 5, 8, 2, 4], "x": [0.0, 1, 2, 3, 4, 5, 1, 4]}
        >>> table["z"] = [1.0, 0, 1, 0, 1, 1, 0, 0]
        >>> fit = jg.glm("y ~ x + z", table, family="poisson")
        >>> fit.wald_test("x = z, Intercept = 0")
        Wald test
          x = z
          Intercept = 0
           chi2 P>chi2 df constraint
          0.538  0.764             2
        """
        check_choice("use_f", use_f, (None, True, False))
        df = self.fit.covariance.df
        if use_f is not None:
            df = (self.df_resid if df is None else df) if use_f else None
        return joint_test(self.fit, self.names, read_hypothesis(hypothesis, self.names), df)

    @understands_habits
    def f_test(self, hypothesis: Any) -> WaldTest:
        """`wald_test` with F, also where the dispersion is known; `df_denom` is `df_resid` then."""
        return self.wald_test(hypothesis, use_f=True)

    @understands_habits
    def t_test(self, hypothesis: Any) -> LinearTest:
        """Test linear hypotheses on the coefficients (link scale), each by itself.

        Parameters
        ----------
        hypothesis : as for `wald_test`

        Returns
        -------
        LinearTest
            `effect, sd, statistic, pvalue, conf_int(alpha), summary_frame(alpha)`, a number for
            each row. Where the data do not determine a combination, or it runs to infinity
            (separation), its error is nan, and `notes` say why.

        Raises
        ------
        ValueError
            When the hypothesis cannot be read, or names no coefficient.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [1, 0, 2, 3, 5, 8, 2, 4], "x": [0.0, 1, 2, 3, 4, 5, 1, 4]}
        >>> jg.glm("y ~ x", table, family="poisson").t_test("2*x = 1")
        Tests of linear hypotheses
                   coef std err       z  P>|z|  [0.025  0.975]
        2*x = 1  0.9378  0.2905  -0.214  0.831  0.3684  1.5072
        """
        return single_tests(self.fit, self.names, read_hypothesis(hypothesis, self.names))

    @understands_habits
    def wald_test_terms(self, skip_single: bool = False) -> TermTests:
        """Test each term of the formula: that all its coefficients are 0.

        A term beside an interaction that holds it is tested at the reference levels of the other
        factors (treatment coding), or on their average (``C(g, Sum)``).

        Parameters
        ----------
        skip_single : bool
            Leave out terms of a single column, which `pvalues` test.

        Returns
        -------
        TermTests
            `table`, and `notes` where a term has no test: a curve or random effect whose penalty
            was estimated has none, since that is no test of so many coefficients.
        """
        check_choice("skip_single", skip_single, (True, False))
        tests = {}
        shrunk = {one.term for one in self.model.strengths}
        for term, place in self.model.terms:
            if term in shrunk:
                continue
            columns = range(len(self.names))[place]
            if len(columns) > 1 or not skip_single:
                tests[term] = columns_test(self.fit, self.names, columns, self.fit.covariance.df)
        words = caution(self.fit)
        if shrunk:
            words = (
                f"{words} No test of {listed(sorted(shrunk), 3)}, whose penalty was estimated: "
                "compare the AIC of a fit without it."
            ).strip()
        return TermTests(tests, words)

    @understands_habits
    def lincom(
        self, combination: Any, alpha: float = 0.05, *, exponentiate: bool = False
    ) -> pd.DataFrame:
        """Estimate a linear combination of the coefficients, link scale.

        Parameters
        ----------
        combination : str, dict or vector [p]
            As in ``"x1 + 2*x2"``; a number in it is added.
        alpha : float
            One minus the level of the interval.
        exponentiate : bool
            The ratio that it stands for, on links where there is one (see `effects`); `std_error`
            is the delta method's then, and the test remains that of the combination.

        Returns
        -------
        DataFrame
            One row: `combination, estimate, std_error, statistic, p_value, conf_low, conf_high`;
            exponentiated, the estimate is named for what it is. With a warning, nan where the data
            do not determine the combination, or it runs to infinity (separation).

        Raises
        ------
        ValueError
            When it cannot be read or is a hypothesis, or `exponentiate` makes no sense.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [1, 0, 2, 3, 5, 8, 2, 4], "x": [0.0, 1, 2, 3, 4, 5, 1, 4]}
        >>> jg.glm("y ~ x", table, family="poisson").lincom("2*x", exponentiate=True).round(2)
          combination  rate ratio  std_error  statistic  p_value  conf_low  conf_high
        0         2*x        2.55       0.74       3.23      0.0      1.45       4.51
        """
        check_choice("exponentiate", exponentiate, (True, False))
        row, shift, label = read_combination(combination, self.names)
        if not row.any():
            raise ValueError(f"the combination {label!r} is of no coefficient")
        used = [name for name, times in zip(self.names, row, strict=True) if times]
        baseline = next(filter(is_intercept, used), None)
        if exponentiate and baseline:
            raise ValueError(
                f"exp of a combination with {baseline!r} in it is no ratio but a baseline; "
                "predict(data) gives means at values of the predictors"
            )
        found, df = combinations_of(self.fit, self.names, row[None]), self.fit.covariance.df
        estimate, se = found.estimate + shift, found.standard_errors
        warn_no_tests([label], found.reasons)
        return comparison_table(
            "combination",
            [label],
            estimate=estimate,
            se=se,
            tests=wald(estimate, se, df),
            reach=float(critical_value(alpha, df)),
            ratio=self._ratio if exponentiate else None,
        )

    @understands_habits
    def contrasts(
        self,
        factor: str,
        kind: Any = "pairwise",
        *,
        adjust: Literal["none", "holm", "bonferroni", "tukey"] | None = None,
        ref: Any = None,
        at: Mapping[str, Any] | None = None,
        alpha: float = 0.05,
        exponentiate: bool = False,
    ) -> pd.DataFrame:
        """Compare the levels of a factor, link scale, as R's emmeans does.

        Levels are compared by their means of the linear predictor, in which each level of other
        factors counts equally and columns of numbers are at their mean. That matters where the
        factor takes part in interactions only; a warning says then what was averaged.

        Parameters
        ----------
        factor : str
            Its column, or the factor as the formula writes it.
        kind : {"pairwise", "trt.vs.ctrl"}, matrix, DataFrame or dict
            All pairs, each level with `ref`, or contrasts of your own: a row of coefficients that
            sum to 0 for each, over the levels in their order or in columns of their names.
        adjust : {"none", "holm", "bonferroni", "tukey"}, optional
            How p-values and intervals take account of the number of contrasts. By default Tukey's
            studentised range for all pairs, else Holm's steps. Intervals beside Holm's p-values
            are Bonferroni's.
        ref : level, optional
            What "trt.vs.ctrl" compares with; by default the reference level of the formula.
        at : dict, optional
            Values of columns that interact with the factor, in place of averages.
        alpha : float
            One minus the level of the intervals, which hold together unless `adjust` is "none".
        exponentiate : bool
            Ratios, on links where there are such (see `effects`).

        Returns
        -------
        DataFrame
            Columns `contrast, estimate, std_error, statistic, p_value, conf_low, conf_high`;
            exponentiated, the estimate is named for what it is. With a warning, nan where the data
            do not determine a contrast, or it runs to infinity (separation).

        Raises
        ------
        DataError
            When the fit is of no formula, has no such factor, or the contrasts depend on the mean
            of a column that is not known; give it in `at`.
        ValueError
            When an argument means nothing here.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [1, 0, 2, 3, 5, 8, 2, 4, 6], "g": list("abcabcabc")}
        >>> fit = jg.glm("y ~ g", table, family="poisson")
        >>> fit.contrasts("g", adjust="holm")[["contrast", "estimate", "p_value"]].round(3)
          contrast  estimate  p_value
        0    a - b    -0.405    0.442
        1    a - c    -0.981    0.121
        2    b - c    -0.575    0.335
        """
        check_choice("exponentiate", exponentiate, (True, False))
        pairs = isinstance(kind, str) and kind == "pairwise"
        adjust = adjust or ("tukey" if pairs else "holm")
        check_choice("adjust", adjust, ADJUSTMENTS)
        if adjust == "tukey" and not pairs:
            raise ValueError('adjust="tukey" is for all pairs, kind="pairwise"; "holm" is for any')
        ratio = self._ratio if exponentiate else None
        wanted = contrasts_of(self.model, factor, kind, ref, at, ratio is not None)
        for note in wanted.notes:
            warn(note, DataWarning)
        estimate, se, reasons = wanted.estimated(self.fit, self.names)
        warn_no_tests(wanted.labels, reasons)
        df, levels = self.fit.covariance.df, wanted.means.shape[0]
        values, p = wald(estimate, se, df)
        tested = int(np.count_nonzero(~np.isnan(p)))
        return comparison_table(
            "contrast",
            wanted.labels,
            estimate=estimate,
            se=se,
            tests=(values, adjusted(adjust, p, values, levels, df)),
            reach=adjusted_critical_value(adjust, alpha, tested, levels, df),
            ratio=ratio,
        )

    @property
    def _ratio(self) -> str:
        """What exp of a difference is called on this link."""
        label = ratio_label(self.family)
        if label is None:
            raise ValueError(refusal(self.family))
        return label
