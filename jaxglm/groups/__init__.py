"""Owns many fits of one model, per segment or per response: a table of contents.

`_verb` asks `_intake` for rows that stand segment by segment (`_segments`), and `_search` for their
fits (`_records`), which `_results` answers with. The rows of a segment are a lane of a compiled
program (`_lanes`, in shapes that `_buckets` chooses), whose loop is that of a single fit.

Fits that share their rows are `_replicas` of one problem: many responses (`_response_verb`,
`_responses`, `_response_results`), and the replicates of a `_bootstrap`.
"""

from jaxglm.groups._bootstrap import Bootstrap
from jaxglm.groups._response_results import ResponseResults
from jaxglm.groups._response_verb import fit_responses
from jaxglm.groups._results import GroupResults
from jaxglm.groups._verb import fit_groups

__all__ = ["Bootstrap", "GroupResults", "ResponseResults", "fit_groups", "fit_responses"]
