"""A message of syslog as a line of ours."""

from msgspec import structs

from dayfly.logs.intake.documents import line
from dayfly.logs.intake.envelope import content
from dayfly.logs.parsing import syslog
from dayfly.logs.parsing.line import TOLD_TIME, read, text_of
from dayfly.logs.parsing.parsed import Known
from dayfly.logs.parsing.times import believable, shown

STREAM = "syslog"


def line_of(message: bytes, known: Known, peer: str) -> bytes:
    """Never fails; `peer`, who sent it, is the host where the message names none."""
    text = text_of(message).rstrip("\r\n")
    parsed = syslog.parse(text, known) or syslog.of_priority(text) or read(text, known)
    fields, at = dict(parsed.fields), parsed.time
    if at is not None and not believable(at, known.moment):
        fields[TOLD_TIME] = shown(at)
        at = None
    said = content(parsed.message, parsed.level, known)
    time = at if said.time is None else said.time
    origin = {**parsed.origin, **said.origin}
    found = structs.replace(said, time=time, origin={**origin, "host": origin.get("host") or peer})
    return line(found, {**fields, **said.fields}, known.moment, stream=STREAM)
