"""A rule read back in words, Chinese and English: what it counts, how that becomes points, when which light is lit.

``vocabulary`` knows what things are called, ``expressions`` and ``filters`` read conditions and arithmetic, ``metrics``
what is counted, ``scores`` how a value becomes points, ``whole`` a rule from top to end. Nothing here is stored.
"""

from .expressions import read_expression, read_light
from .filters import read_conditions, read_filter
from .metrics import read_metric
from .scores import read_node, read_shape
from .vocabulary import Vocabulary
from .whole import Section, read_rule

__all__ = [
    "Section",
    "Vocabulary",
    "read_conditions",
    "read_expression",
    "read_filter",
    "read_light",
    "read_metric",
    "read_node",
    "read_rule",
    "read_shape",
]
