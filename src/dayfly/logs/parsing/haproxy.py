"""Dayfly's own access log, as its balancer has HAProxy write it."""

import json
import re

from dayfly.logs.parsing.parsed import Known, Parsed
from dayfly.logs.record import Value

_HEAD = re.compile(r"\d{13} \S+ \S+ \S+ https? \S+ \S+ -?\d+ \S\S ")
_NAMES = (
    "slot", "server", "frontend", "client", "method", "status", "termination", "request_ms",
    "queue_ms", "connect_ms", "response_ms", "total_ms", "retries", "size", "kind",
)  # fmt: skip
_NUMBERS = frozenset({"status", "size"} | {name for name in _NAMES if name.endswith("_ms")})
_WORDS = len(_NAMES) + 3  # and time, app, path
_FAILED = 500
_MACHINE = re.compile(r"-(\d{1,9})-.+-\d+")


def parse(text: str, _: Known) -> Parsed | None:
    if not _HEAD.match(text):
        return None
    words = text.split(" ", _WORDS - 1)
    if len(words) != _WORDS:
        return None
    time, app, *told, path = words
    try:
        fields: dict[str, Value] = {
            name: int(word) if name in _NUMBERS else word
            for name, word in zip(_NAMES, told, strict=True)
            if word != "-"
        }
        retries = str(fields["retries"])
        fields["retries"] = int(retries.lstrip("+"))
        fields["path"] = "" if path == "-" else str(json.loads(f'"{path}"'))
    except (ValueError, KeyError):
        return None
    if retries.startswith("+"):
        fields["redispatched"] = True
    message = f"{fields.get('method', '-')} {fields['path'] or '-'} {fields['status']}"
    message += f" in {fields['total_ms']} ms"
    origin = _origin(app, str(fields.get("server", "")))
    return Parsed(message, _level(fields), int(time) * 1_000_000, fields, origin)


def _origin(app: str, server: str) -> dict[str, str]:
    """A server is called as its machine, which has the release in its name."""
    if app == "-":
        return {}
    found = _MACHINE.fullmatch(server.removeprefix(app))
    if not found or not server.startswith(app):
        return {"app": app}
    return {"app": app, "machine": server, "release": found[1]}


def _level(fields: dict[str, Value]) -> str:
    """A request that its client or the balancer's own rules ended is no failure."""
    status, end = fields["status"], str(fields["termination"])[0]
    if (isinstance(status, int) and status >= _FAILED) or end in "SsRQDIKU":
        return "error"
    return "info"
