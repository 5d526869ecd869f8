"""Access logs in the common and the combined format, as Apache, nginx and gunicorn write them."""

import re
from functools import lru_cache

from dayfly.logs.parsing import levels, times
from dayfly.logs.parsing.parsed import NUMBER, Format, Known, Parsed
from dayfly.logs.record import Value

_QUOTED = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
_LINE = re.compile(
    rf"(\S+) (\S+) (\S+) \[([^\]]{{20,30}})\] {_QUOTED} (\d{{3}}) (\d+|-)"
    rf"(?: {_QUOTED} {_QUOTED})?(?: (.*))?"
)
_DJANGO = re.compile(rf"\[([^\]]{{20}})\] {_QUOTED} (\d{{3}}) (\d+)")
_REQUEST = re.compile(r"([A-Z]+) (\S+)(?: (HTTP/[\d.]+))?")
_NAMES = ("client", "ident", "user", "referer", "agent", "more")
_COMBINED, _NAMED, _COUNTS, _ASKED = 7, 4, 4, 3  # parts of a line, and words of each of them
_STATUS = 3  # digits
_FAILED = "500"


def parse(text: str, known: Known) -> Parsed | None:
    """The line stays the message: it is what people know by sight."""
    if '" ' not in text:
        return None
    if "\\" not in text and "\n" not in text and (parsed := _combined(text, known)):
        return parsed
    found = _LINE.fullmatch(text)
    if not found:
        return _django(text, known)
    *names, at, request, status, size, referer, agent, more = found.groups()
    time = times.of_access(at, known.zone)
    if time is None:
        return None
    fields = of_request(request) if request != "-" else {}
    fields["status"], fields["size"] = int(status), 0 if size == "-" else int(size)
    for name, word in zip(_NAMES, (*names, referer, agent, more), strict=True):
        if word and word != "-":
            fields[name] = word
    return Parsed(text, levels.of_status(int(status)), time, fields)


def _combined(text: str, known: Known) -> Parsed | None:
    """As nearly all are: taken apart at quotes and blanks for half of the pattern's price."""
    parts = text.split('"')
    if len(parts) != _COMBINED:
        return None
    names, counts = parts[0].split(" ", 3), parts[2].split(" ")
    if len(names) != _NAMED or len(counts) != _COUNTS:
        return None
    client, ident, user, at = names
    _, request, _, referer, between, agent, more = parts
    status, size = counts[1], counts[2]
    if more or between != " " or at[:1] != "[" or at[-2:] != "] " or counts[0] or counts[3]:
        return None
    if not size.isdecimal() or not status.isdecimal() or len(status) != _STATUS:
        return None
    time = times.of_access(at[1:-2], known.zone)
    if time is None or not client or not ident or not user:
        return None
    return Parsed(
        text,
        "error" if status >= _FAILED else "info",
        time,
        _fields(client, ident, user, request, status, size, referer, agent),
    )


def _fields(*words: str) -> dict[str, Value]:
    client, ident, user, request, status, size, referer, agent = words
    fields: dict[str, Value] = {"client": client, "status": int(status), "size": int(size)}
    if client == "-":
        del fields["client"]
    asked = request.split(" ")
    if len(asked) == _ASKED and asked[1] and _is_request(asked[0], asked[2]):
        fields["method"], fields["path"], fields["protocol"] = asked
    elif request != "-":
        fields |= of_request(request)
    if ident != "-":
        fields["ident"] = ident
    if user != "-":
        fields["user"] = user
    if referer and referer != "-":
        fields["referer"] = referer
    if agent and agent != "-":
        fields["agent"] = agent
    return fields


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


@lru_cache(maxsize=256)
def _is_request(method: str, protocol: str) -> bool:
    return bool(_REQUEST.fullmatch(f"{method} / {protocol}"))


USUAL = Format(parse, frozenset((NUMBER,)), '"')
FORMAT = Format(parse, frozenset(), '"')  # whatever else it begins with
