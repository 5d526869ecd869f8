"""HAProxy's own formats: httplog, httpslog, tcplog, and what it says of a failed handshake."""

import re

from dayfly.logs.parsing import access, haproxy, times
from dayfly.logs.parsing.parsed import NUMBER, Format, Known, Parsed
from dayfly.logs.record import Value

# The client's address may be of IPv6.
_HEAD = re.compile(
    r"([\da-fA-F.:]+|unix):(\d{1,5}) \[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d)\.(\d{3})\] "
    r"([^\s~/]+)"
)
_SERVED = r"~? (?P<backend>[^\s/]+)/(?P<server>[^\s/]+) "
_COUNT = r"\d{1,18}"
_NUMBER = rf"[+-]?{_COUNT}"  # a plus: written before the end was there, by `option logasap`
_LOAD = (
    rf" (?P<connections>{_COUNT})/\d+/\d+/\d+/(?P<retries>\+?{_COUNT})"
    rf" (?P<server_queue>{_COUNT})/(?P<backend_queue>{_COUNT})"
)
_HTTP = re.compile(
    rf"{_SERVED}(?P<request_ms>{_NUMBER})/(?P<queue_ms>{_NUMBER})/(?P<connect_ms>{_NUMBER})"
    rf"/(?P<response_ms>{_NUMBER})/(?P<total_ms>{_NUMBER}) (?P<status>-1|\d{{3}})"
    rf" (?P<size>{_NUMBER}) \S+ \S+ (?P<termination>\S{{4}}){_LOAD}"
    r"(?P<captured>(?: \{[^}]*\}){0,2})"
    # Without its end where a long line was cut.
    r' "(?P<request>[^"]*)(?:"(?: \S+ (?P<tls_name>[^\s/]+)/(?P<tls_version>[^\s/]+)'
    r"/(?P<tls_cipher>[^\s/]+))?)?"
)
_TCP = re.compile(
    rf"{_SERVED}(?P<queue_ms>{_NUMBER})/(?P<connect_ms>{_NUMBER})/(?P<total_ms>{_NUMBER})"
    rf" (?P<size>{_NUMBER}) (?P<termination>\S\S){_LOAD}"
)
_HANDSHAKE = re.compile(r"~?/[^\s:]+: (?P<reason>.+)")  # the name of what listens, or its number
_ENCODED = re.compile(r"#(22|23)")  # a quote, and the sign itself
_NOTHING = frozenset({"-", "<NOSRV>", ""})
_WORDS = ("backend", "server", "termination", "captured", "tls_name", "tls_version", "tls_cipher")
_NUMBERS = (
    "status", "request_ms", "queue_ms", "connect_ms", "response_ms", "total_ms", "size",
    "connections", "retries", "server_queue", "backend_queue",
)  # fmt: skip


def parse(text: str, known: Known) -> Parsed | None:
    """The line stays the message: it is what people know by sight."""
    head = _HEAD.match(text)
    if not head:
        return None
    client, port, at, milliseconds, frontend = head.groups()
    seconds = times.of_access(at, known.zone)
    if seconds is None:
        return None
    fields: dict[str, Value] = {"client": client, "client_port": int(port), "frontend": frontend}
    time = seconds + int(milliseconds) * 1_000_000
    if found := _HTTP.fullmatch(text, head.end()) or _TCP.fullmatch(text, head.end()):
        told = found.groupdict(default="")
        fields |= _fields(told)
        level = haproxy.level(int(told.get("status", 0)), told["termination"])
        return Parsed(text, level, time, fields)
    if found := _HANDSHAKE.fullmatch(text, head.end()):
        return Parsed(text, "info", time, fields | {"reason": found["reason"]})
    return None


def in_syslog(parsed: Parsed) -> Parsed:
    """With what HAProxy tells in its message, which is more than syslog tells of it."""
    if parsed.origin.get("process") == "haproxy" and (told := parse(parsed.message, Known(0))):
        parsed.level = told.level
        parsed.fields = parsed.fields | told.fields
    return parsed


def _fields(told: dict[str, str]) -> dict[str, Value]:
    fields: dict[str, Value] = {
        name: told[name].strip() for name in _WORDS if told.get(name, "") not in _NOTHING
    }
    fields |= {name: int(told[name]) for name in _NUMBERS if name in told}
    if told["retries"][0] == "+":
        fields["redispatched"] = True
    if request := told.get("request"):
        fields |= access.of_request(_ENCODED.sub(_letter, request))
    return fields


def _letter(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))


FORMATS = (Format(parse, frozenset((NUMBER, *"abcdefu:")), "]"),)
