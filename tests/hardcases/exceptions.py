"""Hard cases whose verdict is not "handled": the verdict that holds instead, and the reason.

"n/a" is what the engine does not offer; those do not count in the share of handled cases.
"""

NO_BATCHES = "fits of many segments in one call are not offered yet"

EXCEPTIONS: dict[str, tuple[str, str]] = {
    "batch_one_bad_segment": ("n/a", NO_BATCHES),
    "batch_unequal_sizes": ("n/a", NO_BATCHES),
    "batch_scale_mix": ("n/a", NO_BATCHES),
}
