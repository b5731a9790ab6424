"""Owns what a saved result is made of: NumPy arrays and a JSON header, no code."""

import dataclasses
from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd

from jaxglm import families, links
from jaxglm._schema import plain
from jaxglm.algebra import Covariance, Relations
from jaxglm.diagnostics import RowFacts
from jaxglm.intake import CommonPrior, Model, TermStrength
from jaxglm.io import keys_to_arrays
from jaxglm.lanes import Fits
from jaxglm.results._archive import write_archive
from jaxglm.search import Fit

# Raised when a reader of the old layout could no longer make sense of the new one: from 2 on a file
# holds the direction in which coefficients run to infinity, from 3 on the signs of the columns of a
# root. The older ones are read as well.
FORMAT, READABLE = 3, (1, 2, 3)
# What the names of arrays begin with in a file of many fits.
SCALAR, KEYS = "scalars.", "keys."
ROOT, BASE, PARTS = "cov_", "base_", {"root": "dense", "diagonal": "diagonal"}
SIGNS = "cov_signs"
RELATIONS, AT_LIMIT = "relations", "relations_at_limit"


@dataclasses.dataclass(frozen=True)
class SavedObject:
    """A family or link: its class, and its fields where no code is needed to restore it."""

    name: str
    fields: dict[str, Any] | None


@dataclasses.dataclass(frozen=True)
class SavedModel:
    """The names of a model, as the header holds them."""

    names: tuple[str, ...]
    terms: tuple[tuple[str, int, int], ...]
    formula: str | None
    y_name: str
    event: str | None
    used: tuple[str, ...]
    spec: str | None
    constraints: str = ""
    penalty: str = ""
    strengths: tuple[TermStrength, ...] = ()
    prior: CommonPrior | None = None


@dataclasses.dataclass(frozen=True)
class SavedCovariance:
    """What the header holds of a covariance; lists where it is of many fits."""

    kind: str
    scale: float | tuple[float, ...]
    df: float | tuple[float, ...] | None
    notes: tuple[str, ...] = ()
    scale_by: str = ""


@dataclasses.dataclass(frozen=True)
class SavedGroups:
    """What the header holds of many fits; `row_facts` are columns, for the fits `of` these numbers.

    The first files hold no facts.
    """

    of: str
    keys: tuple[dict[str, Any], ...]
    native: str
    notes: tuple[str, ...]
    usual: tuple[str, str, tuple[str, ...]]
    words: tuple[tuple[int, str, str, tuple[str, ...]], ...]
    row_facts: dict[str, tuple[float | bool, ...]] | None = None


def save_fit(path: str | PathLike[str], fit: Fit, model: Model, facts: RowFacts | None) -> None:
    """Write a fit to `path`, under exactly that name; see `Results.save`."""
    fields = _fields(fit)
    arrays = _arrays(fields)
    relations: Relations | None = fields.pop("relations")
    if relations is not None:
        arrays[RELATIONS] = relations.table()
    arrays[AT_LIMIT] = fields.pop(AT_LIMIT).table()
    header = {
        "fit": {name: plain(value) for name, value in fields.items() if name not in arrays},
        "row_facts": None
        if facts is None
        else {k: plain(v) for k, v in dataclasses.asdict(facts).items()},
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
    facts: Mapping[int, RowFacts],
    unit: str,
) -> None:
    """Write many fits to `path`, under exactly that name; see `ManyResults.save`."""
    arrays = _arrays(_fields(fits))
    arrays |= {SCALAR + name: values for name, values in fits.scalars.items()}
    described, key_arrays = keys_to_arrays(keys)
    arrays |= {KEYS + name: values for name, values in key_arrays.items()}
    if fits.relations is not None:
        arrays[RELATIONS] = _table(fits.relations)
    arrays[AT_LIMIT] = _table(fits.relations_at_limit)
    header = {
        "groups": {
            "of": unit,
            "keys": described,
            "native": native,
            "notes": notes,
            "usual": fits.usual,
            "words": [[g, *words] for g, words in fits.words.items()],
            "row_facts": {"of": list(facts)}
            | {
                field.name: [plain(getattr(own, field.name)) for own in facts.values()]
                for field in dataclasses.fields(RowFacts)
            },
        }
    }
    _write(path, model, fits.covariance, header, arrays)


def _fields(record: Fit | Fits) -> dict[str, Any]:
    """The fields of a record by name, but for its covariance, which is written by itself."""
    names = [field.name for field in dataclasses.fields(record)]
    return {name: getattr(record, name) for name in names if name != "covariance"}


def _table(relations: dict[int, Relations]) -> np.ndarray:
    """Those of many fits as one array, with the position of the fit in front."""
    tables = [np.insert(own.table(), 0, g, axis=1) for g, own in relations.items()]
    return np.concatenate([np.zeros((0, 4)), *tables])


def _arrays(fields: dict[str, Any]) -> dict[str, np.ndarray]:
    return {name: value for name, value in fields.items() if isinstance(value, np.ndarray)}


def _write(
    path: str | PathLike[str],
    model: Model,
    covariance: Covariance,
    header: dict[str, Any],
    arrays: dict[str, np.ndarray],
) -> None:
    base = covariance.base
    arrays |= {
        **_root(ROOT, covariance),
        **({} if base is None else _root(BASE, base)),
        "aliased": covariance.aliased,
        "recession": covariance.recession,
        **({} if covariance.signs is None else {SIGNS: covariance.signs}),
    }
    header |= {
        "format": FORMAT,
        "covariance": _described(covariance),
        "base_covariance": None if base is None else _described(base),
        "family": _describe(model.family),
        "link": _describe(model.family.link),
        "model": dataclasses.asdict(
            SavedModel(
                names=model.names,
                terms=tuple((label, part.start, part.stop) for label, part in model.terms),
                formula=model.formula,
                y_name=model.y_name,
                event=model.event,
                used=tuple(sorted(model.used)),
                spec=None if model.spec is None else model.spec.to_json(),
                constraints=model.constraints,
                penalty=model.penalty,
                strengths=model.strengths,
                prior=model.prior,
            )
        ),
    }
    write_archive(path, header, arrays)


def _root(prefix: str, covariance: Covariance) -> dict[str, np.ndarray]:
    parts = covariance.root._asdict()
    return {prefix + name: parts[part] for name, part in PARTS.items()}


def _described(covariance: Covariance) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(SavedCovariance)]
    return {name: plain(getattr(covariance, name)) for name in names}


def _describe(thing: Any) -> dict[str, Any]:
    """Class name and fields of a family or link; no fields where only its own code restores it."""
    name = type(thing).__name__
    fields = {f.name: getattr(thing, f.name) for f in dataclasses.fields(thing) if f.name != "link"}
    own = classes().get(name) is not type(thing) or any(map(callable, fields.values()))
    return {"class": name, "fields": None if own else {k: plain(v) for k, v in fields.items()}}


def classes() -> dict[str, type]:
    """The families and links of the library, by class name."""
    return {
        name: thing
        for module, base in ((families, families.Family), (links, links.Link))
        for name, thing in vars(module).items()
        if isinstance(thing, type) and issubclass(thing, base) and thing is not base
    }
