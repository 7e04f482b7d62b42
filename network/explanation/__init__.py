"""Where two executions of a network differ, the integer trace of one element, and the ranges of values."""

from siliconv.network.explanation.comparison import Comparison
from siliconv.network.explanation.element_trace import ElementTrace, trace_element
from siliconv.network.explanation.first_difference import Execution, Explanation, explain
from siliconv.network.explanation.ranges import ValueRange, value_ranges

__all__ = [
    "Comparison",
    "ElementTrace",
    "Execution",
    "Explanation",
    "ValueRange",
    "explain",
    "trace_element",
    "value_ranges",
]
