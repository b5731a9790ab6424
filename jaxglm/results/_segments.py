"""Owns `GroupResults`: what one call of `fit_groups` answers, segment by segment."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from jaxglm import io
from jaxglm._status import DataError
from jaxglm.diagnostics import RowFacts, means, row_facts
from jaxglm.inference import check_scale, say_missing, say_nan
from jaxglm.intake import CommonPrior, Dataset, Model, nbytes
from jaxglm.lanes import Fits
from jaxglm.results._beside import refuse_beside_the_fit
from jaxglm.results._levels import mark_baseless, mark_levels
from jaxglm.results._predict import at_limit, linear_predictor
from jaxglm.results._robust_segments import RobustSegments
from jaxglm.rows import Segments
from jaxglm.words import FloatArray, check_choice, understands_habits


class GroupResults(RobustSegments):
    """The fits of many segments, made by `fit_groups`.

    `fits[segment]` is an ordinary `Results`; iteration, `len` and `in` are over the segments.
    Names and counting are those of `Results`: estimates are on the link scale, nan where a segment
    does not determine them or has no fit. `tidy` and `glance` come in the kind of frame that the
    data came in; the other tables are pandas objects indexed by segment.

    Pickled or saved it holds no data, and no more does a `Results` taken from it then.

    Attributes
    ----------
    keys : Index or MultiIndex
        The segments, sorted; those of a categorical column in the order of its categories.
    model : Model
        What the fits were of: names, family, formula.
    fits : Fits
        The arrays of all fits.
    notes : tuple of str
        What has to be said about the data as a whole.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {
    ...     "shop": ["a"] * 4 + ["b"] * 4 + ["c"] * 4,
    ...     "week": [0, 1, 2, 3] * 3,
    ...     "sold": [1, 2, 4, 7, 9, 3, 1, 0, 2, 0, 3, -1],
    ... }
    >>> fits = jg.fit_groups("sold ~ week", table, "shop", "poisson", on_failure="ignore")
    >>> fits
    <jaxglm.GroupResults: sold ~ week, poisson/log, 3 segments: 2 ordinary, 1 not fitted>
    >>> print(fits.failed["c"])
    The response 'sold' is outside the support of the poisson family: counts must be 0 or more, but
    1 row (first: 11) hold -1.
    >>> fits.predict({"shop": ["b", "a"], "week": [1, 1]}).round(2).to_list()
    [2.71, 2.01]
    >>> fits["a"].effects().round(2)
          rate ratio  conf_low  conf_high  p_value
    term
    week        1.89      1.09       3.26     0.02
    """

    unit = "segment"

    def __init__(
        self,
        fits: Fits,
        model: Model,
        keys: pd.Index,
        segments: Segments | None,
        native: str,
        notes: tuple[str, ...],
        facts: Mapping[int, RowFacts] | None = None,
    ):
        """Wrap what was found.

        What only `segments` knows goes into the record, which outlives the rows.
        """
        super().__init__(fits, model, keys, native, notes, facts)
        self._segments = None
        if segments is not None:
            mark_levels(fits, model)
            mark_baseless(fits, model, segments)
            # A copy has not what the fits have left in it: the entries of a sparse matrix by rows.
            self._segments = dataclasses.replace(segments)

    @property
    def prior_mean(self) -> pd.Series:
        """Mean of the distribution that the coefficients have in common, link scale.

        Raises
        ------
        DataError
            For fits without ``toward="pooled"``.
        """
        return pd.Series(self._prior("prior_mean").mean, index=list(self.names), name="prior_mean")

    @property
    def prior_cov(self) -> pd.DataFrame:
        """Covariance of that distribution: how segments differ, beyond what their rows' noise does.

        Raises
        ------
        DataError
            For fits without ``toward="pooled"``.
        """
        names = list(self.names)
        return pd.DataFrame(self._prior("prior_cov").covariance, index=names, columns=names)

    @property
    def shrinkage(self) -> pd.DataFrame:
        """How much each coefficient was pulled, from 0 (not at all) to 1 (it is what all have).

        The variance that is left of that in `prior_cov` once the rows are known: one minus what
        actuaries call credibility. A row for each segment, nan for one without a fit.

        Raises
        ------
        DataError
            For fits without ``toward="pooled"``.
        """
        prior = self._prior("shrinkage")
        left = prior.dispersion * np.sum(self.fits.covariance.expected.root.dense**2, axis=2)
        shares = left / np.diagonal(prior.covariance)
        return pd.DataFrame(shares, index=self.keys, columns=list(self.names))

    def _prior(self, what: str) -> CommonPrior:
        if self.model.prior is None:
            raise DataError(
                f"{what} is of segments that were fitted towards what they have in common: "
                "fit_groups(..., toward='pooled')"
            )
        return self.model.prior

    @property
    def data_nbytes(self) -> int:
        """Bytes of the rows kept: as `Results.data_nbytes`, with which segment each row is of."""
        held, segments = self.model.dataset, self._segments
        if held is None or segments is None:
            return 0
        return held.nbytes + nbytes(segments.order, segments.starts, segments.rows)

    @understands_habits
    def predict(
        self,
        data: Any = None,
        which: Literal["mean", "linear"] = "mean",
        *,
        groups: Any = None,
        offset: Any = None,
        exposure: Any = None,
        unseen: Literal["raise", "nan", "pooled"] = "raise",
    ) -> pd.Series:
        """Predicted means or linear predictors, one per row of `data`, each by its own segment.

        Parameters
        ----------
        data : table or array, optional
            New data with the columns of the fit, those that make the segments among them. When left
            out, the rows of the fits: those of segments that were not fitted are not among them.
        which : {"mean", "linear"}
            Response scale or link scale.
        groups : array, optional
            The segment of each row of `data`, for fits of arrays; a list of arrays or a table where
            several columns make a segment.
        offset, exposure : array or column name, optional
            As for `Results.predict`.
        unseen : {"raise", "nan", "pooled"}
            A segment, or a level of a factor, that the fits never saw: an error, or nan. Of fits
            with ``toward="pooled"`` a new segment may also have the coefficients `prior_mean`.

        Returns
        -------
        Series
            Labelled with the index of `data`. nan where a predictor is missing (with a warning),
            where the segment has no fit, and where the rows of the segment do not determine it: a
            level that they lack, or (with a warning) columns that follow from each other in them
            and not in the row. The segment's own result, ``fits[segment].predict``, says why. At
            its limit where a separated segment lets it run to infinity.

        Raises
        ------
        DataError
            As for `Results.predict`, and for segments that the fits never saw.
        """
        check_scale(which)
        check_choice("unseen", unseen, ("raise", "nan", "pooled"))
        common = self._prior("unseen='pooled'").mean if unseen == "pooled" else None
        if data is None:
            refuse_beside_the_fit(groups=groups, offset=offset, exposure=exposure)
            held, eta = self._fitted("a prediction without data", or_data=True)
            assert self._segments is not None
            eta = at_limit(self.fits, held.columns, self._segments.of_rows, eta)
            placed = np.sort(self._segments.at(np.arange(self._segments.starts[-1])))
            eta, index = eta[placed], held.labels_of(placed)
        else:
            columns, shift, missing, index = self.model.new_design(
                data, offset=offset, exposure=exposure, unseen="nan" if unseen == "nan" else "raise"
            )
            segment = self._segments_of(data, groups, columns.n, unseen)
            eta = linear_predictor(self.fits, columns, segment)
            eta = at_limit(self.fits, columns, segment, eta)
            if common is not None:
                eta = np.where(segment < 0, columns.matvec(np.array(common)), eta)
            if unseen != "nan":
                say_missing(missing)
            self._say_nan(eta, segment, missing)
            if shift is not None:
                eta += shift
            if missing is not None:
                eta[missing] = np.nan
        values = eta if which == "linear" else means(self.model.family, eta)
        return pd.Series(values, index=pd.RangeIndex(len(eta)) if index is None else index)

    def _further(self, p: int) -> dict[str, Any]:
        if self.model.prior is None:
            return {}
        return {"shrinkage": self.shrinkage.to_numpy().ravel()}

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_segments": None}

    # -- inside ----------------------------------------------------------------------------------

    def _say_nan(self, eta: FloatArray, segment: np.ndarray, missing: np.ndarray | None) -> None:
        """Warn of rows that a segment with collinear columns leaves open.

        Where it merely lacks a level nothing is said, as of the coefficient of that level.
        """
        # The last one stands for segment -1.
        collinear = np.append(self.fits.collinear().any(axis=1), False)
        unknown = np.isnan(eta) & collinear[segment]
        say_nan(
            unknown if missing is None else unknown & ~missing,
            "the rows of its segment do not determine it; fits[segment].predict says why.",
        )

    def _rows_of(self, g: int, held: Dataset) -> Dataset:
        return held.take(self._places(g))

    def _places(self, g: int) -> np.ndarray:
        """Where the rows of a segment stand among all."""
        assert self._segments is not None
        starts = self._segments.starts
        return self._segments.at(np.arange(starts[g], starts[g + 1]))

    def _facts_of_all(self) -> dict[int, RowFacts]:
        # The means of all rows at once: a call for each segment would cost more than its fit.
        held, eta = self._fitted("a summary")
        mean = means(self.model.family, eta)
        facts = {}
        for g in map(int, np.flatnonzero(self.fits.fitted)):
            places, rank = self._places(g), int(np.sum(~self.fits.aliased[g]))
            rows = held.rows.take(places)
            facts[g] = row_facts(self._family(g), rows, mean[places], rank)
        return facts

    def _fitted(self, what: str, *, or_data: bool = False) -> tuple[Dataset, FloatArray]:
        """All rows, which `what` needs, and their linear predictors; nan where there is none."""
        held, segments = self.model.held(what, or_data=or_data), self._segments
        assert segments is not None
        eta = linear_predictor(self.fits, held.columns, segments.of_rows)
        return held, eta if held.rows.offset is None else eta + held.rows.offset

    def _segments_of(self, data: Any, groups: Any, n: int, unseen: str) -> np.ndarray:
        """The segment of each row of new data; -1 where it is unknown and may be so."""
        columns = self._given_keys(data, groups)
        if any(len(column) != n for column in columns):
            raise DataError(f"groups has {len(columns[0])} values, the data have {n} rows")
        segment = io.find_segments(columns, self.keys)
        unknown = segment < 0
        if unseen == "raise" and unknown.any():
            raise DataError(
                f"segments that were not in the fit: {io.unknown_text(columns, unknown)}; "
                "unseen='nan' gives nan there"
                + ("" if self.model.prior is None else ", and unseen='pooled' what all have")
            )
        return segment

    def _given_keys(self, data: Any, groups: Any) -> list[Any]:
        if self.model.formula is not None:
            if groups is not None:
                raise DataError(
                    "groups= is for fits of arrays: here the columns "
                    f"{', '.join(map(repr, self.keys.names))} of data say which segment a row "
                    "belongs to."
                )
            return io.key_columns(io.read_table(data), self.keys.names)
        if groups is None:
            raise DataError("These are fits of arrays: give groups= with the segment of each row.")
        index = data.index if hasattr(data, "iloc") else None
        return io.group_columns(groups, index, self.keys.names)
