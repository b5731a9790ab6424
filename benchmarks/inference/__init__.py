"""What inference costs once a model is fitted: `python -m benchmarks.inference`.

The optimum is found before the clock starts. What is measured is what is asked of a fit afterwards:
robust covariances, leverages, measures of quality; in passes over the rows, and against the peers.
"""
