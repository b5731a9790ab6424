"""Fits of many segments at once."""

import numpy as np

from ._registry import in_group, model, normal, poisson_quantile, uniform, with_intercept

case = in_group("batched per-segment fits")


def _seg():
    n = 40
    segs = []
    for k in range(6):
        x = normal(n, k)
        segs.append(
            (
                with_intercept(n, x),
                poisson_quantile(uniform(n, k + 1), np.exp(0.5 + 0.1 * k + 0.3 * x)),
            )
        )
    return segs


@case(
    "batch_one_bad_segment",
    "one segment all zeros, one rank-deficient, one with a NaN: those are flagged one by one,"
    " the others equal their separate fits",
)
def _():
    s = _seg()
    s[1] = (s[1][0], np.zeros(40))
    s[3] = (np.column_stack([np.ones(40), np.ones(40)]), s[3][1])
    bad = s[4][0].copy()
    bad[5, 1] = np.nan
    s[4] = (bad, s[4][1])
    return dict(
        X=[a for a, _ in s],
        y=[b for _, b in s],
        kwargs=model("poisson", "log", batched=True),
        expect=dict(kind="batch", good=[0, 2, 5], flagged=[1, 3, 4], digits=8),
    )


@case(
    "batch_unequal_sizes",
    "segments of 1, 2, 40 and 400 rows: each equals its separate fit,"
    " the one-row segment is flagged as rank-deficient",
)
def _():
    out = []
    for n in (1, 2, 40, 400):
        x = normal(n)
        out.append(
            (
                with_intercept(n, x),
                np.maximum(poisson_quantile(uniform(n, 1), np.exp(1 + 0.3 * x)), 1),
            )
        )
    return dict(
        X=[a for a, _ in out],
        y=[b for _, b in out],
        kwargs=model("poisson", "log", batched=True),
        expect=dict(kind="batch", good=[1, 2, 3], flagged=[0], digits=8),
    )


@case(
    "batch_scale_mix",
    "segments whose y differ by 1e12: one slow segment must not stop or spoil the others",
)
def _():
    out = []
    for k in range(4):
        x = normal(50, k)
        out.append(
            (with_intercept(50, x), 10.0 ** (4 * k - 6) * np.exp(0.4 * x + 0.3 * normal(50, k + 1)))
        )
    return dict(
        X=[a for a, _ in out],
        y=[b for _, b in out],
        kwargs=model("Gamma", "log", batched=True),
        expect=dict(kind="batch", good=[0, 1, 2, 3], flagged=[], digits=8),
    )
