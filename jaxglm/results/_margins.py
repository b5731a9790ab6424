"""Owns how a result is asked for marginal effects."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from jaxglm.inference import (
    METHODS,
    AskedEffects,
    Where,
    check_alpha,
    check_scale,
    check_variables,
    marginal_effects,
)
from jaxglm.intake import Population, fit_population, new_population
from jaxglm.results._beside import refuse_beside_the_fit
from jaxglm.results._marginal_effects import MarginalEffects
from jaxglm.results._rowwise import RowAnswers
from jaxglm.words import check_choice, understands_habits

# The lines that effects are those of, with what a report says of them.
_PLACES = {
    "overall": "all rows, averaged",
    "mean": "means of variables",
    "median": "medians of variables",
    "zero": "zero",
}


class Margins(RowAnswers):
    """Effects of the variables of the table on the mean."""

    @understands_habits
    def margins(
        self,
        variables: str | Sequence[str] | None = None,
        at: str | Mapping[str, Any] = "overall",
        method: Literal["dydx", "eyex", "dyex", "eydx"] = "dydx",
        dummy: Literal["discrete", "slope"] = "discrete",
        by: Any = None,
        data: Any = None,
        alpha: float = 0.05,
        which: Literal["mean", "linear"] = "mean",
        *,
        offset: Any = None,
        exposure: Any = None,
        freq_weights: Any = None,
    ) -> MarginalEffects:
        """Average effects of variables on the mean, with standard errors.

        An effect is that of a *variable* of the table: in ``y ~ x + I(x**2) + x:g`` the effect of
        `x` moves all its columns. Numbers have slopes, the average over rows of the derivative of
        the mean, ``(1/n) sum_i mu'(eta_i) d eta_i / dx``. Factors, and variables of true and false,
        have steps: the average difference of the mean if all rows had a level, and if all had the
        reference level. Errors are those of the delta method: with J the derivative of the average
        by the coefficients and C their covariance, ``sqrt(J C J')`` (Bartus 2005, The Stata Journal
        5, 309-329). Each row counts as the observations that it stands for (`freq_weights`),
        whatever its prior weight and trials; rows that do not count in the fit do not here.

        Parameters
        ----------
        variables : str or list of str, optional
            Those of the formula, or columns of X; all when left out, but constant columns.
        at : {"overall", "mean", "median", "zero"} or dict
            Which rows: the effects of all, averaged; or that of one line: numbers at their mean
            and factors in the proportions that they have, numbers at their median and factors at
            their most frequent level, or numbers at 0 and factors at their reference level. A
            dict, as in ``{"x": [1, 2]}``, sets variables of all rows to values, one after the
            other, and averages.
        method : {"dydx", "eyex", "dyex", "eydx"}
            The derivative of the mean, or of its logarithm ("ey"), along the variable, or in
            proportion to it ("ex"): "eyex" is an elasticity. Steps are differences of the mean, or
            of its logarithm for "ey".
        dummy : {"discrete", "slope"}
            Whether numeric variables of 0 and 1 step from 0 to 1.
        by : str, list of str, or one value per row, optional
            Averages within groups of rows; `contrasts()` of what is returned compares them.
        data : table or array, optional
            Rows to average over, those of the fit when left out. Where a variable enters only
            through functions, as in ``log(x)``, its values are looked up in the table of the fit
            while that is there unchanged; else (a dict, a file, a saved result) give it here. It
            is known again, and its rows count as in the fit. The rows of another table that miss
            nothing count once, or as often as `freq_weights` says; `notes` count the others.
        alpha : float
            One minus the level of intervals.
        which : {"mean", "linear"}
            Effects on the mean, or on the linear predictor.
        offset, exposure, freq_weights : array or column name, optional
            For `data` that are not those of the fit, where the fit had them.

        Returns
        -------
        MarginalEffects

        Raises
        ------
        DataError
            Where a variable, a level or a column is not there, the result holds no rows, or the
            columns that it holds do not tell a variable: give `data`.
        ValueError
            For arguments that are none of those above.

        Notes
        -----
        Derivatives along a variable are exact where it enters as itself, else from differences of
        its expressions, to some ten digits; the derivative through the link is exact. Rows are
        visited in chunks, whose columns take some ten megabytes. In a separated fit, differences
        of means are at the limit, without standard errors for variables that take part.

        Examples
        --------
        >>> import jaxglm as jg
        >>> hr = jg.datasets.load_hr(2000)
        >>> fit = jg.glm("left ~ salary + overtime_hours", hr, family="binomial")
        >>> fit.margins().summary_frame().iloc[:, :2].round(5)
                          dy/dx  Std. Err.
        salary         -0.01100    0.00065
        overtime_hours  0.01054    0.00091
        >>> fit.margins("salary", at={"overtime_hours": [0, 20]}).margeff.round(5)
        array([-0.0074 , -0.01343])
        """
        check_choice("dummy", dummy, ("discrete", "slope"))
        place, values = _places(at)
        if data is None:
            refuse_beside_the_fit(offset=offset, exposure=exposure, freq_weights=freq_weights)
            population = self._rows_of_fit("margins()", variables, place, values, by, or_data=True)
        else:
            population = new_population(
                self.model, data, offset=offset, exposure=exposure, freq_weights=freq_weights
            )
        asked = AskedEffects(method, dummy == "discrete", count=False)
        where = Where(place, values, by)
        return self._margins(population, asked, where, which, alpha, variables)

    @understands_habits
    def get_margeff(
        self,
        at: str | Mapping[str, Any] = "overall",
        method: Literal["dydx", "eyex", "dyex", "eydx"] = "dydx",
        atexog: Mapping[Any, Any] | None = None,
        dummy: bool = False,
        count: bool = False,
    ) -> MarginalEffects:
        """`margins` as statsmodels spells it.

        Parameters
        ----------
        at : {"overall", "mean", "median", "zero"} or dict
            As for `margins`. Effects of each row, ``at="all"`` of statsmodels, are
            ``margins(by=range(len(table)))``, where they have standard errors.
        method : {"dydx", "eyex", "dyex", "eydx"}
            As for `margins`.
        atexog : dict, optional
            Values of columns, by name or by their number counted from 0.
        dummy : bool
            Numeric variables of 0 and 1 step from 0 to 1; they have slopes otherwise.
        count : bool
            Variables of whole numbers step from x - 1 to x + 1, and half of that is the effect.

        Returns
        -------
        MarginalEffects
            Of the variables: factors of a formula have steps from their reference level, where
            statsmodels has slopes along their columns.

        Raises
        ------
        DataError, ValueError
            As for `margins`.

        Examples
        --------
        >>> import jaxglm as jg
        >>> hr = jg.datasets.load_hr(2000)
        >>> fit = jg.glm("left ~ salary", hr, family="binomial")
        >>> fit.get_margeff(at="mean", method="eyex").margeff.round(3)
        array([-2.676])
        """
        for name, given in (("dummy", dummy), ("count", count)):
            check_choice(name, given, (True, False))
        place, values = _places(at)
        if atexog is not None:
            values = {**values, **_lists({self._column(key): v for key, v in _items(atexog)})}
        population = self._rows_of_fit("get_margeff()", None, place, values, None)
        asked, where = AskedEffects(method, dummy, count), Where(place, values, None)
        return self._margins(population, asked, where, "mean", 0.05, None)

    # -- inside ----------------------------------------------------------------------------------

    def _rows_of_fit(
        self,
        what: str,
        variables: Any,
        place: str,
        at: Mapping[str, Any],
        by: Any,
        *,
        or_data: bool = False,
    ) -> Population:
        """The rows of the fit, with the variables that effects are of, set or made groups of."""
        names = None if place != "overall" else check_variables(variables)
        groups = [by] if isinstance(by, str) else by
        named = isinstance(groups, list | tuple) and all(isinstance(g, str) for g in groups)
        return fit_population(
            self.model,
            what,
            None if names is None else [*names, *at],
            also=groups if named else (),
            or_data=or_data,
        )

    def _margins(
        self,
        population: Population,
        asked: AskedEffects,
        where: Where,
        which: str,
        alpha: float,
        variables: Any,
    ) -> MarginalEffects:
        check_choice("method", asked.method, tuple(METHODS))
        check_scale(which)
        check_alpha(alpha)
        if which == "linear" and asked.method.startswith("ey"):
            raise ValueError(
                f"method={asked.method!r} is a change of the logarithm of the mean; with "
                "which='linear' effects are on the linear predictor: 'dydx' or 'dyex'"
            )
        names = check_variables(variables)
        effects = marginal_effects(self.fit, self.model, population, asked, names, where, which)
        of = "mean" if which == "mean" else "linear predictor"
        left = (("Response", self.model.y_name), ("Effects on", of))
        right = (("Method", asked.method), ("At", _PLACES[where.place]))
        return MarginalEffects(effects, (left, right), METHODS[asked.method], alpha)

    def _column(self, key: Any) -> str:
        """The variable that a key of `atexog` stands for."""
        if isinstance(key, str):
            return key
        if not isinstance(key, int | np.integer) or not 0 <= key < len(self.names):
            raise ValueError(f"atexog: {key!r} is neither a column's name nor its number from 0")
        return self.names[int(key)]


def _places(at: Any) -> tuple[str, dict[str, list[Any]]]:
    """One of the places, and the values of variables there."""
    if isinstance(at, Mapping):
        return "overall", _lists(at)
    if isinstance(at, str) and at == "all":
        raise ValueError(
            "at='all', the effects of each row, is a group for each row here, with standard "
            "errors: margins(by=range(len(table))), or of some rows margins(data=some, "
            "by=range(len(some)))"
        )
    check_choice("at", at, tuple(_PLACES))
    return at, {}


def _items(given: Any) -> Any:
    if not isinstance(given, Mapping):
        raise ValueError(
            "atexog must be a dict of columns and values; for other rows give margins(data=...)"
        )
    return given.items()


def _lists(values: Mapping[Any, Any]) -> dict[str, list[Any]]:
    """The values of each variable as a list."""
    lists = {}
    for name, given in values.items():
        single = isinstance(given, str) or np.ndim(given) == 0
        lists[str(name)] = [given] if single else list(given)
        if not lists[str(name)]:
            raise ValueError(f"at: there is no value for {name!r}")
    return lists
