"""Owns `result.plot`: the plots of this room as methods of what they are of."""

from collections.abc import Callable
from types import MethodType
from typing import Any, Concatenate, Generic, NoReturn, ParamSpec, Self, overload

from jaxglm.plots import (
    _coefficients,
    _leverage,
    _many,
    _overview,
    _partial_effect,
    _partial_residuals,
    _predictions,
    _profile,
    _quantiles,
    _residuals,
)
from jaxglm.plots._asked import Fitted, ManyFitted
from jaxglm.plots._plot import Plot
from jaxglm.words import near_text

P = ParamSpec("P")


class _Of(Generic[P]):
    """A function of a result as a method of the accessor that holds the result."""

    def __init__(self, function: Callable[Concatenate[Any, P], Plot]):
        self._function = function
        # The first line, for `help(result.plot)`; the bound function has it all.
        self.__doc__ = (function.__doc__ or "").partition("\n")[0]

    @overload
    def __get__(self, accessor: None, owner: type) -> Self: ...

    @overload
    def __get__(self, accessor: Any, owner: type) -> Callable[P, Plot]: ...

    def __get__(self, accessor: Any, owner: type) -> Any:
        return self if accessor is None else MethodType(self._function, accessor._of)


class FitPlots:
    """Plots of one fit: ``result.plot()`` draws four, and each method one."""

    def __init__(self, of: Fitted):
        self._of = of

    def __call__(self, *, seed: int = 0, axes: Any = None) -> dict[str, Plot]:
        """Draw residuals, their quantiles, their size, and leverage; see `plots.overview`."""
        return _overview.overview(self._of, seed=seed, axes=axes)

    coefficients = _Of(_coefficients.coefficients)
    ratios = _Of(_coefficients.ratios)
    residuals = _Of(_residuals.residuals)
    qq = _Of(_quantiles.qq)
    scale_location = _Of(_residuals.scale_location)
    leverage = _Of(_leverage.leverage)
    calibration = _Of(_predictions.calibration)
    roc = _Of(_predictions.roc)
    lift = _Of(_predictions.lift)
    lorenz = _Of(_predictions.lorenz)
    partial_effect = _Of(_partial_effect.partial_effect)
    partial_residuals = _Of(_partial_residuals.partial_residuals)
    profile = _Of(_profile.profile)

    def __getattr__(self, name: str) -> NoReturn:
        _no_plot(self, name, ManyPlots, "jaxglm.fit_groups and jaxglm.fit_responses", "fits")

    def __repr__(self) -> str:
        return _said(self)


class ManyPlots:
    """Plots of many fits of one model, each a method."""

    def __init__(self, of: ManyFitted):
        self._of = of

    segments = _Of(_many.segments)
    funnel = _Of(_many.funnel)

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Say that four plots at once are of one fit.

        Raises
        ------
        TypeError
        """
        raise TypeError(
            "plot() draws four plots of one fit, results[key].plot(); of many fits there are "
            f"{', '.join(_names(type(self)))}"
        )

    def __getattr__(self, name: str) -> NoReturn:
        _no_plot(self, name, FitPlots, "a single fit", "results[key]")

    def __repr__(self) -> str:
        return _said(self)


def _names(plots: type) -> list[str]:
    return [name for name, value in vars(plots).items() if isinstance(value, _Of)]


def _said(accessor: Any) -> str:
    return f"<plots of {accessor._of!r}: {', '.join(_names(type(accessor)))}>"


def _no_plot(accessor: Any, name: str, others: type, of: str, where: str) -> NoReturn:
    """What is said of a plot that there is not here; `where` are the `others`.

    Raises
    ------
    AttributeError
    """
    if name in _names(others):
        words = f"plot.{name} is a plot of {of}: write {where}.plot.{name}(...)"
    else:
        words = f"there is no plot.{name}; {near_text(name, _names(type(accessor)))}"
    raise AttributeError(words, name=name, obj=accessor)
