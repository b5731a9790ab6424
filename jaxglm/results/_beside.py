"""Owns what may stand beside new rows, and is refused beside those of the fit: they have theirs."""

from typing import Any

import numpy as np
import pandas as pd

from jaxglm import io
from jaxglm._status import DataError
from jaxglm.diagnostics import RowFacts
from jaxglm.families import Binomial
from jaxglm.intake import Model
from jaxglm.words import FloatArray


def response_weights(
    model: Model,
    facts: RowFacts | None,
    data: Any,
    index: pd.Index,
    *,
    var_weights: Any,
    trials: Any,
) -> FloatArray | None:
    """Prior weights times trials of rows, [n]; nan in rows of the fit that do not count.

    None for new rows of a share of trials whose numbers are not given. Without `data` the rows are
    those of the fit, which the caller has seen to be there.

    Raises
    ------
    DataError
        Where some are given beside the rows of the fit, are negative, or have another length.
    """
    if data is None:
        refuse_beside_the_fit(var_weights=var_weights, trials=trials)
        assert model.dataset is not None
        rows = model.dataset.rows
        return np.where(rows.live, rows.unit_weight, np.nan)
    weight = np.ones(len(index))
    for name, given in (("var_weights", var_weights), ("trials", trials)):
        if given is not None:
            own = io.read_row_values(given, name, data, len(index), index)
            if (own < 0).any():
                raise DataError(f"{name} must not be negative, as in {io.rows_text(own < 0)}")
            weight = weight * own
    return None if trials is None and _has_trials(model, facts) else weight


def _has_trials(model: Model, facts: RowFacts | None) -> bool:
    """Whether the response is a share of more than one trial; so too where that is not known."""
    if not isinstance(model.family, Binomial):
        return False
    if model.dataset is None:
        return facts is None or facts.grouped
    return bool((model.dataset.rows.unit_weight > 1).any())


def refuse_beside_the_fit(**given: Any) -> None:
    """Refuse what belongs to new rows where the rows are those of the fit."""
    if any(value is not None for value in given.values()):
        names = [f"{name}=" for name in given]
        raise DataError(
            f"{', '.join(names[:-1])} and {names[-1]} belong to new data; the rows of the fit have "
            "theirs. Give data= as well."
        )
