"""What of a message a query asked for, so that it can be shown."""

import re

from dayfly.logs.query import patterns, tree


def pattern(node: tree.Node) -> str:
    """One regular expression of everything that is wanted in the message; empty for nothing."""
    found = (one for one in _patterns(node) if patterns.problem_of(one) is None)
    return "|".join(dict.fromkeys(found))


def _patterns(node: tree.Node) -> list[str]:
    match node:
        case tree.Word(text):
            return [rf"(?i:\b{re.escape(text)}\b)"]
        case tree.Prefix(text):
            return [rf"(?i:\b{re.escape(text)}\w*)"]
        case tree.Phrase(text):
            return [f"(?i:{re.escape(text)})"]
        case tree.Regex(written) | tree.Matches("message", written):
            return [f"(?:{written})"]
        case tree.And(parts) | tree.Or(parts):
            return [one for part in parts for one in _patterns(part)]
        case _:  # what is not to be there is not shown either
            return []
