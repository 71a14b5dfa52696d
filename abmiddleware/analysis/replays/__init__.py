"""A/A tests: units are assigned again and again by other seeds, and nothing should be found.

Each replay hashes by the real hash, splits by the real ranges and compares by the real inference.
Only the seed is another one, so that what it finds are false positives.
"""
