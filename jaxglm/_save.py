"""Owns the file of a saved result: NumPy arrays and a JSON header in one archive, no code.

Imports families, links, io (to rebuild a formula) and results. Reading a file only ever makes
objects of classes named here; nothing in it is unpickled or evaluated.
"""

import dataclasses
import json
import math
from os import PathLike
from typing import Any

import numpy as np

from jaxglm import families, links
from jaxglm._model import Model
from jaxglm._record import Fit
from jaxglm._status import DataError
from jaxglm.diagnostics import RowFacts
from jaxglm.io._formula import TermsSpec
from jaxglm.results import Results

# Raised when a reader of the old layout could no longer make sense of the new one.
_FORMAT = 1
_HEADER = "header.json"


def save(results: Results, path: str | PathLike[str]) -> None:
    """Write a result to `path`, under exactly that name; see `Results.save`."""
    fit = {f.name: getattr(results.fit, f.name) for f in dataclasses.fields(Fit)}
    arrays = {name: value for name, value in fit.items() if isinstance(value, np.ndarray)}
    model = results.model
    header = {
        "format": _FORMAT,
        "fit": {name: _plain(value) for name, value in fit.items() if name not in arrays},
        "family": _describe(model.family),
        "link": _describe(model.family.link),
        "model": {
            "names": list(model.names),
            "terms": [[label, part.start, part.stop] for label, part in model.terms],
            "formula": model.formula,
            "y_name": model.y_name,
            "event": _plain(model.event),
            "used": sorted(model.used),
            "spec": None if model.spec is None else model.spec.to_json(),
        },
        "row_facts": {k: _plain(v) for k, v in dataclasses.asdict(results.row_facts).items()}
        if results.has_row_facts
        else None,
    }
    text = json.dumps(header, allow_nan=False)
    with open(path, "wb") as file:
        np.savez(file, **{_HEADER: np.frombuffer(text.encode(), dtype=np.uint8)}, **arrays)


def load(path: str | PathLike[str], *, family: Any = None) -> Results:
    """Read a result that `Results.save` wrote. It holds no data of the fit.

    Parameters
    ----------
    path : str or path
        The file.
    family : Family, optional
        Needed when the model had a family or link of your own, or a variance given as a function:
        code is never stored.

    Returns
    -------
    Results

    Raises
    ------
    DataError
        When the file is no saved result, is of a newer format, or needs `family`.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        header = json.loads(arrays.pop(_HEADER).tobytes().decode())
    except (KeyError, ValueError, EOFError) as error:
        raise DataError(f"{path} is not a result saved by jaxglm: {error}") from error
    if header.get("format") != _FORMAT:
        raise DataError(
            f"{path} has format {header.get('format')}, this jaxglm reads format {_FORMAT}: read "
            "it with the version that wrote it."
        )
    scalars = {name: _value(value) for name, value in header["fit"].items()}
    facts = header["row_facts"]
    model = header["model"]
    return Results(
        Fit(**arrays, **scalars),
        Model(
            names=model["names"],
            terms=[(label, slice(start, stop)) for label, start, stop in model["terms"]],
            family=_family(header, family, path),
            formula=model["formula"],
            spec=None if model["spec"] is None else TermsSpec.from_json(model["spec"]),
            y_name=model["y_name"],
            event=_value(model["event"]),
            used=frozenset(model["used"]),
            dataset=None,
        ),
        None if facts is None else RowFacts(**{k: _value(v) for k, v in facts.items()}),
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
    """Class name and parameters of a family or link; `own` where only its code could restore it."""
    fields = {f.name: getattr(thing, f.name) for f in dataclasses.fields(thing) if f.name != "link"}
    fields = {name: _plain(np.asarray(v)[()] if _is_array(v) else v) for name, v in fields.items()}
    simple = all(isinstance(v, float | int | str | dict | None) for v in fields.values())
    known = _classes().get(type(thing).__name__) is type(thing)
    return {"class": type(thing).__name__, "fields": fields if simple else {}, "own": not (simple and known)}


def _is_array(value: Any) -> bool:
    return hasattr(value, "dtype")


def _classes() -> dict[str, type]:
    """The families and links of the library, by class name."""
    found: dict[str, type] = {}
    for module, base in ((families, families.Family), (links, links.Link)):
        for name, thing in vars(module).items():
            if isinstance(thing, type) and issubclass(thing, base) and thing is not base:
                found[name] = thing
    return found


def _family(header: dict[str, Any], given: Any, path: Any) -> Any:
    described, link = header["family"], header["link"]
    if given is not None:
        if type(given).__name__ != described["class"]:
            raise DataError(f"{path} holds a {described['class']} fit; family= is {given!r}.")
        return given
    if described["own"] or link["own"]:
        raise DataError(
            f"{path} was fitted with {described['class']} and the link {link['class']}, code that "
            "a file does not store: give the family object as load(path, family=...)."
        )
    classes = _classes()
    made = classes[link["class"]](**{k: _value(v) for k, v in link["fields"].items()})
    fields = {k: _value(v) for k, v in described["fields"].items()}
    return classes[described["class"]](**fields, link=made)
