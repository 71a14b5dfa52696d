"""ECMAScript regular expressions, in a bounded time."""

from abmiddleware.evaluation.patterns.allowance import paid, paid_by
from abmiddleware.evaluation.patterns.budget import Budget
from abmiddleware.evaluation.patterns.compiled import compile_pattern
from abmiddleware.evaluation.patterns.pattern import cut_offs
from abmiddleware.evaluation.patterns.tree import PatternError, RefusedPatternError

__all__ = [
    "Budget",
    "PatternError",
    "RefusedPatternError",
    "compile_pattern",
    "cut_offs",
    "paid",
    "paid_by",
]
