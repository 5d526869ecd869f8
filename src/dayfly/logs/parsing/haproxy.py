"""Dayfly's own access log, as its balancer has HAProxy write it."""

import json
import re
from functools import lru_cache

from dayfly.logs.parsing.parsed import NUMBER, Format, Known, Parsed
from dayfly.logs.record import Value

_HEAD = re.compile(r"\d{13} \S+ \S+ \S+ https? \S+ \S+ -?\d+ \S\S ")
_WORDS = 18
_FAILED = 500
_MACHINE = re.compile(r"-(\d{1,9})-.+-\d+")


def parse(text: str, _: Known) -> Parsed | None:
    if not _HEAD.match(text) or "\n" in text:
        return None
    words = text.split(" ", _WORDS - 1)
    if len(words) != _WORDS:
        return None
    try:
        return _told(words)
    except ValueError:
        return None


def _told(words: list[str]) -> Parsed:
    (
        time, app, slot, server, frontend, client, method, status, termination, request_ms,
        queue_ms, connect_ms, response_ms, total_ms, retries, size, kind, path,
    ) = words  # fmt: skip
    number, total = int(status), int(total_ms)
    path = _path(path)
    fields: dict[str, Value] = {
        "slot": slot, "server": server, "frontend": frontend, "client": client, "method": method,
        "status": number, "termination": termination, "request_ms": int(request_ms),
        "queue_ms": int(queue_ms), "connect_ms": int(connect_ms), "response_ms": int(response_ms),
        "total_ms": total, "retries": int(retries), "size": 0 if size == "-" else int(size),
        "kind": kind,
    }  # fmt: skip
    for name, word in (("slot", slot), ("server", server), ("method", method), ("size", size)):
        if word == "-":
            del fields[name]
    if kind == "-":
        del fields["kind"]
    fields["path"] = path
    if retries[0] == "+":
        fields["redispatched"] = True
    message = f"{method} {path or '-'} {number} in {total} ms"
    return Parsed(
        message, level(number, termination), int(time) * 1_000_000, fields, _origin(app, server)
    )


def level(status: int, termination: str) -> str:
    """A request that its client or the balancer's own rules ended is no failure."""
    return "error" if status >= _FAILED or termination[:1] in "SsRQDIKU" else "info"


def _path(written: str) -> str:
    path = "" if written == "-" else written.replace("\\/", "/")
    return str(json.loads(f'"{written}"')) if "\\" in path or '"' in path else path


def _origin(app: str, server: str) -> dict[str, str]:
    """A server is called as its machine, which has the release in its name."""
    return dict(_named(app, server))


@lru_cache(maxsize=1024)
def _named(app: str, server: str) -> tuple[tuple[str, str], ...]:
    if app == "-":
        return ()
    found = _MACHINE.fullmatch(server.removeprefix(app))
    if not found or not server.startswith(app):
        return (("app", app),)
    return ("app", app), ("machine", server), ("release", found[1])


FORMATS = (Format(parse, frozenset((NUMBER,)), "h"),)
