"""Hard cases whose verdict is not "handled": the verdict that holds instead, and the reason.

"n/a" is what the engine does not offer; those do not count in the share of handled cases.
"""

EXCEPTIONS: dict[str, tuple[str, str]] = {}
