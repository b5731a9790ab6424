"""Owns `ResponseResults`: what one call of `fit_responses` answers, response by response."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from jaxglm.algebra import Relations, movement, run_off
from jaxglm.diagnostics import RowFacts, means
from jaxglm.inference import check_scale, say_missing, say_nan, undetermined
from jaxglm.intake import Columns, Dataset, Model, nbytes
from jaxglm.lanes import Fits
from jaxglm.results._beside import refuse_beside_the_fit
from jaxglm.results._levels import mark_levels
from jaxglm.results._many import ManyResults
from jaxglm.rows import Replicas
from jaxglm.words import understands_habits


class ResponseResults(ManyResults):
    """The fits of many responses on the same columns, made by `fit_responses`.

    `fits[response]` is an ordinary `Results`; iteration, `len` and `in` are over the responses.
    Names and counting are those of `GroupResults`, with a response where that has a segment.

    Pickled or saved it holds no data, and no more does a `Results` taken from it then.

    Attributes
    ----------
    keys : Index
        The names of the responses, in the order given.
    model : Model
        What the fits were of: names, family, formula.
    fits : Fits
        The arrays of all fits.
    notes : tuple of str
        What has to be said about the data as a whole.
    """

    unit = "response"

    def __init__(
        self,
        fits: Fits,
        model: Model,
        keys: pd.Index,
        replicas: Replicas | None,
        native: str,
        notes: tuple[str, ...],
        facts: Mapping[int, RowFacts] | None = None,
    ):
        super().__init__(fits, model, keys, native, notes, facts)
        # Not the replicas themselves, which keep the columns in the form of their computations.
        self._y = None if replicas is None else replicas.y
        self._times = None if replicas is None else replicas.times
        if replicas is not None:
            mark_levels(fits, model)

    @property
    def data_nbytes(self) -> int:
        """Bytes of the rows kept: as `Results.data_nbytes`, with a response for each fit."""
        held = self.model.dataset
        return 0 if held is None else held.nbytes + nbytes(self._y, self._times)

    @understands_habits
    def predict(
        self,
        data: Any = None,
        which: Literal["mean", "linear"] = "mean",
        *,
        offset: Any = None,
        exposure: Any = None,
        unseen: Literal["raise", "base", "nan"] = "raise",
    ) -> pd.DataFrame:
        """Predicted means or linear predictors: a row per row of `data`, a column per response.

        The arguments and errors are those of `Results.predict`. nan where a predictor is missing
        (with a warning), where a response has no fit, and where the rows of its fit do not
        determine it: ``fits[response].predict`` says why.
        """
        check_scale(which)
        if data is None:
            refuse_beside_the_fit(offset=offset, exposure=exposure)
            held = self.model.held("a prediction without data", or_data=True)
            columns, shift, missing, index = held.columns, held.rows.offset, None, held.index
        else:
            columns, shift, missing, index = self.model.new_design(
                data, offset=offset, exposure=exposure, unseen=unseen
            )
            if unseen != "nan":
                say_missing(missing)
        eta = self._linear(columns)
        if data is not None:
            unknown = np.isnan(eta[:, self.fits.fitted]).any(axis=1)
            say_nan(
                unknown if missing is None else unknown & ~missing,
                "the rows of a response do not determine it; fits[response].predict says why.",
            )
        if shift is not None:
            eta += shift[:, None]
        if missing is not None:
            eta[missing] = np.nan
        values = eta
        if which == "mean":
            values = np.array(means(self.model.family, eta.ravel())).reshape(eta.shape)
        return pd.DataFrame(values, index=index, columns=self.keys, copy=False)

    def _linear(self, columns: Columns) -> np.ndarray:
        """Linear predictors without offset, [n, G]."""
        fits = self.fits
        eta = np.array(columns.matvec(np.where(fits.aliased, 0.0, fits.coef).T))
        separated = np.flatnonzero(fits.infinite.any(axis=1))
        if separated.size:
            moves = movement(columns.matvec(fits.covariance.recession[separated].T))
            eta[:, separated] = run_off(eta[:, separated], moves)
            for g, own in zip(separated.tolist(), moves.T, strict=True):
                at_limit = fits.relations_at_limit.get(g, Relations.none())
                unknown = undetermined(columns, at_limit.left(len(self.names)), at_limit)
                eta[unknown & (own == 0), g] = np.nan
        # Responses on the same rows have the same columns aliased, and the same rows determined.
        alike: dict[bytes, list[int]] = {}
        for g in map(int, np.flatnonzero(fits.aliased.any(axis=1))):
            parts = (fits.aliased[g], *(fits.relations_of(g) or ()))
            alike.setdefault(b"".join(part.tobytes() for part in parts), []).append(g)
        for some in alike.values():
            rows = undetermined(columns, fits.aliased[some[0]], fits.relations_of(some[0]))
            eta[np.ix_(np.flatnonzero(rows), np.array(some))] = np.nan
        return eta

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_y": None, "_times": None}

    # -- inside ----------------------------------------------------------------------------------

    def _y_name(self, g: int) -> str:
        return str(self.keys[g])

    def _rows_of(self, g: int, held: Dataset) -> Dataset:
        own = held if self._y is None else held.with_response(self._y[g])
        return own if self._times is None else own.take(np.flatnonzero(self._times[g]))

    def _facts_of_all(self) -> dict[int, RowFacts]:
        return {int(g): self._one(int(g)).row_facts for g in np.flatnonzero(self.fits.fitted)}
