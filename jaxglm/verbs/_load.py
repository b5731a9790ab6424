"""Owns the verb that reads a saved result; it only ever makes objects of classes named here.

Nothing in the file is unpickled or evaluated.
"""

import dataclasses
import json
import zipfile
from collections.abc import Callable, Mapping
from os import PathLike
from typing import Any

import numpy as np

from jaxglm._status import DataError
from jaxglm.algebra import Covariance, Root
from jaxglm.diagnostics import RowFacts
from jaxglm.intake import Model
from jaxglm.io import TermsSpec, keys_from_arrays
from jaxglm.lanes import Fits, Words
from jaxglm.results import GroupResults, ResponseResults, Results
from jaxglm.results._file import FORMAT, HEADER, KEYS, SCALAR, classes
from jaxglm.search import Fit

# What NumPy, zipfile and json raise on a file that is something else. A lone array has no `files`.
_UNREADABLE = (KeyError, ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile)


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
        When the file is no saved result, is of a newer format, or needs `family`.

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
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        header = json.loads(arrays.pop(HEADER).tobytes().decode())
    except _UNREADABLE as error:
        raise DataError(f"{path} is not a result saved by jaxglm: {error}") from error
    if header.get("format") != FORMAT:
        raise DataError(
            f"{path} has format {header.get('format')}, this jaxglm reads format {FORMAT}: read "
            "it with the version that wrote it."
        )
    model = _model(header, _family(header, family, path), context)
    if "groups" in header:
        return _groups(header, model, arrays)
    scalars = {name: _value(value) for name, value in header["fit"].items()}
    facts = header["row_facts"]
    covariance = _covariance(header, model, arrays, scalars)
    return Results(
        Fit(covariance=covariance, **arrays, **scalars),
        model,
        None if facts is None else RowFacts(**{k: _value(v) for k, v in facts.items()}),
    )


def _groups(
    header: dict[str, Any], model: Model, arrays: dict[str, np.ndarray]
) -> GroupResults | ResponseResults:
    body = header["groups"]

    def part(prefix: str) -> dict[str, np.ndarray]:
        names = [name for name in arrays if name.startswith(prefix)]
        return {name.removeprefix(prefix): arrays.pop(name) for name in names}

    def words(method: str, stopped_by: str, notes: list[str]) -> Words:
        return Words(method, stopped_by, tuple(notes))

    keys = keys_from_arrays(body["keys"], part(KEYS))
    scalars = part(SCALAR)
    fits = Fits(
        covariance=_covariance(header, model, arrays, scalars),
        scalars=scalars,
        words={g: words(*rest) for g, *rest in body["words"]},
        usual=words(*body["usual"]),
        **arrays,
    )
    notes = tuple(body["notes"])
    if body["of"] == ResponseResults.unit:
        return ResponseResults(fits, model, keys, None, body["native"], notes)
    return GroupResults(fits, model, keys, None, body["native"], notes)


def _covariance(
    header: dict[str, Any], model: Model, arrays: dict[str, np.ndarray], scalars: dict[str, Any]
) -> Covariance:
    """The covariance of a fit or of many, whose arrays are taken out of those given.

    The first files say nothing of it: theirs comes from the expected information, with the
    dispersion of the fit and its degrees of freedom.
    """
    df = None if model.family.dispersion_fixed else scalars["df_resid"]
    said = {"kind": "nonrobust", "scale": scalars["scale"], "df": df}
    for name, value in header.get("covariance", {}).items():
        known = _value(value)
        # The numbers of many fits are a list in the header.
        said[name] = np.array(known, float) if isinstance(known, tuple) else known
    root = Root(arrays.pop("cov_root"), arrays.pop("cov_diagonal"))
    if "recession" not in arrays:  # the first files said which run to infinity, not whereto
        arrays["recession"] = np.where(arrays.pop("infinite"), arrays["coef"], 0.0)
    return Covariance(root, arrays.pop("aliased"), recession=arrays.pop("recession"), **said)


def _model(header: dict[str, Any], family: Any, context: Mapping[str, Callable] | None) -> Model:
    model = header["model"]
    return Model(
        names=tuple(model["names"]),
        terms=tuple((label, slice(*ends)) for label, *ends in model["terms"]),
        family=family,
        formula=model["formula"],
        spec=None if model["spec"] is None else TermsSpec.from_json(model["spec"], context),
        y_name=model["y_name"],
        event=model["event"],
        used=frozenset(model["used"]),
        dataset=None,
    )


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return float(value["float"])
    return tuple(_value(item) for item in value) if isinstance(value, list) else value


def _restore(described: dict[str, Any]) -> Any:
    """The object that `_describe` saw: the fields as they were, past the checks of `__init__`."""
    made: Any = object.__new__(classes()[described["class"]])
    for field in dataclasses.fields(made):
        if field.name != "link":
            object.__setattr__(made, field.name, _value(described["fields"][field.name]))
    return made


def _family(header: dict[str, Any], given: Any, path: Any) -> Any:
    family, link = header["family"], header["link"]
    if given is not None:
        if type(given).__name__ != family["class"]:
            raise DataError(f"{path} holds a fit with {family['class']}, not with {given!r}.")
        return given
    if family["fields"] is None or link["fields"] is None:
        raise DataError(
            f"{path} was fitted with {family['class']} and the link {link['class']}, and a file "
            "stores no code of yours: give the family object as load(path, family=...)."
        )
    made = _restore(family)
    object.__setattr__(made, "link", _restore(link))
    return made
