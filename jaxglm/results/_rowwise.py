"""Owns what a fitted model answers row by row: predictions, from the rows that it holds."""

import functools
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.algebra import Relations, movement, run_off
from jaxglm.diagnostics import RowFacts, means, row_facts
from jaxglm.inference import (
    Estimates,
    NewResponses,
    Prediction,
    check_scale,
    no_error,
    no_prediction,
    say_missing,
    undetermined,
    warn_undetermined,
)
from jaxglm.intake import Columns, Dataset, Model
from jaxglm.results._beside import refuse_beside_the_fit, response_weights
from jaxglm.results._copies import Copied
from jaxglm.search import Fit
from jaxglm.words import FloatArray, understands_habits, warn

ROWS_CHANGED = (
    "X was changed in place after the fit: the estimates are those of the X that was fitted, and "
    "nothing is said here of how the response varies about them. Fit again for that."
)


class _Lines(NamedTuple):
    """Rows, their linear predictors [n], their labels, and which miss something [n] bool."""

    columns: Columns
    eta: FloatArray
    index: pd.Index
    missing: np.ndarray | None


class RowAnswers(Estimates, Copied):
    """What needs rows, those of the fit or new ones; the base of `Results`.

    The rows of the fit are those that the model holds, never the user's table.
    """

    def __init__(self, fit: Fit, model: Model, facts: RowFacts | None = None):
        super().__init__(fit, model)
        self._saved_facts = facts
        self._eta: FloatArray | None = None

    # -- predictions -----------------------------------------------------------------------------

    @understands_habits
    def predict(
        self,
        data: Any = None,
        which: Literal["mean", "linear"] = "mean",
        *,
        offset: Any = None,
        exposure: Any = None,
        unseen: Literal["raise", "base", "nan"] = "raise",
    ) -> pd.Series:
        """Predicted means or linear predictors, exactly one per row of `data`.

        Parameters
        ----------
        data : table or array, optional
            New data with the columns of the fit; the data of the fit when left out.
        which : {"mean", "linear"}
            Response scale (a probability for binomial models) or link scale.
        offset, exposure : array or column name, optional
            Needed for new data when the fit was given one outside the formula; `offset` is on the
            link scale, `exposure` enters as its logarithm.
        unseen : {"raise", "base", "nan"}
            A factor level that the fit never saw: an error, or the base level, or nan.

        Returns
        -------
        Series
            Labelled with the index of `data`. nan, with a warning that says which rows and why,
            where a predictor or the offset is missing, and where the rows of the fit do not
            determine it: columns that follow from each other in them, and were left out for that,
            do not so in this row. ``unseen="nan"`` asks for nan, and is not warned of. Where the
            fit is separated and a row's linear predictor runs to infinity, that is inf or -inf, and
            the mean its limit; of the rows of the fit only those that stay finite determine the
            other predictions.

        Raises
        ------
        DataError
            When an offset or exposure is needed, a column or level is unknown, or there is no
            `data` and the result no longer holds its own.
        """
        check_scale(which)
        found = self._linear(data, offset, exposure, unseen)
        values = found.eta.copy() if which == "linear" else means(self.family, found.eta)
        return pd.Series(values, index=found.index)

    @understands_habits
    def get_prediction(
        self,
        data: Any = None,
        *,
        interval: Literal["mean", "prediction"] = "mean",
        offset: Any = None,
        exposure: Any = None,
        unseen: Literal["raise", "base", "nan"] = "raise",
        var_weights: Any = None,
        trials: Any = None,
    ) -> Prediction:
        """Predictions with standard errors and intervals, of the mean or for new responses.

        Intervals of the mean are on the scale of the link (``which="linear"`` of what is returned)
        or carried to that of the response. Those for new responses depend on the family:

        ===================================== ==================================================
        Gaussian, identity link               normal theory, ``mean -+ t sqrt(se^2 + scale / w)``
        binomial, Poisson, negative binomial  quantiles of the distribution, mixed over a normal
                                              linear predictor
        Gamma, inverse Gaussian, Tweedie,     the same, at the estimated dispersion
        other Gaussian
        quasi families, counts with scale=    none: a variance is no distribution
        ===================================== ==================================================

        `interval_method` of what is returned says which. A row whose linear predictor runs to
        infinity (separation) has no standard error or interval: both are nan. A warning says of
        which rows that is so, and `notes` keep it.

        Parameters
        ----------
        data, offset, exposure, unseen
            As for `predict`.
        interval : {"mean", "prediction"}
            What `conf_int` and `summary_frame` are for: the mean, or a new response as well. They
            take the argument too.
        var_weights, trials : array, column name or number, optional
            For intervals for new responses: prior weights of the rows of `data`, 1 when left out,
            and binomial trials. The rows of the fit have theirs.

        Raises
        ------
        DataError, ValueError
            As `predict`; and for new responses where these have no distribution, or the number of
            trials is not known.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
        >>> fit = jg.glm("y ~ x", table, family="poisson")
        >>> fit.get_prediction({"x": [6.0]}).summary_frame().round(2)
            mean  mean_se  mean_ci_lower  mean_ci_upper
        0  14.06     6.07           6.03          32.79
        >>> fit.get_prediction({"x": [6.0]}, interval="prediction").conf_int()
           lower  upper
        0    4.0   35.0
        """
        found = self._linear(data, offset, exposure, unseen, columns=True)
        covariance = self.fit.covariance
        eta, index = found.eta, found.index
        variance = covariance.linear_variance(found.columns)
        se = np.sqrt(np.where(np.isnan(eta) | (variance < 0), np.nan, variance))
        weight = response_weights(
            self.model, self._saved_facts, data, index, var_weights=var_weights, trials=trials
        )
        responses = NewResponses(self.family, self.scale, weight, covariance.df)
        notes = list(no_prediction(eta, found.missing))
        for words, category in no_error(eta, variance, covariance.scale, self.fit.without_errors):
            warn(words, category)
            notes.append(words)
        return Prediction(self.family, eta, se, covariance.df, index, responses, interval, notes)

    @property
    def fittedvalues(self) -> pd.Series:
        """Fitted means of the rows of the fit (needs the data of the fit)."""
        return self.predict()

    # -- the rows that are held ------------------------------------------------------------------

    @property
    def data_nbytes(self) -> int:
        """Bytes of the rows that this result keeps; 0 once they are let go.

        Encoded columns and row vectors, linear predictors among them once they were asked for. A
        matrix given as an array and read in place is the user's: it counts for the 8 bytes a row
        that tell whether it was changed. Labels of rows are those of the user's table and do not
        count.
        """
        if self.model.dataset is None:
            return 0
        return self.model.dataset.nbytes + (0 if self._eta is None else self._eta.nbytes)

    def __getstate__(self) -> dict[str, Any]:
        model = self.model.without_rows(let_go=False)
        return {"fit": self.fit, "model": model, "_saved_facts": self._known_facts, "_eta": None}

    # -- inside ----------------------------------------------------------------------------------

    def _with_covariance_of(self, fit: Fit) -> Self:
        """The same coefficients with another covariance: what was found of the rows goes along."""
        other = type(self)(fit, self.model, self.__dict__.get("row_facts", self._saved_facts))
        other._eta = self._eta
        return other

    @property
    def _known_facts(self) -> RowFacts | None:
        """`row_facts` where the data is there, or they were kept from when it was.

        None where the user has changed the rows: what needs none of them can still be told.
        """
        if self.model.dataset is None:
            return self._saved_facts
        try:
            return self.row_facts
        except DataError:
            return None

    @functools.cached_property
    def row_facts(self) -> RowFacts:
        """What notes and tests know of the rows; kept when the data is dropped."""
        if self._saved_facts is not None:
            return self._saved_facts
        held, eta = self._fitted("overdispersion()")
        return row_facts(self.family, held.rows, means(self.family, eta), self._rank)

    @property
    def _effective(self) -> FloatArray:
        """The coefficients, finite; an aliased column has none, and no part in the fit."""
        return np.where(self.fit.aliased, 0.0, self.fit.coef)

    def _fitted(
        self, what: str, *, or_data: bool = False, columns: bool = False
    ) -> tuple[Dataset, FloatArray]:
        """The rows of the fit, which `what` needs, and their linear predictors with offset.

        These are found once and kept, to be read only. Then a matrix that was read in place is
        looked at again only where `what` needs the `columns` as well.
        """
        columns = columns or self._eta is None
        held = self.model.held(what, or_data=or_data, columns=columns)
        if self._eta is None:
            self._eta = _shifted(held.columns.matvec(self._effective), held.rows.offset)
            self._eta.flags.writeable = False
        return held, self._eta

    def _fitted_at_limit(
        self, what: str, *, or_data: bool = False, columns: bool = False
    ) -> tuple[Dataset, FloatArray]:
        """The same, at their limits and with nan for what nothing determines."""
        ordinary = not (self.fit.infinite.any() or self.fit.aliased.any())
        held, eta = self._fitted(what, or_data=or_data, columns=columns or not ordinary)
        if not ordinary:
            eta = self._determined(eta, held.columns, np.flatnonzero(~held.rows.live))
        return held, eta

    def _linear(
        self, data: Any, offset: Any, exposure: Any, unseen: str, *, columns: bool = False
    ) -> _Lines:
        """Rows with their linear predictors, offset included; for what needs the `columns`."""
        if data is None:
            refuse_beside_the_fit(offset=offset, exposure=exposure)
            held, eta = self._fitted_at_limit(
                "a prediction without data", or_data=True, columns=columns
            )
            return _Lines(held.columns, eta, held.labels, None)
        new, shift, missing, index = self.model.new_design(
            data, offset=offset, exposure=exposure, unseen=unseen
        )
        if shift is not None and np.isnan(shift).any():
            missing = np.isnan(shift) if missing is None else missing | np.isnan(shift)
        if unseen != "nan":
            say_missing(missing)
        eta = self._of_new(new, shift, missing)
        index = pd.RangeIndex(len(eta)) if index is None else index
        return _Lines(new, eta, index, missing)

    def _of_new(
        self, columns: Columns, shift: FloatArray | None, missing: np.ndarray | None
    ) -> FloatArray:
        """Linear predictors of new rows, nan where one is missing or nothing determines it."""
        eta = _shifted(columns.matvec(self._effective), shift)
        if missing is not None:
            eta = np.where(missing, np.nan, eta)
        return self._determined(eta, columns, np.arange(columns.n))

    def _determined(self, eta: FloatArray, columns: Columns, rows: np.ndarray) -> FloatArray:
        """Linear predictors at their limits, with nan for those of `rows` that nothing determines.

        The other rows are those that determined the fit.
        """
        fit, p = self.fit, len(self.names)
        moves = np.zeros(columns.n)
        if fit.infinite.any():
            moves = movement(columns.matvec(fit.covariance.recession))
            eta = run_off(eta, moves)
        if fit.relations is not None and fit.aliased.any():
            eta = self._without(eta, columns, rows, fit.aliased, fit.relations)
        at_limit = fit.relations_at_limit
        still = rows[moves[rows] == 0]
        return self._without(
            eta,
            columns,
            still,
            at_limit.left(p),
            at_limit,
            "the rows of the fit that stay finite (separation)",
        )

    def _without(
        self,
        eta: FloatArray,
        columns: Columns,
        rows: np.ndarray,
        left: np.ndarray,
        relations: Relations,
        *seen: str,
    ) -> FloatArray:
        """Linear predictors with nan for those of some rows that do not obey relations."""
        if not (left.any() and rows.size):
            return eta
        unknown = np.zeros(columns.n, bool)
        unknown[rows] = undetermined(columns.rows(rows), left, relations)
        unknown &= ~np.isnan(eta)
        warn_undetermined(unknown, self.names, left, relations, *seen)
        return np.where(unknown, np.nan, eta)


def _shifted(eta: FloatArray, offset: FloatArray | None) -> FloatArray:
    return eta if offset is None else eta + offset
