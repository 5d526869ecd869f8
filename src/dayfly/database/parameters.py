"""A statement of the extended protocol with its parameters filled in."""

import re

from dayfly.database.sqltext import tokens

_PARAMETER = re.compile(r"\$(?P<number>\d+) = (?:(?P<null>NULL)|'(?P<text>(?:[^']|'')*)')")


def values(detail: str) -> dict[str, str]:
    """`Parameters: $1 = 'it''s', $2 = NULL` as literals by their number."""
    return {
        f"${found['number']}": "NULL" if found["null"] else _literal(found["text"])
        for found in _PARAMETER.finditer(detail)
    }


def filled(text: str, detail: str) -> str:
    """The statement with literals for $1, $2 …; those in strings and comments are no parameters."""
    literals = values(detail)
    if not literals:
        return text
    return "".join(
        literals.get(token.text, token.text) if token.kind == "parameter" else token.text
        for token in tokens(text)
    )


def _literal(doubled: str) -> str:
    return f"'{doubled}'"
