"""Owns the verb that reads a saved result.

Nothing in the file is unpickled or evaluated, and nothing it says is taken on trust.
"""

from collections.abc import Callable, Mapping
from os import PathLike
from typing import Any

import numpy as np

from jaxglm._schema import Damaged, read
from jaxglm._status import DataError, Status
from jaxglm.algebra import Relations
from jaxglm.diagnostics import RowFacts
from jaxglm.families import NegativeBinomial
from jaxglm.intake import Model
from jaxglm.io import keys_from_arrays
from jaxglm.lanes import SCALARS, Fits, Words
from jaxglm.results import GroupResults, ResponseResults, Results
from jaxglm.results._archive import read_archive
from jaxglm.results._file import (
    AT_LIMIT,
    FORMAT,
    KEYS,
    READABLE,
    RELATIONS,
    SCALAR,
    SavedCovariance,
    SavedGroups,
    SavedModel,
)
from jaxglm.search import Fit
from jaxglm.verbs._saved_fit import (
    Arrays,
    check_coefficients,
    covariance_of,
    facts_of,
    relations_of,
    relations_of_many,
    scalars_of,
)
from jaxglm.verbs._saved_model import family_of, model_of, own_fields
from jaxglm.verbs._saved_numbers import check_consistent, check_facts, check_ranges, check_words


def load(
    path: str | PathLike[str],
    *,
    family: Any = None,
    context: Mapping[str, Callable] | None = None,
) -> Results | GroupResults | ResponseResults:
    """Read what `save` of a result wrote. It holds no data of the fit.

    Parameters
    ----------
    path : str or path
        The file.
    family : Family, optional
        Needed when the model had a family or link of your own, or a variance given as a function:
        code is never stored.
    context : mapping, optional
        The functions of your own that the formula calls, by name.

    Returns
    -------
    Results, GroupResults or ResponseResults
        As it was saved.

    Raises
    ------
    DataError
        When `path` is none; when the file is no saved result, is damaged (the message names the
        field), of a newer format, needs `family`, or holds labels of a package that is not
        installed.

    Examples
    --------
    >>> import tempfile
    >>> import jaxglm as jg
    >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     jg.glm("y ~ x", table, family="poisson").save(f"{folder}/fit")
    ...     fit = jg.load(f"{folder}/fit")
    >>> fit.predict({"x": [6.0]}).round(2).to_list()
    [14.06]
    """
    header, found = read_archive(path)
    if not isinstance(header, dict) or "format" not in header:
        raise DataError(f"{path} is not a result saved by jaxglm: its header is another one.")
    if header["format"] not in READABLE:
        raise DataError(
            f"{path} has format {str(header['format'])[:40]}, this jaxglm reads up to {FORMAT}: "
            "read it with the version that wrote it, or a later one."
        )
    try:
        return _results(header, Arrays(found), family, context, path)
    except Damaged as error:
        raise DataError(f"{path} is damaged, or not a result saved by jaxglm: {error}.") from error


def _results(
    header: dict[str, Any], arrays: Arrays, family: Any, context: Any, path: Any
) -> Results | GroupResults | ResponseResults:
    of, link = (own_fields(header.get(name), name) for name in ("family", "link"))
    saved = read(header.get("model"), SavedModel, "model")
    model = model_of(saved, family_of(of, link, family, path), context)
    covariance, base = (
        read(header.get(name), SavedCovariance | None, name)
        for name in ("covariance", "base_covariance")
    )
    if "groups" in header:
        groups = read(header["groups"], SavedGroups, "groups")
        return _many(groups, model, covariance, base, arrays, path)
    p, scalars = len(model.names), scalars_of(header.get("fit"))
    numbers = {name: np.asarray(v) for name, v in scalars.items() if v is not None}
    check_ranges(numbers, "fit.")
    df = None if model.family.dispersion_fixed else scalars["df_resid"]
    at_limit = relations_of(arrays, AT_LIMIT, p) or Relations.none()
    fit = Fit(
        coef=arrays.take("coef", (p,), "f"),
        covariance=covariance_of(
            arrays, (), p, covariance, base, scalars["scale"], df, at_limit.involved(p)
        ),
        relations=relations_of(arrays, RELATIONS, p),
        relations_at_limit=at_limit,
        **scalars,
    )
    _check_shape(model, fit.alpha is not None)
    if fit.alpha is None and fit.alpha_se is not None:
        raise Damaged("fit.alpha_se", "is the error of no alpha")
    check_words(fit.method, fit.stopped_by, "fit.")
    check_consistent(numbers, fit.covariance, model, "fit.")
    if Status(fit.status).usable:
        check_coefficients(fit.coef, fit.aliased)
    facts = read(header.get("row_facts"), RowFacts | None, "row_facts")
    if facts is not None:
        check_facts(facts, "row_facts")
    return Results(fit, model, facts)


def _many(
    saved: SavedGroups,
    model: Model,
    covariance: SavedCovariance | None,
    base: SavedCovariance | None,
    arrays: Arrays,
    path: Any,
) -> GroupResults | ResponseResults:
    try:
        keys = keys_from_arrays(saved.keys, arrays.beginning(KEYS))
    except ImportError as error:
        raise DataError(
            f"{path} holds labels of a package that is not installed: {error}."
        ) from error
    except Exception as error:  # pandas has no list of what it raises on arrays of any kind
        raise Damaged("groups.keys", f"are no labels of segments: {error}") from error
    count, p = len(keys), len(model.names)
    if not keys.is_unique:
        raise Damaged("groups.keys", "are there twice")
    scalars = {
        # A decrement may be infinite, and so may the deviance of some quasi families.
        name: arrays.take(SCALAR + name, (count,), "f" if kind is float else "i", finite=False)
        for name, kind in SCALARS.items()
    }
    check_ranges(scalars, "scalars.")
    words = {g: Words(method, by, notes) for g, method, by, notes in saved.words}
    if not set(words) <= set(range(count)):
        raise Damaged("groups.words", "are of fits that are not there")
    df = None if model.family.dispersion_fixed else scalars["df_resid"]
    flags = {name: arrays.take(name, (count, p), "b") for name in ("absent", "baseless")}
    # The first files do not say which columns are of levels: as they were told then, all.
    of_levels = arrays.take("of_levels", (p,), "b") if "of_levels" in arrays else np.ones(p, bool)
    at_limit = relations_of_many(arrays, AT_LIMIT, count, p) or {}
    involved = np.zeros((count, p), bool)
    for g, own in at_limit.items():
        involved[g] = own.involved(p)
    fits = Fits(
        coef=arrays.take("coef", (count, p), "f"),
        covariance=covariance_of(
            arrays, (count,), p, covariance, base, scalars["scale"], df, involved
        ),
        shaped=arrays.take("shaped", (count,), "b"),
        scalars=scalars,
        words=words,
        usual=Words(*saved.usual),
        relations=relations_of_many(arrays, RELATIONS, count, p),
        relations_at_limit=at_limit,
        of_levels=of_levels,
        **flags,
    )
    _check_shape(model, bool(fits.shaped.any()))
    if not np.isnan([scalars[name][~fits.shaped] for name in ("alpha", "alpha_se")]).all():
        raise Damaged("scalars.alpha", "is there where none was estimated")
    said = [words[g] for g in words if fits.fitted[g]]
    if fits.fitted.sum() > len(said):
        said.append(fits.usual)
    for one in said:
        check_words(one.method, one.stopped_by, "groups.words.")
    check_consistent(scalars, fits.covariance, model, "scalars.")
    check_coefficients(fits.coef[fits.usable], fits.aliased[fits.usable])
    refused = (scalars["status"] == Status.INVALID).nonzero()[0].tolist()
    if not all(g in words and words[g].notes for g in refused):
        raise Damaged("groups.words", "do not say why a fit failed")
    kinds: dict[str, Any] = {kind.unit: kind for kind in (GroupResults, ResponseResults)}
    if saved.of not in kinds:
        raise Damaged("groups.of", "is neither segments nor responses")
    facts = facts_of(saved, count)
    return kinds[saved.of](fits, model, keys, None, saved.native, saved.notes, facts)


def _check_shape(model: Model, estimated: bool) -> None:
    if estimated and not isinstance(model.family, NegativeBinomial):
        raise Damaged("alpha", f"is estimated, and the {model.family.name} family has none")
