"""Budgets, as ratios measured in one run on the same work: `python -m benchmarks [NAME ...]`."""
