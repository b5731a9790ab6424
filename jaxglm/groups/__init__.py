"""Owns one model per segment: a table of contents.

A segment's rows are a lane of a compiled program, whose loop is that of a single fit.
"""

from jaxglm.groups._results import GroupResults

__all__ = ["GroupResults"]
