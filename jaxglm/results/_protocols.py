"""Owns what other packages look for in a result under names of their own."""

from typing import Any

import numpy as np
import pandas as pd

from jaxglm.results._quality import Quality

# What maketables calls the scalars of a fit.
_SCALARS = {
    "N": "nobs",
    "r2": "rsquared",
    "pseudo_r2": "prsquared",
    "ll": "llf",
    "llnull": "llnull",
    "aic": "aic",
    "bic": "bic",
    "deviance": "deviance",
    "null_deviance": "null_deviance",
    "df_model": "df_model",
    "df_resid": "df_resid",
}


class Protocols(Quality):
    """A part of `Results`: maketables' plug-in format, https://py-econometrics.github.io/maketables.

    Up to 0.2, maketables takes whatever has `params`, `bse` and `pvalues` for statsmodels' before
    it looks for this format; statsmodels' names give the same table.
    """

    @property
    def prsquared(self) -> float:
        """`pseudo_rsquared()`, McFadden's, as statsmodels calls it; nan where it has no meaning."""
        try:
            return self.pseudo_rsquared()
        except ValueError:
            return np.nan

    @property
    def __maketables_coef_table__(self) -> pd.DataFrame:
        low, high = self._interval(0.05)
        lowest, highest = self._interval(0.10)
        columns = {
            "b": self.params,
            "se": self.bse,
            "t": self.tvalues,
            "p": self.pvalues,
            "ci95l": low,
            "ci95u": high,
            "ci90l": lowest,
            "ci90u": highest,
        }
        return pd.DataFrame(columns, index=pd.Index(self.names, name="Coefficient"))

    def __maketables_stat__(self, key: str) -> Any:
        return getattr(self, _SCALARS[key]) if key in _SCALARS else None

    @property
    def __maketables_depvar__(self) -> str:
        return self.endog_names

    @property
    def __maketables_vcov_info__(self) -> dict[str, Any]:
        return {"vcov_type": self.fit.covariance.kind, "clustervar": None}

    @property
    def __maketables_default_stat_keys__(self) -> list[str]:
        return ["N", "pseudo_r2" if np.isfinite(self.prsquared) else "r2"]
