"""Owns the file of a saved result: NumPy arrays and a JSON header in one archive, no code.

Imports `_model`, `_record`, `_status`, diagnostics, families, links, io (to rebuild a formula and
the keys of segments), results and `groups`. Reading a file only ever makes objects of classes named
here; nothing in it is unpickled or evaluated.
"""

import dataclasses
import json
import math
import zipfile
from collections.abc import Callable, Mapping
from os import PathLike
from typing import Any

import numpy as np

from jaxglm import families, links
from jaxglm._model import Model
from jaxglm._record import Fit
from jaxglm._status import DataError
from jaxglm.diagnostics import RowFacts
from jaxglm.groups._many import ManyResults
from jaxglm.groups._records import Fits, Words
from jaxglm.groups._response_results import ResponseResults
from jaxglm.groups._results import GroupResults
from jaxglm.io import TermsSpec, keys_from_arrays, keys_to_arrays
from jaxglm.results import Results

# Raised when a reader of the old layout could no longer make sense of the new one.
_FORMAT = 1
_HEADER = "header.json"
# What the names of arrays begin with in a file of many fits.
_SCALAR, _KEYS = "scalars.", "keys."
# What NumPy, zipfile and json raise on a file that is something else. A lone array has no `files`.
_UNREADABLE = (KeyError, ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile)


def save(results: Results, path: str | PathLike[str]) -> None:
    """Write a result to `path`, under exactly that name; see `Results.save`."""
    fit = {f.name: getattr(results.fit, f.name) for f in dataclasses.fields(Fit)}
    arrays = {name: value for name, value in fit.items() if isinstance(value, np.ndarray)}
    facts = results.row_facts if results.has_row_facts else None
    header = {
        "fit": {name: _plain(value) for name, value in fit.items() if name not in arrays},
        "row_facts": None
        if facts is None
        else {k: _plain(v) for k, v in dataclasses.asdict(facts).items()},
    }
    _write(path, results.model, header, arrays)


def save_groups(results: ManyResults, path: str | PathLike[str]) -> None:
    """Write many fits to `path`, under exactly that name; see `ManyResults.save`."""
    fits = results.fits
    fields = {f.name: getattr(fits, f.name) for f in dataclasses.fields(Fits)}
    arrays = {name: value for name, value in fields.items() if isinstance(value, np.ndarray)}
    arrays |= {_SCALAR + name: values for name, values in fits.scalars.items()}
    keys, key_arrays = keys_to_arrays(results.keys)
    arrays |= {_KEYS + name: values for name, values in key_arrays.items()}
    header = {
        "groups": {
            "of": results.unit,
            "keys": keys,
            "native": results.native,
            "notes": results.notes,
            "usual": fits.usual,
            "words": [[g, *words] for g, words in fits.words.items()],
        }
    }
    _write(path, results.model, header, arrays)


def _write(
    path: str | PathLike[str], model: Model, header: dict[str, Any], arrays: dict[str, np.ndarray]
) -> None:
    header |= {
        "format": _FORMAT,
        "family": _describe(model.family),
        "link": _describe(model.family.link),
        "model": {
            "names": list(model.names),
            "terms": [[label, part.start, part.stop] for label, part in model.terms],
            "formula": model.formula,
            "y_name": model.y_name,
            "event": model.event,
            "used": sorted(model.used),
            "spec": None if model.spec is None else model.spec.to_json(),
        },
    }
    text = json.dumps(header, allow_nan=False)
    members: dict[str, Any] = {_HEADER: np.frombuffer(text.encode(), dtype=np.uint8), **arrays}
    with open(path, "wb") as file:
        np.savez(file, allow_pickle=False, **members)


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
        header = json.loads(arrays.pop(_HEADER).tobytes().decode())
    except _UNREADABLE as error:
        raise DataError(f"{path} is not a result saved by jaxglm: {error}") from error
    if header.get("format") != _FORMAT:
        raise DataError(
            f"{path} has format {header.get('format')}, this jaxglm reads format {_FORMAT}: read "
            "it with the version that wrote it."
        )
    model = _model(header, _family(header, family, path), context)
    if "groups" in header:
        return _groups(header["groups"], model, arrays)
    scalars = {name: _value(value) for name, value in header["fit"].items()}
    facts = header["row_facts"]
    return Results(
        Fit(**arrays, **scalars),
        model,
        None if facts is None else RowFacts(**{k: _value(v) for k, v in facts.items()}),
    )


def _groups(
    body: dict[str, Any], model: Model, arrays: dict[str, np.ndarray]
) -> GroupResults | ResponseResults:
    def part(prefix: str) -> dict[str, np.ndarray]:
        names = [name for name in arrays if name.startswith(prefix)]
        return {name.removeprefix(prefix): arrays.pop(name) for name in names}

    def words(method: str, stopped_by: str, notes: list[str]) -> Words:
        return Words(method, stopped_by, tuple(notes))

    keys = keys_from_arrays(body["keys"], part(_KEYS))
    fits = Fits(
        scalars=part(_SCALAR),
        words={g: words(*rest) for g, *rest in body["words"]},
        usual=words(*body["usual"]),
        **arrays,
    )
    notes = tuple(body["notes"])
    if body["of"] == ResponseResults.unit:
        return ResponseResults(fits, model, keys, None, body["native"], notes)
    return GroupResults(fits, model, keys, None, None, body["native"], notes)


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


def _plain(value: Any) -> Any:
    """A value JSON can hold: numbers that it has no notation for become tagged strings."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return float(value["float"])
    return tuple(_value(item) for item in value) if isinstance(value, list) else value


def _describe(thing: Any) -> dict[str, Any]:
    """Class name and fields of a family or link; no fields where only its own code restores it."""
    name = type(thing).__name__
    fields = {f.name: getattr(thing, f.name) for f in dataclasses.fields(thing) if f.name != "link"}
    own = _classes().get(name) is not type(thing) or any(map(callable, fields.values()))
    return {"class": name, "fields": None if own else {k: _plain(v) for k, v in fields.items()}}


def _classes() -> dict[str, type]:
    """The families and links of the library, by class name."""
    return {
        name: thing
        for module, base in ((families, families.Family), (links, links.Link))
        for name, thing in vars(module).items()
        if isinstance(thing, type) and issubclass(thing, base) and thing is not base
    }


def _restore(described: dict[str, Any]) -> Any:
    """The object that `_describe` saw: the fields as they were, past the checks of `__init__`."""
    made: Any = object.__new__(_classes()[described["class"]])
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
