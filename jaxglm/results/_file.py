"""Owns the file of a saved result: NumPy arrays and a JSON header in one archive, no code.

Reading a file only ever makes objects of classes named here; nothing in it is unpickled or
evaluated.
"""

import dataclasses
import json
import math
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd

from jaxglm import families, links
from jaxglm.algebra import Covariance
from jaxglm.diagnostics import RowFacts
from jaxglm.intake import Model
from jaxglm.io import keys_to_arrays
from jaxglm.lanes import Fits
from jaxglm.search import Fit

# Raised when a reader of the old layout could no longer make sense of the new one.
FORMAT = 1
HEADER = "header.json"
# What the names of arrays begin with in a file of many fits.
SCALAR, KEYS = "scalars.", "keys."


def save_fit(path: str | PathLike[str], fit: Fit, model: Model, facts: RowFacts | None) -> None:
    """Write a fit to `path`, under exactly that name; see `Results.save`."""
    fields = _fields(fit)
    arrays = _arrays(fields)
    header = {
        "fit": {name: _plain(value) for name, value in fields.items() if name not in arrays},
        "row_facts": None
        if facts is None
        else {k: _plain(v) for k, v in dataclasses.asdict(facts).items()},
    }
    _write(path, model, fit.covariance, header, arrays)


def save_fits(
    path: str | PathLike[str],
    fits: Fits,
    model: Model,
    keys: pd.Index,
    *,
    native: str,
    notes: tuple[str, ...],
    unit: str,
) -> None:
    """Write many fits to `path`, under exactly that name; see `ManyResults.save`."""
    arrays = _arrays(_fields(fits))
    arrays |= {SCALAR + name: values for name, values in fits.scalars.items()}
    described, key_arrays = keys_to_arrays(keys)
    arrays |= {KEYS + name: values for name, values in key_arrays.items()}
    header = {
        "groups": {
            "of": unit,
            "keys": described,
            "native": native,
            "notes": notes,
            "usual": fits.usual,
            "words": [[g, *words] for g, words in fits.words.items()],
        }
    }
    _write(path, model, fits.covariance, header, arrays)


def _fields(record: Fit | Fits) -> dict[str, Any]:
    """The fields of a record by name, but for its covariance, which is written by itself."""
    names = [field.name for field in dataclasses.fields(record)]
    return {name: getattr(record, name) for name in names if name != "covariance"}


def _arrays(fields: dict[str, Any]) -> dict[str, np.ndarray]:
    return {name: value for name, value in fields.items() if isinstance(value, np.ndarray)}


def _write(
    path: str | PathLike[str],
    model: Model,
    covariance: Covariance,
    header: dict[str, Any],
    arrays: dict[str, np.ndarray],
) -> None:
    arrays |= {
        "cov_root": covariance.root.dense,
        "cov_diagonal": covariance.root.diagonal,
        "aliased": covariance.aliased,
        "recession": covariance.recession,
    }
    header |= {
        "format": FORMAT,
        "covariance": {name: _plain(getattr(covariance, name)) for name in ("kind", "scale", "df")},
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
    members: dict[str, Any] = {HEADER: np.frombuffer(text.encode(), dtype=np.uint8), **arrays}
    with open(path, "wb") as file:
        np.savez(file, allow_pickle=False, **members)


def _plain(value: Any) -> Any:
    """A value JSON can hold: numbers that it has no notation for become tagged strings."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _describe(thing: Any) -> dict[str, Any]:
    """Class name and fields of a family or link; no fields where only its own code restores it."""
    name = type(thing).__name__
    fields = {f.name: getattr(thing, f.name) for f in dataclasses.fields(thing) if f.name != "link"}
    own = classes().get(name) is not type(thing) or any(map(callable, fields.values()))
    return {"class": name, "fields": None if own else {k: _plain(v) for k, v in fields.items()}}


def classes() -> dict[str, type]:
    """The families and links of the library, by class name."""
    return {
        name: thing
        for module, base in ((families, families.Family), (links, links.Link))
        for name, thing in vars(module).items()
        if isinstance(thing, type) and issubclass(thing, base) and thing is not base
    }
