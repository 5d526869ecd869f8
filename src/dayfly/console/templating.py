"""How pages are made. Everything shown was written by others and is escaped."""

from functools import partial

from jinja2 import Environment, PackageLoader, StrictUndefined

from dayfly import shown
from dayfly.console import words
from dayfly.console.logs.view import about, found


def templates() -> Environment:
    made = Environment(
        loader=PackageLoader("dayfly.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_harmless,
    )
    made.filters |= {
        "duration": partial(shown.duration, nothing="—"),
        "moment": words.moment,
        "left": words.left,
        "count": words.count,
        "tone": words.tone,
        "way_back": shown.way_back,
        "milliseconds": words.milliseconds,
        "size": words.size,
    }
    made.globals |= {"logs_about": about, "logs_found": found}
    return made


def _harmless(value: object) -> object:
    """Every text that a template shows passes here."""
    return shown.plain(value) if type(value) is str else value
