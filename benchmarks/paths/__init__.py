"""What a path of penalties costs: `python -m benchmarks.paths`.

All libraries get the same columns and the same strengths, so their optima are the same; NumPy says
how near to them each came. What is compared are the times at which they came near enough.
"""
