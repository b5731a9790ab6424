"""Owns what a saved model becomes: its family, names and recipe, each held to what it may be.

Only objects of classes named in `results` are ever made.
"""

import dataclasses
import math
import typing
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jaxglm import families, links
from jaxglm._schema import Damaged, read_fields
from jaxglm._status import DataError
from jaxglm.intake import WEIGHTS, CommonPrior, Model
from jaxglm.io import TermsSpec
from jaxglm.results._file import SavedModel, SavedObject, classes


def model_of(saved: SavedModel, family: Any, context: Mapping[str, Callable] | None) -> Model:
    """The model without its rows.

    Raises
    ------
    Damaged
        Where its parts do not agree.
    """
    end = 0
    for label, start, stop in saved.terms:
        if start != end or stop < start:
            raise Damaged("model.terms", f"leave out columns before {label!r}, or take some twice")
        end = stop
    if end != len(saved.names):
        raise Damaged("model.terms", f"are of {end} columns, not of {len(saved.names)}")
    if not set(saved.used) <= set(WEIGHTS):
        raise Damaged("model.used", f"names something else than {', '.join(WEIGHTS)}")
    labels = {label for label, _, _ in saved.terms}
    for one in saved.strengths:
        if one.term not in labels or not 0 < one.lam < math.inf or not 0 <= one.edf < math.inf:
            raise Damaged("model.strengths", f"cannot be those of {one.term!r}")
    spec = None if saved.spec is None else TermsSpec.from_json(saved.spec, context)
    if (spec is None) != (saved.formula is None):
        raise Damaged("model.spec", "is there without a formula, or the other way about")
    if spec is not None and (spec.names != saved.names or len(spec.terms) != len(saved.terms)):
        raise Damaged("model.spec", "is that of other columns")
    return Model(
        names=saved.names,
        terms=tuple((label, slice(start, stop)) for label, start, stop in saved.terms),
        family=family,
        formula=saved.formula,
        spec=spec,
        y_name=saved.y_name,
        event=saved.event,
        used=frozenset(saved.used),
        dataset=None,
        constraints=saved.constraints,
        penalty=saved.penalty,
        strengths=saved.strengths,
        prior=_checked(saved.prior, len(saved.names)),
    )


def _checked(prior: CommonPrior | None, p: int) -> CommonPrior | None:
    """A distribution of p coefficients, if it is one."""
    if prior is None:
        return None
    mean, covariance = np.array(prior.mean), [np.array(row) for row in prior.covariance]
    if mean.shape != (p,) or [row.shape for row in covariance] != [(p,)] * p:
        raise Damaged("model.prior", f"is not one of {p} coefficients")
    values = np.linalg.eigvalsh(np.array(covariance)) if np.isfinite(covariance).all() else [-1.0]
    if not (min(values) > 0 and np.isfinite(mean).all() and 0 < prior.dispersion < math.inf):
        raise Damaged("model.prior", "is no distribution")
    return prior


def family_of(family: SavedObject, link: SavedObject, given: Any, path: Any) -> Any:
    """The family that was saved, or the one `given` in its place.

    Raises
    ------
    DataError
        Where one must be given, or is another.
    """
    if given is not None:
        if type(given).__name__ != family.name:
            raise DataError(f"{path} holds a fit with {family.name}, not with {given!r}.")
        return given
    if family.fields is None or link.fields is None:
        raise DataError(
            f"{path} was fitted with {family.name} and the link {link.name}, and a file "
            "stores no code of yours: give the family object as load(path, family=...)."
        )
    made = _restore(family, families.Family, "family")
    object.__setattr__(made, "link", _restore(link, links.Link, "link"))
    try:
        made.canonical  # noqa: B018  # looks up a variance by its name
        return families.family(made)
    except (KeyError, ValueError) as error:
        raise Damaged("family", f"cannot be: {error}") from error


def _restore(saved: SavedObject, base: type, field: str) -> Any:
    """The object that was described: its fields as they were, by the checks of its class."""
    of: Any = classes().get(saved.name)
    if of is None or not issubclass(of, base):
        raise Damaged(f"{field}.class", f"is no {base.__name__.lower()} known here: {saved.name!r}")
    hints = typing.get_type_hints(of)
    # What may be a traced value inside a program is a number in a file.
    plain: dict[Any, Any] = {Any: float | None}
    kinds = {
        one.name: (plain.get(hints[one.name], hints[one.name]), False)
        for one in dataclasses.fields(of)
        if one.name != "link"
    }
    made = object.__new__(of)
    for name, value in read_fields(saved.fields, kinds, f"{field}.fields").items():
        object.__setattr__(made, name, value)
    try:
        getattr(made, "__post_init__", lambda: None)()
    except ValueError as error:
        raise Damaged(f"{field}.fields", f"cannot be: {error}") from error
    return made


def own_fields(saved: Any, field: str) -> SavedObject:
    """A family or link as it is described in a file."""
    kinds: dict[str, Any] = {"class": (str, False), "fields": (dict[str, Any] | None, False)}
    found = read_fields(saved, kinds, field)
    return SavedObject(found["class"], found["fields"])
