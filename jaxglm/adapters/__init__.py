"""Results in the form that other packages ask for; each is imported when it is first needed."""

from typing import TYPE_CHECKING, Any

from jaxglm.results import GroupResults, ResponseResults, Results

if TYPE_CHECKING:
    from jaxglm.adapters._marginaleffects import MarginalEffectsModel

__all__ = ["marginaleffects"]


def marginaleffects(
    result: Results, data: Any, *, offset: Any = None, exposure: Any = None
) -> "MarginalEffectsModel":
    """A result as a model of the package marginaleffects.

    What it returns is what ``marginaleffects.predictions``, ``comparisons``, ``slopes``, their
    averages, ``hypotheses``, ``datagrid`` and the plots take as their first argument::

        import marginaleffects as me

        fit = jg.glm("events ~ ns(dose, df=3) + arm", df, family="poisson")
        model = jg.adapters.marginaleffects(fit.robust("HC1"), df)
        me.avg_slopes(model, variables="dose")
        me.avg_comparisons(model, variables="arm")

    Errors and intervals rest on the covariance of the result, and on Student's t where the result
    does; ``vcov="HC3"`` there asks the result for another. Factors have the levels of the fit, in
    its order. Needs ``pip install marginaleffects``.

    Parameters
    ----------
    result : Results
        Of a formula, with an optimum. Aliased columns have no part in it: a row that the fit does
        not determine is nan, with a warning.
    data : table
        The rows to average over where no ``newdata=`` is given there, and the values that grids
        are made of: the table of the fit, as a rule. Rows that miss a value are left out. Rows
        count once, whatever their weight in the fit; ``wts="column"`` there gives them another.
    offset, exposure : column name or number, optional
        As for `Results.predict`, where the fit was given one outside the formula.

    Returns
    -------
    MarginalEffectsModel

    Raises
    ------
    ImportError
        When marginaleffects is not installed.
    TypeError
        For results of many fits.
    DataError
        For a model of arrays, a fit without an optimum (separation among them), and `data` that
        lack what the formula needs.
    """
    if isinstance(result, GroupResults | ResponseResults):
        raise TypeError(
            "marginaleffects has one model at a time, and these are the results of many: give one "
            "of them, fits[key]"
        )
    if not isinstance(result, Results):
        raise TypeError(f"a result of jaxglm is needed, not a {type(result).__name__}")
    try:
        from jaxglm.adapters._marginaleffects import MarginalEffectsModel
    except ModuleNotFoundError as error:
        raise ImportError(
            f"this is a way into the package marginaleffects, and {error.name} is not installed "
            "(pip install marginaleffects)"
        ) from error
    return MarginalEffectsModel(result, data, offset, exposure)
