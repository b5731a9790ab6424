"""The libraries that are measured: each answers with the optimum and with its standard errors.

One that is not installed is skipped. NumPy is installed always, and so is statsmodels.
"""

import warnings
from pathlib import Path

import numpy as np
import pytest

from benchmarks import accuracy, accuracy_by_segment, data, driver, libraries, problems
from benchmarks.libraries import _loop
from benchmarks.libraries.base import Library, Solution
from benchmarks.spec import Spec

SCALE = 0.002
ONE = (
    "family-gaussian",
    "family-logit",
    "family-probit",
    "family-poisson",
    "family-gamma",
    "family-tweedie",
    "family-negative-binomial",
    "family-negative-binomial-shape",
    "small-table",
)
MANY = ("segments-logistic", "segments-negative-binomial", "segments-ragged")
ENTRANTS = (
    "edi-kernels",
    "numpy-irls",
    "polars-statistics",
    "rustystats",
    "statgpu",
    "statsmodels",
    "statsmodels-discrete",
)
LOOPS = (
    "edi-kernels",
    "edi-kernels-frame",
    "numpy-irls",
    "polars-statistics",
    "statsmodels",
    "statsmodels-discrete",
)
# Those of a negative binomial or probit fit are of the observed information in some libraries.
AS_EXPECTED = {"family-probit": 0.05, "family-negative-binomial": 0.05}


@pytest.fixture(scope="module", params=ONE)
def problem(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small problem and its optimum."""
    folder = tmp_path_factory.mktemp(request.param)
    spec, columns = problems.generate(request.param, SCALE)
    data.save(folder, spec, columns)
    accuracy.find_reference(spec, columns).save(folder)
    return folder


@pytest.fixture(scope="module", params=MANY)
def many(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with as few segments as there can be, and their optima."""
    folder = tmp_path_factory.mktemp(request.param)
    spec, columns = problems.generate(request.param, 0.0)
    data.save(folder, spec, columns)
    accuracy_by_segment.find_reference(spec, columns).save(folder)
    return folder


def solved(library: Library, folder: Path) -> Solution:
    """Its answer at its tight tolerance; skips the test where it is not made for the problem."""
    obstacle = driver._obstacle(library, data.read_spec(folder))
    if obstacle is not None:
        pytest.skip(obstacle)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        library.load()
        given = data.read(folder)
        library.ready(given)
        return library.solve(given, library.tight)


@pytest.mark.parametrize("name", ENTRANTS)
def test_an_entrant_finds_the_optimum_with_standard_errors(name: str, problem: Path) -> None:
    found = solved(libraries.create(name), problem)
    spec = data.read_spec(problem)
    assert found.standard_errors == "all" and found.errors is not None
    columns = data.read_columns(problem)
    reference = accuracy.Reference.read(problem)
    verdict = accuracy.judge(spec, columns, reference, beta=found.beta, shape=found.shape)
    assert verdict.distance < 5e-4
    X = accuracy.Rows(spec, columns).X
    assert X is not None
    information = X.T @ (reference.metric[:, None] * X)
    errors = np.sqrt(np.linalg.inv(information).diagonal())
    near = next((far for start, far in AS_EXPECTED.items() if spec.name.startswith(start)), 1e-5)
    np.testing.assert_allclose(found.errors, errors, rtol=near)


@pytest.mark.parametrize("name", LOOPS)
def test_an_entrant_finds_the_optimum_of_every_segment(name: str, many: Path) -> None:
    found = solved(libraries.create(name), many)
    reference = accuracy_by_segment.Reference.read(many)
    assert found.standard_errors == "all"
    assert found.beta is not None and found.errors is not None
    assert isinstance(found.shape, np.ndarray | None)
    verdict = accuracy_by_segment.judge(reference, found.beta, found.segments, found.shape)
    assert verdict.unanswered == 0 and verdict.distance < 5e-4
    which = np.arange(len(found.beta)) if found.segments is None else found.segments
    sound = reference.healthy[which]
    inverse = np.linalg.inv(reference.information[which[sound]])
    errors = np.sqrt(np.einsum("gii->gi", inverse))
    near = 0.2 if data.read_spec(many).estimates_shape else 1e-5
    np.testing.assert_allclose(found.errors[sound], errors, rtol=near)


def test_segments_cut_from_the_table_are_those_that_were_cut_before(many: Path) -> None:
    given = data.read(many)
    before = sorted(given.parts, key=lambda part: part.segment)
    for one, other in zip(before, _loop.cut(given), strict=True):
        assert one.segment == other.segment
        # Rows of a segment are in no order.
        np.testing.assert_allclose(one.X.sum(0), other.X.sum(0))
        np.testing.assert_allclose(one.y @ one.X, other.y @ other.X)
        assert (one.offset is None) == (other.offset is None)


def test_standard_errors_are_named_by_what_was_answered() -> None:
    beta = np.array([1.0, np.nan, 2.0])
    assert Solution(beta).standard_errors == "none"
    assert Solution(beta, errors=np.array([1.0, np.nan, 1.0])).standard_errors == "all"
    assert Solution(beta, errors=np.array([1.0, np.nan, np.nan])).standard_errors == "partial"
    # A linear predictor without its coefficients.
    assert Solution(eta=beta, errors=np.array([np.nan, 1.0])).standard_errors == "partial"


def test_a_segment_without_standard_errors_is_not_answered(many: Path) -> None:
    class Half(_loop.Loop):
        def fit_part(self, part, spec: Spec, tolerance: float | None) -> _loop.Fitted:
            errors = np.full(spec.p, np.nan if part.segment == 0 else 1.0)
            return _loop.Fitted(np.zeros(spec.p), errors)

    found = Half().solve(data.read(many), None)
    assert found.beta is not None and found.segments is not None
    assert found.segments[np.isnan(found.beta).all(axis=1)].tolist() == [0]
