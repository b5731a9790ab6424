"""Owns what the package marginaleffects asks of a model; imported only where that is wanted."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from marginaleffects.classes import ModelAbstract, ModelVault

from jaxglm import io
from jaxglm._status import DataError
from jaxglm.diagnostics import means
from jaxglm.intake import as_table
from jaxglm.results import Results
from jaxglm.words import listed

# A mean depends on the link alone, and marginaleffects differentiates it where it knows the link
# beside the family: for each link a family that it knows it with.
_FAMILY_OF_LINK = {
    "identity": "gaussian",
    "inverse": "gaussian",
    "log": "poisson",
    "sqrt": "poisson",
    "logit": "binomial",
    "probit": "binomial",
    "cloglog": "binomial",
}


class MarginalEffectsModel(ModelAbstract):
    """A result and its table, made by `jaxglm.adapters.marginaleffects`."""

    def __init__(self, result: Results, data: Any, offset: Any, exposure: Any):
        own = result.model
        self._kept = ~np.asarray(result.fit.aliased)
        self._beside = {"offset": offset, "exposure": exposure}
        _refuse(result, self._beside)
        assert own.formula is not None and own.spec is not None
        params = result.params[self._kept]
        read = io.columns_read(own.formula, own.spec)
        frame = _frame(data, read, self._beside)
        own.new_design(frame.head(1), **self._beside)  # it names what is missing
        predictors = [name for name in read.predictors if name in frame.columns]
        response = next((n for n in read.response if n in frame.columns), own.y_name)
        others = [name for name in read.offset if name in frame.columns]
        vault = ModelVault(
            coef=params.to_numpy(),
            coefnames=params.index.to_numpy(dtype=object),
            # Not ours, which is no formula of theirs: the names whose gaps leave a row out.
            formula="~ " + (" + ".join(f"`{name}`" for name in [*predictors, *others]) or "1"),
            modeldata=frame,
            package="jaxglm",
            variable_names=[response, *predictors],
            variables_type={
                name: _type(frame[name], name in read.factors)
                for name in dict.fromkeys([response, *predictors, *others])
                if name in frame.columns
            },
        )
        super().__init__(result, vault)

    def validation(self) -> None:
        """Leave out theirs, which guesses from a formula and a table what is known here."""
        self.coef = self.vault.coef
        self.formula = self.vault.formula
        self.response_name = self.vault.variable_names[0]

    @property
    def df_resid(self) -> float:
        """Degrees of freedom of the reference distribution; inf for the normal."""
        df = self.model.fit.covariance.df
        return np.inf if df is None else float(df)

    def get_df(self) -> float:
        """Those of a joint test of F.

        Raises
        ------
        NotImplementedError
            Where variables and coefficients are not one to one: joint tests of marginaleffects
            take one for the other by position.
        """
        predictors = self.vault.variable_names[1:]
        if [*self.vault.coefnames] not in (predictors, ["Intercept", *predictors]):
            raise NotImplementedError(
                "hypotheses(joint=...) finds coefficients by the position of variables, and here a "
                "variable has several coefficients or another name: it would test others than you "
                "mean. Use result.wald_test(...)."
            )
        return self.df_resid if self.model.use_t else self.model.df_resid

    def get_vcov(self, vcov: Any = True) -> np.ndarray | None:
        """The covariance of the coefficients, or of another kind as `Results.robust` has it."""
        if vcov is None or vcov is False:
            return None
        if vcov is not True and not isinstance(vcov, str):
            raise ValueError(
                f"vcov must be True, False, a kind as 'HC3' or a matrix, not {vcov!r}. For "
                "clusters give the result that has them: "
                "jaxglm.adapters.marginaleffects(result.robust(cluster=...), data)."
            )
        result = self.model if vcov is True else self.model.robust(vcov)
        return result.cov_params().to_numpy()[np.ix_(self._kept, self._kept)]

    def get_exog(self, newdata: pl.DataFrame) -> np.ndarray:
        """The columns [n, k] of the coefficients, and those of an offset behind them."""
        columns, shift, missing, _ = self.model.model.new_design(newdata, **self._beside)
        X = as_table(columns, self.model.names, None, missing).to_numpy()
        if not self._kept.all():
            X = X[:, self._kept]
            eta = self.model.predict(newdata, "linear", **self._beside)
            X[np.isnan(eta)] = np.nan  # not determined: aliased columns differ from the fit's
        return X if shift is None else np.column_stack([X, shift])

    def get_predict(self, params: np.ndarray, newdata: np.ndarray) -> pl.DataFrame:
        """Means of rows that `get_exog` made, at other coefficients."""
        k = len(params)
        eta = newdata[:, :k] @ params + newdata[:, k:].sum(axis=1)
        rows = pl.Series(range(len(eta)), dtype=pl.Int32)
        return pl.DataFrame({"rowid": rows, "estimate": means(self.model.family, eta)})

    def get_autodiff_args(self) -> dict[str, str] | str:
        """What is differentiated exactly; a text says why not, and differences are taken."""
        link = self.model.family.link.name
        if self.model.model.used & {"offset", "exposure"} or self.model.model.spec.offsets:
            return "models with offset or exposure"
        if link not in _FAMILY_OF_LINK:
            return f"link '{link}'"
        return {"model_type": "glm", "family": _FAMILY_OF_LINK[link], "link": link}


def _refuse(result: Results, beside: dict[str, Any]) -> None:
    """Refuse what cannot be a model there."""
    if result.model.spec is None:
        raise DataError(
            "this is a model of arrays: marginaleffects changes variables of a table, and only a "
            "formula says which columns of X follow from a variable. Fit with glm(formula, data)."
        )
    if not result.converged:
        raise DataError(
            "marginaleffects derives all that it says from an optimum with finite coefficients, "
            f"and this fit has none. {result.status.message}"
        )
    for name, given in beside.items():
        if np.ndim(given):
            raise DataError(
                f"{name}= must be the name of a column or one number: values beside the table do "
                "not follow its rows where marginaleffects repeats and changes them."
            )


def _frame(data: Any, read: io.ColumnsRead, beside: dict[str, Any]) -> pl.DataFrame:
    """The table in polars, without the rows that miss a value that the model reads.

    Labels are an Enum in the order of the fit's levels: the first is what others are compared with.
    """
    table = io.read_table(data)
    table = table.load(table.names)
    frame = pl.DataFrame([_column(table, name) for name in table.names])
    frame = frame.with_columns(pl.selectors.float().fill_nan(None))
    used = [*read.response, *read.predictors, *read.offset, *beside.values()]
    used = [name for name in dict.fromkeys(used) if name in frame.columns]
    frame = frame.drop_nulls(used) if used else frame
    if frame.is_empty():
        raise DataError(f"data has no row with a value in each of {listed(used, 9)}")
    for name in read.predictors:
        if name in frame.columns and _holds_labels(frame[name]):
            labels = frame[name].cast(pl.String)
            levels = [str(level) for level in read.factors.get(name, ())]
            levels += sorted(set(labels.unique()) - set(levels))
            frame = frame.with_columns(labels.cast(pl.Enum(levels)).alias(name))
    return frame


def _column(table: io.Table, name: str) -> pl.Series:
    values = table.native_named(name)
    try:
        # By way of pandas what a dict holds may be any list, with nan or None where there is a gap.
        return pl.Series(name, pd.Series(values) if table.native == "dict" else values)
    except Exception as error:  # Arrow's, where a column holds values of several kinds
        raise DataError(
            f"column {name!r} does not go into a polars table, which marginaleffects works with "
            f"({error}); convert it, or give the data without it"
        ) from error


def _holds_labels(values: pl.Series) -> bool:
    return values.dtype in (pl.String, pl.Categorical, pl.Enum)


def _type(values: pl.Series, is_factor: bool) -> str:
    """How marginaleffects changes a variable: by level, from 0 to 1, or by a step."""
    if values.dtype == pl.Boolean:
        return "boolean"
    if is_factor or _holds_labels(values):
        return "character"
    if not values.dtype.is_numeric():
        return "unknown"
    if ((values == 0) | (values == 1)).all():
        return "binary"
    return "integer" if values.dtype.is_integer() else "numeric"
