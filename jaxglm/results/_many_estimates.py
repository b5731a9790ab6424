"""Owns the tables of many fits: estimates, tests and scalars, labelled with their segments."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from jaxglm import inference, io
from jaxglm._status import Status
from jaxglm.intake import Model
from jaxglm.lanes import Fits
from jaxglm.words import FloatArray, understands_habits

_FIELDS = {
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
GLANCED = (
    *("nobs", "df_model", "df_resid", "llf", "llnull", "aic", "bic", "deviance"),
    *("null_deviance", "pearson_chi2", "scale", "status", "converged", "n_iter"),
)


class GroupEstimates:
    """Coefficients of many fits with their uncertainty; the base of `GroupResults`.

    Attributes
    ----------
    fits : Fits
        The arrays of all fits.
    model : Model
        What the fits were of.
    keys : Index or MultiIndex
        The segments, sorted.
    native : str
        The kind of frame that the data came in; see `io.like_native`.
    """

    def __init__(self, fits: Fits, model: Model, keys: pd.Index, native: str):
        self.fits, self.model, self.keys, self.native = fits, model, keys, native

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def names(self) -> list[str]:
        """Column names in the order of the coefficients."""
        return list(self.model.names)

    @property
    def params(self) -> pd.DataFrame:
        """Coefficients, one row per segment and one column per term, as `Results.params`.

        nan where aliased, inf or -inf where `infinite`, nan where nothing determines one beside
        those.
        """
        return self._table(self.fits.estimates)

    @property
    def bse(self) -> pd.DataFrame:
        """Standard errors of `params`; nan where those are none, or infinite."""
        return self._table(self._se)

    @property
    def tvalues(self) -> pd.DataFrame:
        """Wald statistics `params / bse`: t where the dispersion is estimated, z otherwise."""
        return self._table(self._wald(self._se)[0])

    @property
    def pvalues(self) -> pd.DataFrame:
        """Two-sided p-values of `tvalues`."""
        return self._table(self._wald(self._se)[1])

    @property
    def aliased(self) -> pd.DataFrame:
        """Terms without a coefficient: the segment lacks them, or other terms determine them."""
        return self._table(self.fits.aliased.copy())

    @property
    def infinite(self) -> pd.DataFrame:
        """Terms whose coefficient runs to infinity: `params` is inf or -inf, and `bse` nan."""
        return self._table(self.fits.infinite)

    @understands_habits
    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Wald intervals, one row per segment and term, in columns 0 (lower) and 1 (upper).

        Raises
        ------
        ValueError
            When `alpha` is outside (0, 1).
        """
        low, high = self._interval(self._se, alpha)
        return pd.DataFrame({0: low.ravel(), 1: high.ravel()}, index=self._by_term(), copy=False)

    @understands_habits
    def tidy(self, alpha: float = 0.05) -> Any:
        """One row per segment and term, link scale, in the kind of frame that the data came in.

        Columns: those of the segment, `term` (categorical), then as `Results.tidy`: `estimate,
        std_error, statistic, p_value, conf_low, conf_high, infinite`, then `method` (categorical),
        which is "firth" where the bias was taken out of the estimates; of segments fitted with
        ``toward="pooled"`` also `shrinkage`, how much each was pulled. A column of the segment that
        is named like one of these has `_key` appended to its name.

        Raises
        ------
        ValueError
            When `alpha` is outside (0, 1).
        """
        se = self._se
        statistic, p_value = self._wald(se)
        low, high = self._interval(se, alpha)
        p = len(self.model.names)
        columns = {
            "term": pd.Categorical.from_codes(
                np.tile(np.arange(p, dtype=np.int32), len(self)), categories=self.names
            ),
            "estimate": self.fits.estimates.ravel(),
            "std_error": se.ravel(),
            "statistic": statistic.ravel(),
            "p_value": p_value.ravel(),
            "conf_low": low.ravel(),
            "conf_high": high.ravel(),
            "infinite": self.fits.infinite.ravel(),
            "method": pd.Categorical(np.repeat(self.fits.methods, p)),
        } | self._further(p)
        return io.like_native(self._key_columns(columns), columns, self.native, repeats=p)

    def _further(self, p: int) -> dict[str, Any]:
        """Columns of `tidy` beyond those that all fits have."""
        return {}

    @understands_habits
    def glance(self) -> Any:
        """One row per segment with the scalars of its fit, in the kind of frame that came in.

        Columns: those of the segment, then under their attribute names `nobs, df_model, df_resid,
        llf, llnull, aic, bic, deviance, null_deviance, pearson_chi2, scale, status, converged,
        n_iter`, and `alpha` where a negative binomial shape was estimated. A column of the segment
        that is named like one of these has `_key` appended to its name.
        """
        scalars = self.fits.scalars
        table: dict[str, Any] = {name: scalars[field].copy() for name, field in _FIELDS.items()}
        k = self.fits.n_parameters
        table["aic"] = inference.akaike(table["llf"], k)
        table["bic"] = inference.schwarz(table["llf"], k, table["nobs"])
        table["status"] = pd.Categorical.from_codes(
            scalars["status"], categories=[status.name.lower() for status in Status]
        )
        table["converged"] = self.fits.usable
        table["n_iter"] = scalars["turns"].copy()
        columns = {name: table[name] for name in GLANCED}
        if self.fits.shaped.any():
            columns["alpha"] = scalars["alpha"].copy()
        return io.like_native(self._key_columns(columns), columns, self.native)

    # -- inside ----------------------------------------------------------------------------------

    @property
    def _se(self) -> FloatArray:
        return self.fits.covariance.standard_errors

    @property
    def _df(self) -> FloatArray | None:
        df = self.fits.covariance.df
        return None if df is None else df[:, None]

    def _wald(self, se: FloatArray) -> tuple[FloatArray, FloatArray]:
        return inference.wald(self.fits.estimates, se, self._df)

    def _interval(self, se: FloatArray, alpha: float) -> tuple[FloatArray, FloatArray]:
        return inference.interval(self.fits.estimates, se, alpha, self._df)

    def _table(self, values: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(values, index=self.keys, columns=self.names, copy=False)

    def _key_names(self, taken: Iterable[str]) -> list[str]:
        """Names of the columns of the keys beside those that a table has already."""
        used, names = set(taken), []
        for i, given in enumerate(self.keys.names):
            default = "segment" if self.keys.nlevels == 1 else f"segment_{i + 1}"
            name = default if given is None else str(given)
            while name in used:
                name += "_key"
            used.add(name)
            names.append(name)
        return names

    def _key_columns(self, taken: Iterable[str]) -> dict[str, pd.Index]:
        names = self._key_names(taken)
        return {name: self.keys.get_level_values(i) for i, name in enumerate(names)}

    def _by_term(self) -> pd.MultiIndex:
        p = len(self.model.names)
        keys = self.keys
        several = isinstance(keys, pd.MultiIndex)
        levels = list(keys.levels) if several else [keys]
        codes = list(keys.codes) if several else [np.arange(len(keys))]
        return pd.MultiIndex(
            levels=[*levels, self.names],
            codes=[*(np.repeat(code, p) for code in codes), np.tile(np.arange(p), len(keys))],
            names=[*self._key_names(["term"]), "term"],
            verify_integrity=False,
        )
