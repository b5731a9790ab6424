"""Owns `GroupResults`: what one call of `fit_groups` answers, segment by segment.

Imports `_model`, `_records`, `_status`, inference, io (for new data) and results.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from jaxglm import inference, io
from jaxglm._model import Columns, Dataset, Model
from jaxglm._status import DataError, Status
from jaxglm.groups._records import Fits
from jaxglm.groups._segments import Segments
from jaxglm.results import Results

_GLANCED = {
    "nobs": "nobs",
    "df_model": "df_model",
    "df_resid": "df_resid",
    "llf": "log_likelihood",
    "llnull": "null_log_likelihood",
    "deviance": "deviance",
    "null_deviance": "null_deviance",
    "pearson_chi2": "pearson_chi2",
    "scale": "scale",
}


class GroupResults:
    """The fits of many segments; see `fit_groups`.

    `fits[segment]` is an ordinary `Results`. Tables are indexed by segment; coefficients are on
    the link scale, nan where a segment does not determine them or has no fit.

    Attributes
    ----------
    keys : Index or MultiIndex
        The segments, sorted.
    failed : Series
        What went wrong, in words, for the segments whose fit is no ordinary optimum.
    """

    def __init__(
        self,
        fits: Fits,
        model: Model,
        keys: pd.Index,
        failed: dict[int, str],
        native: str,
        segments: Segments | None = None,
        index: Any = None,
    ):
        self.fits, self.model, self.keys = fits, model, keys
        self._failed, self._native, self._segments, self._index = failed, native, segments, index

    # -- tables ----------------------------------------------------------------------------------

    @property
    def params(self) -> pd.DataFrame:
        """Coefficients, one row per segment and one column per term."""
        return self._table(self.fits.coef)

    @property
    def bse(self) -> pd.DataFrame:
        """Standard errors of `params`."""
        return self._table(self._se)

    @property
    def tvalues(self) -> pd.DataFrame:
        """`params` over `bse`."""
        return self._table(self._wald[0])

    @property
    def pvalues(self) -> pd.DataFrame:
        """Two-sided p-values of `tvalues`."""
        return self._table(self._wald[1])

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Wald intervals, one row per segment and term, in columns 0 (lower) and 1 (upper)."""
        low, high = self._interval(alpha)
        return pd.DataFrame({0: low.ravel(), 1: high.ravel()}, index=self._by_term)

    def tidy(self, alpha: float = 0.05) -> Any:
        """One row per segment and term, as `Results.tidy`, in the kind of frame that came in."""
        low, high = self._interval(alpha)
        columns = {
            "estimate": self.fits.coef,
            "std_error": self._se,
            "statistic": self._wald[0],
            "p_value": self._wald[1],
            "conf_low": low,
            "conf_high": high,
        }
        table = pd.DataFrame({name: values.ravel() for name, values in columns.items()})
        keys = self._by_term.to_frame(index=False)
        return self._returned(pd.concat([keys, table], axis=1))

    def glance(self) -> Any:
        """One row per segment with the scalars of its fit, in the kind of frame that came in."""
        scalars = self.fits.scalars
        table = {name: scalars[field] for name, field in _GLANCED.items()}
        k = (~self.fits.aliased).sum(axis=1) + scalars["likelihood_params"]
        table["aic"] = inference.akaike(table["llf"], k)
        with np.errstate(divide="ignore", invalid="ignore"):
            table["bic"] = -2.0 * table["llf"] + k * np.log(table["nobs"])
        table["status"] = np.array([status.name.lower() for status in self.status], dtype=object)
        table["n_iter"] = scalars["turns"]
        keys = self.keys.to_frame(index=False)
        return self._returned(pd.concat([keys, pd.DataFrame(table)], axis=1))

    @property
    def status(self) -> pd.Series:
        """How each segment's fit ended; `RUNNING` for one that could not begin."""
        return pd.Series([Status(s) for s in self.fits.scalars["status"]], index=self.keys)

    @property
    def failed(self) -> pd.Series:
        """What went wrong, in words, by segment; a segment with an ordinary optimum is not here."""
        which = sorted(self._failed)
        return pd.Series([self._failed[g] for g in which], index=self.keys[which], dtype=object)

    # -- one segment -----------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.keys)

    def __contains__(self, segment: Any) -> bool:
        return segment in self.keys

    def __getitem__(self, segment: Any) -> Results:
        """The result of one segment.

        Raises
        ------
        KeyError
            For a segment that was not in the data.
        DataError
            For one that could not be fitted; the message says why.
        """
        if segment not in self.keys:
            raise KeyError(segment)
        g = int(self.keys.get_loc(segment))
        if self.fits.scalars["status"][g] == int(Status.RUNNING):
            raise DataError(f"segment {segment!r} has no fit: {self._failed[g]}")
        return Results(self.fits.one(g), dataclasses.replace(self.model, dataset=self._dataset(g)))

    def _dataset(self, g: int) -> Dataset | None:
        if self._segments is None:
            return None
        one = self._segments.one(g)
        columns = Columns(one.design, one.order, one.y.size)
        rows = slice(self._segments.starts[g], self._segments.starts[g + 1])
        index = None if self._index is None else self._index[rows]
        return Dataset(lambda: columns, one.y, one.weight, one.offset, one.freq, one.trials, index)

    def __repr__(self) -> str:
        what = self.model.formula or f"{self.model.y_name} on {len(self.model.names)} columns"
        family = f"{self.model.family.name}/{self.model.family.link.name}"
        return (
            f"<jaxglm.GroupResults: {what}, {family}, {len(self)} segments, "
            f"{len(self._failed)} without an ordinary optimum>"
        )

    # -- inside ----------------------------------------------------------------------------------

    @property
    def _df(self) -> np.ndarray | None:
        fixed = self.model.family.dispersion_fixed
        return None if fixed else self.fits.scalars["df_resid"][:, None]

    @property
    def _se(self) -> np.ndarray:
        fits = self.fits
        squares = np.einsum("gij,gij->gi", fits.cov_root, fits.cov_root) + fits.cov_diagonal**2
        return np.sqrt(np.where(fits.aliased, np.nan, fits.scalars["scale"][:, None] * squares))

    @property
    def _wald(self) -> tuple[np.ndarray, np.ndarray]:
        return inference.wald(self.fits.coef, self._se, self._df)

    def _interval(self, alpha: float) -> tuple[np.ndarray, np.ndarray]:
        return inference.interval(self.fits.coef, self._se, alpha, self._df)

    def _table(self, values: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(values, index=self.keys, columns=list(self.model.names))

    @property
    def _by_term(self) -> pd.MultiIndex:
        p = len(self.model.names)
        keys = self.keys.repeat(p)
        levels = [keys.get_level_values(i) for i in range(keys.nlevels)]
        terms = np.tile(np.array(self.model.names, dtype=object), len(self.keys))
        return pd.MultiIndex.from_arrays([*levels, terms], names=[*keys.names, "term"])

    def _returned(self, table: pd.DataFrame) -> Any:
        return io.like_native(table, self._native)
