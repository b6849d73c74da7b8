"""The bench: `python -m tests.bench`, or `make bench`. What it measures and how stands in docs/benchmarks.md."""
