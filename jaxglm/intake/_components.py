"""Owns the way back from the columns of a design to the components of its formula."""

from typing import Any

import numpy as np

from jaxglm import io
from jaxglm.designs import Categorical, Dense, Split
from jaxglm.intake._dataset import Columns


def component_values(
    spec: io.TermsSpec, places: tuple[slice, ...], columns: Columns
) -> list[np.ndarray | None]:
    """The components of a formula, where one makes the columns of a term by itself; else None."""
    values: list[np.ndarray | None] = [None] * len(spec.components)
    found = _parts_by_column(columns)
    for term, place in zip(spec.terms, places, strict=True):
        if len(term.components) != 1 or place.start == place.stop:
            continue
        (i,), (reduced,) = term.components, term.reduced
        component = spec.components[i]
        part, first = found[place.start]
        if isinstance(part, Categorical):
            codes = np.asarray(part.codes)
            if part.contrasts is None and reduced:
                codes = component.level_of_columns()[codes]
            values[i] = codes
        elif isinstance(part, Dense):
            own = np.asarray(part.values)[:, first : first + place.stop - place.start]
            values[i] = own if component.width > 1 else own[:, 0]
    return values


def _parts_by_column(columns: Columns) -> dict[int, tuple[Any, int]]:
    """For each public position the part of the design with that column, and which one it is."""
    design = columns.design
    found: dict[int, tuple[Any, int]] = {}
    start = 0
    for part in design.parts if isinstance(design, Split) else (design,):
        public = columns.order[start : start + part.n_columns]
        found |= {int(place): (part, j) for j, place in enumerate(public)}
        start += part.n_columns
    return found
