"""Which records are errors, wherever somebody asks for them without words of their own."""

from dayfly.logs.query import tree
from dayfly.logs.query.values import LEVELS

ERRORS = tree.Or(
    tuple(tree.Compare("level", "=", level) for level in LEVELS[LEVELS.index("error") :])
)
