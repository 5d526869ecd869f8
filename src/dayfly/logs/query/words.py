"""Words and phrases that are looked for in the message."""

import re

from dayfly.logs.query.cursor import Cursor, Run
from dayfly.logs.query.tree import Everything, Node, Phrase, Prefix, Word

_TOKEN = re.compile(r"\w+")


def of_message(cursor: Cursor, run: Run) -> Node:
    """A word, the beginning of one, or, with any other character in it, text as it stands."""
    quoted = cursor.text[run.at] == '"'
    one_word = not quoted and bool(_TOKEN.fullmatch(run.text))
    if run.star and one_word:
        return Prefix(run.text)
    if run.star and not run.text and not quoted:
        return Everything()
    if run.star:
        cursor.refuse(
            "found `*` after more than one word, allowed is `*` after letters, digits and `_`;"
            " write a /regex/",
            cursor.at - 1,
        )
    if not run.text:
        cursor.refuse("found nothing between the quotes, allowed is a text", run.at)
    return Word(run.text) if one_word else Phrase(run.text)
