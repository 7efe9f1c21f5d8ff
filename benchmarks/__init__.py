"""Benchmarks: one folder each, results as JSON with the machine they came from."""
