"""Access logs in the common and the combined format, as Apache, nginx and gunicorn write them."""

import re

from dayfly.logs.parsing import levels, times
from dayfly.logs.parsing.parsed import Known, Parsed
from dayfly.logs.record import Value

_QUOTED = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
_LINE = re.compile(
    rf"(\S+) (\S+) (\S+) \[([^\]]{{20,30}})\] {_QUOTED} (\d{{3}}) (\d+|-)"
    rf"(?: {_QUOTED} {_QUOTED})?(?: (.*))?"
)
_DJANGO = re.compile(rf"\[([^\]]{{20}})\] {_QUOTED} (\d{{3}}) (\d+)")
_REQUEST = re.compile(r"([A-Z]+) (\S+)(?: (HTTP/[\d.]+))?")
_NAMES = ("client", "ident", "user")


def parse(text: str, known: Known) -> Parsed | None:
    """The line stays the message: it is what people know by sight."""
    if '" ' not in text:
        return None
    found = _LINE.fullmatch(text)
    if not found:
        return _django(text, known)
    *names, at, request, status, size, referer, agent, more = found.groups()
    time = times.of_access(at, known.zone)
    if time is None:
        return None
    fields: dict[str, Value] = dict(zip(_NAMES, names, strict=True))
    fields |= of_request(request) | {"referer": referer or "-", "agent": agent or "-"}
    fields |= {"more": more} if more else {}
    told = {name: value for name, value in fields.items() if value != "-"}
    told |= {"status": int(status), "size": 0 if size == "-" else int(size)}
    return Parsed(text, levels.of_status(int(status)), time, told)


def _django(text: str, known: Known) -> Parsed | None:
    """As `manage.py runserver` writes it."""
    found = _DJANGO.fullmatch(text)
    time = times.of_access(found[1], known.zone) if found else None
    if not found or time is None:
        return None
    fields = of_request(found[2]) | {"status": int(found[3]), "size": int(found[4])}
    return Parsed(text, levels.of_status(int(found[3])), time, fields)


def of_request(request: str) -> dict[str, Value]:
    found = _REQUEST.fullmatch(request)
    if not found:
        return {"request": request}
    method, path, protocol = found.groups()
    fields: dict[str, Value] = {"method": method, "path": path}
    return fields | {"protocol": protocol} if protocol else fields
