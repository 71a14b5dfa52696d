"""ECMAScript regular expressions, in a bounded time."""

from abmiddleware.evaluation.patterns.compiled import compile_pattern, cut_offs
from abmiddleware.evaluation.patterns.tree import PatternError, RefusedPatternError

__all__ = ["PatternError", "RefusedPatternError", "compile_pattern", "cut_offs"]
