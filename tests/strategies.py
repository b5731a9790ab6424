"""Small regressions to draw, of every family and link: what property tests draw, and how."""

import dataclasses
import warnings
from collections.abc import Callable
from typing import Any

import hypothesis.extra.numpy as arrays
import numpy as np
import pandas as pd
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

import jaxglm as jg
from jaxglm.families import family as resolve
from jaxglm.families._names import _FAMILIES
from jaxglm.families._quasi import _NAMED
from jaxglm.links._names import _LINKS

# Rows, numeric columns, levels of the factor. A new shape is a new compilation, so a family and
# link always has the same one, and transformations keep the rows or double them.
SHAPES = ((8, 1, 2), (16, 2, 3), (32, 4, 4))

# Factors by which columns and weights are scaled.
SCALES = (1e-60, 1e60)

COUNTS = st.integers(0, 9).map(float)
REALS = st.integers(-30, 30).map(lambda tenths: tenths / 10)
POSITIVE = st.integers(1, 60).map(lambda tenths: tenths / 10)
SHARES = st.integers(1, 19).map(lambda twentieths: twentieths / 20)
RESPONSES: dict[Any, st.SearchStrategy[float]] = {
    "gaussian": REALS,
    "gamma": POSITIVE,
    "inverse_gaussian": POSITIVE,
    "tweedie": st.just(0.0) | POSITIVE,
    "constant": REALS,
    "mu^2": POSITIVE,
    "mu^3": POSITIVE,
    "mu(1-mu)": st.sampled_from([0.0, 1.0]) | SHARES,
    "mu^2(1-mu)^2": SHARES,
}


def responses(law: jg.Family) -> st.SearchStrategy[float]:
    """Values that can come from the family."""
    if isinstance(law, jg.Tweedie) and law.power >= 2:
        return POSITIVE
    return RESPONSES.get(law.variance_function if isinstance(law, jg.Quasi) else law.name, COUNTS)


def admitted(law: jg.Family) -> bool:
    try:
        resolve(law)
    except ValueError:
        return False
    return True


def every_law() -> list[jg.Family]:
    """Each family with each link that it takes, and a power that is no named link."""
    families = [cls() for cls in dict.fromkeys(_FAMILIES.values()) if cls is not jg.Quasi]
    families += [jg.NegativeBinomial(alpha=0.5), jg.Tweedie(power=2.5)]
    families += [jg.Quasi(variance) for variance in _NAMED]
    links = [cls() for cls in dict.fromkeys(_LINKS.values())] + [jg.Power(0.3)]
    return [law for one in families for link in links if admitted(law := one.with_link(link))]


LAWS = every_law()


# The link that most would take with each range of means.
_USUAL = {(-np.inf, np.inf): "identity", (0.0, np.inf): "log", (0.0, 1.0): "logit"}
COMMON = [law for law in LAWS if law.link.name == _USUAL[law.mean_domain]]


@dataclasses.dataclass(frozen=True)
class Case:
    """A regression on numeric columns and a factor: y [n], x [n, k], codes [n] from 0.

    `vectors` are those of the verbs. The reference level is there, and another.
    """

    law: jg.Family
    y: np.ndarray
    x: np.ndarray
    codes: np.ndarray
    levels: int
    vectors: dict[str, np.ndarray]

    @property
    def X(self) -> np.ndarray:
        dummies = self.codes[:, None] == np.arange(1, self.levels)
        return np.column_stack([np.ones(len(self.y)), self.x, dummies.astype(float)])

    @property
    def proportions(self) -> bool | None:
        """A response beside trials is the number of successes."""
        return False if "trials" in self.vectors else None

    @property
    def formula(self) -> str:
        return " + ".join(["y ~ x0", *(f"x{j}" for j in range(1, self.x.shape[1])), "g"])

    def table(self, labels: str = "abcd") -> pd.DataFrame:
        columns = {f"x{j}": column for j, column in enumerate(self.x.T)}
        return pd.DataFrame({"y": self.y, **columns, "g": np.array(list(labels))[self.codes]})

    def but(self, **changes: Any) -> "Case":
        return dataclasses.replace(self, **changes)

    def rows(self, which: np.ndarray) -> "Case":
        vectors = {name: values[which] for name, values in self.vectors.items()}
        return self.but(y=self.y[which], x=self.x[which], codes=self.codes[which], vectors=vectors)

    def weighing(self, name: str, change: Callable[[np.ndarray], np.ndarray]) -> "Case":
        return self.but(vectors={**self.vectors, name: change(self.vectors[name])})


@st.composite
def cases(draw: st.DrawFn, law: jg.Family) -> Case:
    """A case of this law: ties, collinear and constant columns, absent levels and separated
    responses come by themselves from coarse values.
    """
    n, k, levels = SHAPES[LAWS.index(law) % len(SHAPES)]

    def column(values: st.SearchStrategy, *more: int) -> np.ndarray:
        return draw(arrays.arrays(float, (n, *more), elements=values, fill=st.nothing()))

    x = column(st.integers(-20, 20).map(lambda tenths: tenths / 10), k)
    fate = draw(st.sampled_from(["as drawn"] * 4 + ["collinear", "constant"]))
    if fate != "as drawn":
        x[:, -1] = 2 * x[:, 0] - 1 if fate == "collinear" and k > 1 else 1.5
    codes = column(st.integers(0, levels - 1).map(float)).astype(int)
    codes[:2] = 0, 1  # a formula refuses a factor of one level
    y = column(responses(law))
    vectors = {
        "freq_weights": column(st.sampled_from([1.0, 1.0, 2.0])),
        "var_weights": column(st.sampled_from([0.5, 1.0, 2.0])),
        "offset": column(st.sampled_from([-0.1, 0.0, 0.2])),
    }
    if isinstance(law, jg.Binomial):
        vectors["trials"] = column(st.sampled_from([1.0, 2.0, 4.0]))
        y = np.minimum(y % 5, vectors["trials"])
    return Case(law, y, x, codes, levels, vectors)


def quiet(call: Callable, *args: Any, **given: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jg.JaxglmWarning)
        return call(*args, **given)


def model(case: Case, X: Any = None) -> jg.GLM:
    X = case.X if X is None else X
    return jg.GLM(case.y, X, case.law, **case.vectors, proportions=case.proportions)


def examples(number: int) -> Any:
    """So many drawn examples, the same in each run."""
    return settings(
        max_examples=number,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),  # the first example compiles
    )
