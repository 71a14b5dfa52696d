"""Benchmarks: what a decision costs, and what the middleware adds to a request."""
