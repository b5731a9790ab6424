"""Owns the terms of a fit whose penalties were estimated: curves, random effects, random walks."""

import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.inference import Estimates


class SmoothTerms(Estimates):
    """Strengths that were estimated, and what they leave; a base of `Results`."""

    @property
    def smooth_terms(self) -> pd.DataFrame:
        """One row for each curve ``s(x)``, random effect ``re(g)`` or term of ``Smooth("reml")``.

        Columns: `lambda`, the strength on the scale of the mean loss (times `weight_sum` it is
        mgcv's `sp`, up to the scaling of its penalty matrix); `edf`, the effective degrees of
        freedom; `columns`, how many there would be without a penalty; `std_dev`, of the effects of
        a random effect on the link scale, lme4's "Std.Dev.": the root of
        ``scale / (weight_sum * lambda)``, nan for the other terms.

        Raises
        ------
        DataError
            For a fit without such terms.

        Examples
        --------
        >>> import jaxglm as jg
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> table = {"shop": np.repeat(np.arange(20), 5), "x": rng.normal(size=100)}
        >>> table["sold"] = rng.poisson(np.exp(1 + rng.normal(size=20)[table["shop"]] / 2))
        >>> fit = jg.glm("sold ~ x + (1 | shop)", table, "poisson")
        >>> fit.smooth_terms.round(3)
                  lambda     edf  columns  std_dev
        term
        re(shop)   0.074  13.003       20    0.368
        """
        known = self.model.strengths
        if not known:
            raise DataError(
                "This fit has no term whose penalty was estimated: those are s(x) and re(g) of a "
                "formula, and the terms of jg.Smooth('reml')."
            )
        weight, terms, spec = self.fit.weight_sum, dict(self.model.terms), self.model.spec
        rows = []
        for one in known:
            where = terms[one.term]
            random = spec is not None and spec.is_random(one.term)
            spread = np.sqrt(self.scale / (weight * one.lam)) if random else np.nan
            rows.append((one.lam, one.edf, where.stop - where.start, spread))
        index = pd.Index([one.term for one in known], name="term")
        return pd.DataFrame(rows, index=index, columns=["lambda", "edf", "columns", "std_dev"])
