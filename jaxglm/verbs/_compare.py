"""Owns `anova` and `compare`, the verbs for fits that are there already."""

from collections.abc import Sequence
from typing import Any, Literal

from jaxglm.inference import Comparison, anova_of, by_term, compare_of, sequential
from jaxglm.results import Results
from jaxglm.words import check_choice, understands_habits

_TYPES = {1: 1, 2: 2, 3: 3, "I": 1, "II": 2, "III": 3, "1": 1, "2": 2, "3": 3}


@understands_habits
def anova(
    *models: Results,
    test: Literal["Chisq", "LRT", "F", "Rao", "Wald"] | None = None,
    type: Literal[1, 2, 3, "I", "II", "III"] = 1,
) -> Comparison:
    """Analysis of deviance of one model term by term, or of several models, as R's `anova`.

    Parameters
    ----------
    *models : Results
        Several models are each compared with the one before. They must be of the same rows,
        response, weights, family, link and choice of dispersion (`scale=`); that one has the
        columns of the other is checked, and said where it is not so.
    test : {"Chisq", "LRT", "F", "Rao", "Wald"}, optional
        "Chisq" (the same as "LRT"): the fall of the deviance over the dispersion, chi-squared;
        "F" where the dispersion is estimated; "Rao": the score statistic at the smaller model
        (its column is at dispersion 1, as in R). Left out, F where the dispersion is estimated and
        Chisq elsewhere. For types 2 and 3: "LR" (left out), "F" or "Wald".
    type : {1, 2, 3}, or "I", "II", "III"
        Of one model. 1: each term beside those before it, as `anova.glm`. 2: each term beside all
        but those that it is part of, as `a` is of `a:b`; 3: beside all others, which depends on
        the coding of factors; both as `car::Anova`, which has a row for the intercept in Wald tests
        of type 3 alone, and chi-squared in Wald tests also where the dispersion was estimated.

    Returns
    -------
    Comparison
        `table` is a frame with R's column names; it prints with what is to be said of it.

    Raises
    ------
    DataError
        For models that no test can compare (the message says what differs), for fits that hold
        their rows no longer where a refit is needed, or have no optimum.
    ValueError
        For a test that does not suit the dispersion.

    Notes
    -----
    The dispersion is `scale` of the largest model: Pearson chi2 / df_resid, or what ``scale=`` of
    `glm` asked for. All tests but Wald's are of the likelihood, in which a robust covariance has no
    part; the table says so. Where a negative binomial
    shape was estimated, one model's table holds it at its estimate, and several models (Poisson
    among them) are compared by their likelihoods; against Poisson, where the shape is on its
    boundary, the p-value is that of a half-and-half mixture (Self and Liang 1987, JASA 82).

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0, 1, 2, 3, 4, 5], "g": list("aabbab")}
    >>> small = jg.glm("y ~ x", table, family="poisson")
    >>> large = jg.glm("y ~ x + g", table, family="poisson")
    >>> jg.anova(small, large).table.round(4)
       Resid. Df  Resid. Dev   Df  Deviance  Pr(>Chi)
    1        4.0       2.297  NaN       NaN       NaN
    2        3.0       2.268  1.0     0.029    0.8648
    """
    _check("anova", models)
    number = _type(type)
    if len(models) > 1:
        if number != 1:
            raise ValueError(f"type={type} is for one model; several are compared one by one")
        return anova_of(models, test)
    (model,) = models
    if number == 1:
        return sequential(model.fit, model.model, test)
    return by_term(model.fit, model.model, number, test)


@understands_habits
def compare(*models: Results, names: Sequence[str] | None = None) -> Comparison:
    """Scalars of several fits side by side, a row for each.

    Columns are `family, link, nobs, df` (what AIC counts: coefficients, and an estimated dispersion
    or shape), `llf, aic, bic, deviance, scale` and `pseudo_r2`, McFadden's ``1 - llf / llnull``.

    Parameters
    ----------
    *models : Results
        Not necessarily nested, nor of one family.
    names : sequence of str, optional
        Of the rows; m1, m2, ... when left out.

    Returns
    -------
    Comparison

    Warns
    -----
    DataWarning
        Where AIC and likelihoods cannot be compared: other rows, another response, a quasi family.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
    >>> fits = [jg.glm("y ~ x", table, family) for family in ("poisson", "gaussian")]
    >>> jg.compare(*fits, names=["count", "normal"]).table[["df", "aic", "pseudo_r2"]].round(2)
            df    aic  pseudo_r2
    count    2  21.32       0.42
    normal   3  22.69       0.42
    """
    _check("compare", models)
    return compare_of(models, names)


def _type(given: Any) -> int:
    """The type of sums of squares, as a number or as car has it."""
    key = given.strip().upper() if isinstance(given, str) else given
    check_choice("type", key, _TYPES)
    return _TYPES[key]


def _check(verb: str, models: Sequence[Any]) -> None:
    if not models:
        raise TypeError(f"{verb}() needs results of fits: {verb}(m1, m2)")
    for model in models:
        if not isinstance(model, Results):
            raise TypeError(
                f"{verb}() takes results of fits, what glm() returns, one after the other; "
                f"{model!r:.60} is of type {type(model).__name__}."
            )
