"""Owns `ResponseResults`: what one call of `fit_responses` answers, response by response."""

import dataclasses
from typing import Any, Literal

import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.diagnostics import means
from jaxglm.inference import check_scale
from jaxglm.intake import Columns, Dataset, Model
from jaxglm.lanes import Fits
from jaxglm.results._many import ManyResults
from jaxglm.results._predict import linear_predictor
from jaxglm.rows import Replicas


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
    ):
        super().__init__(fits, model, keys, native, notes)
        self._replicas = replicas

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

        The arguments and errors are those of `Results.predict`. nan where a predictor is missing,
        and where a response has no fit, or none of a column that the row has a part in.
        """
        check_scale(which)
        if data is None:
            held = self.model.dataset
            if held is None or offset is not None or exposure is not None:
                raise DataError(
                    "Without data= the rows are those of the fits, with the offset that they had "
                    "there; results that were saved, loaded or pickled leave them behind. Give "
                    "data= as well."
                )
            columns, shift, missing, index = held.columns(), held.rows.offset, None, held.index
        else:
            columns, shift, missing, index = self.model.new_design(
                data, offset=offset, exposure=exposure, unseen=unseen
            )
        eta = self._linear(columns)
        if shift is not None:
            eta += shift[:, None]
        if missing is not None:
            eta[missing] = np.nan
        values = eta
        if which == "mean":
            values = means(self.model.family, eta.ravel()).reshape(eta.shape)
        return pd.DataFrame(values, index=index, columns=self.keys, copy=False)

    def _linear(self, columns: Columns) -> np.ndarray:
        """Linear predictors without offset, [n, G]."""
        fits, unknown = self.fits, self.fits.aliased & self.fits.absent
        eta = np.array(columns.matvec(np.where(fits.aliased, 0.0, fits.coef).T))
        for g in np.flatnonzero(unknown.any(axis=1)):
            eta[:, g] = linear_predictor(fits, self.model, columns, np.full(columns.n, g))
        return eta

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_replicas": None}

    # -- inside ----------------------------------------------------------------------------------

    def _model(self, g: int) -> Model:
        return dataclasses.replace(self.model, y_name=str(self.keys[g]), dataset=self._dataset(g))

    def _dataset(self, g: int) -> Dataset | None:
        held, replicas = self.model.dataset, self._replicas
        if held is None or replicas is None:
            return None
        one, index = replicas.one(g), held.index
        columns = Columns(one.design, one.order, len(one.rows))
        if replicas.times is not None:
            rows = np.flatnonzero(replicas.times[g])
            index = pd.Index(rows) if index is None else index[rows]
        return Dataset(lambda: columns, one.rows, index)
