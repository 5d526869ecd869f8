"""Messages in an envelope that tells their time and level, such as syslog's or the journal's."""

from msgspec import structs

from dayfly.logs.parsing.line import read
from dayfly.logs.parsing.parsed import Known, Parsed


def content(message: str, level: str, known: Known) -> Parsed:
    """A message as it is; an object is read, and what it says of time and level counts."""
    text = message.lstrip() if message[:1].isspace() else message
    if text.startswith("@cee:"):
        text = text.removeprefix("@cee:").lstrip()
    if not text.startswith("{"):
        return Parsed(message, level)
    parsed = read(text, known)
    return structs.replace(parsed, level=parsed.level or level)
