"""Owns the summary of a result: what stands in it, and how its numbers are written.

Imports `_render`; reads a result through its public attributes.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from jaxglm import _render
from jaxglm._render import Sheet

if TYPE_CHECKING:
    from jaxglm.results import Results


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


def summarise(results: "Results", alpha: float, max_rows: int | None) -> Summary:
    """Put together the summary of a result; see `Results.summary`."""
    interval = results.conf_int(alpha)
    names, notes = results.names, list(results.notes)
    shown = len(names) if max_rows is None else min(len(names), max_rows)
    if shown < len(names):
        notes.insert(
            0,
            f"The first {shown} of {len(names)} coefficients; summary(max_rows=None) and tidy() "
            "have all of them.",
        )
    columns = [
        quantities(results.params.to_numpy()[:shown]),
        quantities(results.bse.to_numpy()[:shown]),
        [statistic(x) for x in results.tvalues.to_numpy()[:shown]],
        [p_value(x) for x in results.pvalues.to_numpy()[:shown]],
        *bounds(interval[0].to_numpy()[:shown], interval[1].to_numpy()[:shown]),
    ]
    letter = "t" if results.use_t else "z"
    rows = [list(row) for row in zip(*columns, strict=True)]
    for j in np.flatnonzero(results.fit.aliased[:shown]):
        rows[j] = ["aliased", "", "", "", "", ""]
    for j in np.flatnonzero(results.fit.infinite[:shown]):
        rows[j] = ["inf" if results.fit.coef[j] > 0 else "-inf", "", "", "", "", ""]
    return Summary(
        Sheet(
            title="Generalized linear model",
            subtitle=results.model.formula or "",
            header=_header(results),
            columns=(
                "coef",
                "std err",
                letter,
                f"P>|{letter}|",
                f"[{alpha / 2:.4g}",
                f"{1 - alpha / 2:.4g}]",
            ),
            names=tuple(names[:shown]),
            rows=tuple(tuple(row) for row in rows),
            notes=tuple(notes),
        )
    )


def _header(results: "Results") -> tuple[tuple[str, str], ...]:
    """Labels and values, read down the left column and then down the right one."""
    family, fit, model = results.family, results.fit, results.model
    response = str(model.y_name)
    if model.event is not None:
        response += f" = {model.event}"
    how_scale = "fixed" if family.dispersion_fixed else "Pearson"
    turns = f"{results.n_iter} turn{'' if results.n_iter == 1 else 's'}"
    left = [
        ("Response", response),
        ("Family", family.name),
        ("Link", family.link.name),
        ("Method", f"{results.method}, {turns}"),
        ("Converged", "yes" if results.converged else f"NO ({results.status.name.lower()})"),
        ("Observations", scalar(results.nobs)),
        ("Df residual", scalar(results.df_resid)),
        ("Df model", scalar(results.df_model)),
    ]
    right = [
        ("Log-likelihood", scalar(results.llf)),
        ("AIC", scalar(results.aic)),
        ("BIC", scalar(results.bic)),
        ("Deviance", scalar(results.deviance)),
        ("Null deviance", scalar(results.null_deviance)),
        ("Pearson chi2", scalar(results.pearson_chi2)),
        ("Scale", f"{scalar(results.scale)} ({how_scale})"),
    ]
    weights = [name for name in ("freq_weights", "var_weights", "trials") if name in model.used]
    weights += [name for name in ("offset", "exposure") if name in model.used]
    if fit.alpha is not None:
        error = "" if fit.alpha_se is None else f" (se {fit.alpha_se:.3g})"
        right.append(("Alpha = 1/theta", f"{fit.alpha:.5g}{error}"))
    elif weights:
        right.append(("Uses", ", ".join(weights)))
        weights = []
    else:
        right.append(("Covariance", "expected information"))
    if weights:
        right.append(("Uses", ", ".join(weights)))
    return tuple(left), tuple(right)


def scalar(x: float) -> str:
    """A number of the header: whole numbers in full, others to eight digits.

    Examples
    --------
    >>> scalar(336776.0), scalar(-1234.56789), scalar(float("nan"))
    ('336776', '-1234.5679', 'nan')
    """
    x = float(x)
    if math.isfinite(x) and x == round(x) and abs(x) < 1e15:
        return str(int(x))
    return f"{x:.8g}"


def _decimals(sizes: Sequence[float]) -> int:
    """Decimals that show four digits of the smallest size, but no more than six."""
    exponents = [math.floor(math.log10(s)) for s in sizes]
    return min(6, max(0, 3 - min(exponents)))


def _is_plain(x: float) -> bool:
    return 1e-4 <= abs(x) < 1e6


def quantities(values: np.ndarray) -> list[str]:
    """A column of numbers of one kind: common decimals, or powers of ten where those would not do.

    Examples
    --------
    >>> quantities(np.array([1.5, -0.25, 1e-12, 3e11, 0.0]))
    ['1.5000', '-0.2500', '1.000e-12', '3.000e+11', '0.0000']
    """
    decimals = _decimals([abs(x) for x in values if _is_plain(x)] or [1.0])
    return [_write(x, decimals) for x in values]


def bounds(low: np.ndarray, high: np.ndarray) -> tuple[list[str], list[str]]:
    """The two ends of intervals, with one number of decimals for both."""
    width = [abs(x) for x in [*low, *high, *(high - low)] if _is_plain(x)]
    decimals = min(_decimals(width or [1.0]), _decimals([max(width or [1.0]), 1.0]) + 1)
    return [_write(x, decimals) for x in low], [_write(x, decimals) for x in high]


def _write(x: float, decimals: int) -> str:
    if x == 0 or not math.isfinite(x):
        return f"{x:.{decimals}f}" if x == 0 else str(float(x))
    if _is_plain(x):
        return f"{x:.{decimals}f}"
    return f"{x:.3e}"


def statistic(x: float) -> str:
    """A z or t value.

    Examples
    --------
    >>> statistic(-1.23456), statistic(1.5e7)
    ('-1.235', '1.500e+07')
    """
    return f"{x:.3f}" if not abs(x) >= 1e6 else f"{x:.3e}"


def p_value(p: float) -> str:
    """A p-value: three decimals, or two digits and a power of ten below 0.001.

    Examples
    --------
    >>> p_value(0.0234), p_value(5.5066e-89), p_value(0.0)
    ('0.023', '5.5e-89', '<1e-300')
    """
    if math.isnan(p):
        return "nan"
    if p < 1e-300:
        return "<1e-300"
    return f"{p:.3f}" if p >= 0.001 else f"{p:.1e}"
