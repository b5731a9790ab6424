"""Owns the summary of a result: what stands in it and in which order."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from jaxglm.inference import Estimates
from jaxglm.intake import WEIGHTS
from jaxglm.report import _render
from jaxglm.report._render import Pairs, Sheet
from jaxglm.words import aligned, count, measure, p_value, row, statistic


class Summary:
    """A printable summary: `str()` and `as_text()` for terminals, HTML for notebooks, LaTeX.

    Attributes
    ----------
    sheet : Sheet
        The content, free of any format.
    """

    def __init__(self, sheet: Sheet):
        self.sheet = sheet

    def as_text(self) -> str:
        """Plain text, aligned for a fixed-width font."""
        return _render.text(self.sheet)

    def as_html(self) -> str:
        """An HTML fragment without scripts or outside styles."""
        return _render.html(self.sheet)

    def as_latex(self) -> str:
        """A LaTeX `tabular` pair that needs no package."""
        return _render.latex(self.sheet)

    def __str__(self) -> str:
        return self.as_text()

    def __repr__(self) -> str:
        return self.as_text()

    def _repr_html_(self) -> str:
        return self.as_html()


def summarise(
    estimates: Estimates, notes: Sequence[str], alpha: float, max_rows: int | None
) -> Summary:
    """Put together the summary of estimates with notes below; see `Results.summary`."""
    interval = estimates.conf_int(alpha)
    names, cut = estimates.names, []
    folded = _folded(estimates)
    every = np.flatnonzero(~np.isin(np.arange(len(names)), list(folded)))
    shown = every if max_rows is None else every[:max_rows]
    if shown.size < every.size:
        cut = [
            f"The first {shown.size} of {every.size} coefficients; summary(max_rows=None) and "
            "tidy() have all of them."
        ]
    coef, se, z, p, low, high = (
        values.to_numpy()
        for values in (
            estimates.params,
            estimates.bse,
            estimates.tvalues,
            estimates.pvalues,
            interval[0],
            interval[1],
        )
    )
    letter = "t" if estimates.use_t else "z"
    written: list[list[str]] = []
    fit = estimates.fit
    unsaid = fit.aliased | fit.infinite | fit.covariance.open
    for j in shown:
        if unsaid[j]:
            word = "aliased" if fit.aliased[j] else str(float(coef[j]))
            written.append([word, *[""] * 5])
            continue
        if np.isnan(se[j]) and np.isfinite(coef[j]):  # a lasso has no standard errors
            written.append([*row(np.nan, [coef[j]]), *[""] * 5])
            continue
        centre, spread, *ends = row(se[j], [coef[j], se[j], low[j], high[j]])
        written.append([centre, spread, statistic(z[j]), p_value(p[j]), *ends])
    terms = estimates.model.strengths
    written += [[f"edf {one.edf:.2f}", *[""] * 5] for one in terms]
    if terms:
        cut.append("smooth_terms has what was estimated of terms with edf, and params all of them.")
    columns = [aligned(column) for column in zip(*written, strict=True)]
    return Summary(
        Sheet(
            title="Generalized linear model",
            subtitle=estimates.model.formula or "",
            header=_header(estimates),
            columns=(
                "coef",
                "std err",
                letter,
                f"P>|{letter}|",
                f"[{alpha / 2:.4g}",
                f"{1 - alpha / 2:.4g}]",
            ),
            names=(*(names[j] for j in shown), *(one.term for one in terms)),
            rows=tuple(zip(*columns, strict=True)),
            notes=(*cut, *notes),
        )
    )


def _folded(estimates: Estimates) -> set[int]:
    """Columns of terms that have one line together."""
    where, model = dict(estimates.model.terms), estimates.model
    return {
        j for one in model.strengths for j in range(where[one.term].start, where[one.term].stop)
    }


def _header(estimates: Estimates) -> tuple[Pairs, Pairs]:
    """The facts of the left and of the right column."""
    family, fit, model = estimates.family, estimates.fit, estimates.model
    turns = f"{estimates.n_iter} turn{'' if estimates.n_iter == 1 else 's'}"
    left = [
        ("Response", model.y_name if model.event is None else f"{model.y_name} = {model.event}"),
        ("Family", _family_name(estimates)),
        ("Link", family.link.name),
        ("Method", f"{estimates.method}, {turns}"),
        ("Converged", "yes" if estimates.converged else f"NO ({estimates.status.name.lower()})"),
        ("Observations", count(estimates.nobs)),
        ("Df residual", _degrees(estimates.df_resid)),
        ("Df model", _degrees(estimates.df_model)),
    ]
    likelihood = [("Log-likelihood", estimates.llf), ("AIC", estimates.aic), ("BIC", estimates.bic)]
    right = [
        (label, measure(value) if family.has_likelihood else "none (quasi)")
        for label, value in likelihood
    ]
    right += [
        ("Deviance", measure(estimates.deviance)),
        ("Null deviance", measure(estimates.null_deviance)),
        ("Pearson chi2", measure(estimates.pearson_chi2)),
        ("Scale", _scale(estimates)),
    ]
    if fit.alpha is not None:
        error = "" if fit.alpha_se is None else f" (se {fit.alpha_se:.3g})"
        right.append(("Alpha = 1/theta", f"{fit.alpha:.5g}{error}"))
    if fit.covariance.kind != "nonrobust":
        left.append(("Covariance", fit.covariance.kind))
    if model.penalty:
        left.append(("Penalty", model.penalty))
    used = [name for name in WEIGHTS if name in model.used]
    if used:
        (left if len(left) < len(right) else right).append(("Uses", ", ".join(used)))
    return tuple(left), tuple(right)


def _degrees(df: float) -> str:
    """Degrees of freedom, which a penalty makes fractional."""
    return count(df) if df == round(df) or not np.isfinite(df) else f"{df:.2f}"


def _scale(estimates: Estimates) -> str:
    if estimates.family.dispersion_fixed and estimates.scale == 1.0:
        return "1 (fixed)"
    return measure(estimates.scale) if estimates.df_resid > 0 else "undefined"


def _family_name(estimates: Estimates) -> str:
    """The name with the parameters that were given, not those that were estimated."""
    family = estimates.family
    given = [
        f"{value:g}" if isinstance(value, float | int) else value
        for field in dataclasses.fields(family)
        if isinstance(value := getattr(family, field.name), float | int | str)
    ]
    if not given or estimates.fit.alpha is not None:
        return family.name
    return f"{family.name}({', '.join(given)})"
