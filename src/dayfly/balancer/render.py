"""HAProxy's configuration and maps as text, from what is intended."""

from collections.abc import Mapping, Sequence
from importlib import resources

from dayfly.balancer.doors import DEFAULT_PAGE, HOLD_SECONDS, RETRY_SECONDS, page_file
from dayfly.balancer.routing import SLOTS, Routing, Server, slot_name
from dayfly.balancer.state import Listen

CONFIGURATION = "haproxy.cfg"
CERTIFICATES = "crt-list"
SERVING, ROUTES, ASSETS, CHECKS, NAMES, HOLDS, CLOSED = (
    "maps/serving.map",
    "maps/routes.map",
    "maps/assets.map",
    "maps/checks.map",
    "maps/names.map",  # the Host header of a slot's health check
    "maps/holds.map",  # until when an app's requests wait
    "maps/closed.map",  # the file with a closed app's page
)
# Stick tables that count, by slot, what is open: all of it, and streams.
OPEN, STREAMS = "open", "streams"
SOCKET = "haproxy.sock"
ACCESS_LOG_VARIABLE = "DAYFLY_ACCESS_LOG"  # the file descriptor of the access log

# A dynamic server inherits nothing, so each property is spelled out, here and in the file alike.
# The check is patient: a legacy machine that is busy for 10 s must not lose its traffic.
SERVER = (
    "check inter 2s fastinter 500ms downinter 500ms rise 1 fall 5"
    " weight 100 maxconn 0 maxqueue 0 pool-max-conn -1 pool-low-conn 0 pool-purge-delay 1s"
    " proto h1"
)

# A line of the access log; `accesslog.py` reads it. The path goes without the query, which may
# hold secrets, and escaped as in a JSON string, because a client chooses it.
LOG_FORMAT = (
    "%[date(0,ms)] %[var(txn.app)] %[var(txn.slot)] %s %[so_name] %ci %HM %ST %ts"
    " %TR %Tw %Tc %Tr %Ta %rc %B %[var(txn.kind)] %[var(txn.path),bytes(0,1024),json(utf8s)]"
)

_EVENT_STREAM = (
    "  http-request set-timeout server 1h if { req.hdr(accept) -m sub text/event-stream }"
)


def files(listen: Listen, routing: Routing, certificates: Sequence[str]) -> dict[str, str]:
    """Every rendered file, by its name in the balancer's folder."""
    return {
        CONFIGURATION: configuration(listen, routing, certificates),
        CERTIFICATES: "".join(f"{path}\n" for path in certificates),
        "503.http": _packaged("503.http").replace("\n", "\r\n"),
        "doors.lua": _doors(),
        DEFAULT_PAGE: _packaged(DEFAULT_PAGE),
        **{page_file(app, page): page for app, page in routing.closed.items() if page},
        **{name: _map_text(entries) for name, entries in maps(routing).items()},
    }


def configuration(listen: Listen, routing: Routing, certificates: Sequence[str]) -> str:
    head = _packaged("haproxy.cfg.in")
    for mark, text in (
        ("@ENVIRONMENT@", listen.environment),
        ("@BINDS@", _binds(listen, certificates)),
        ("@LOG_FORMAT@", LOG_FORMAT),
        ("@FILES@", _files(listen)),
        ("@ARCHIVE@", f"  server archive unix@{listen.files_socket}" if listen.files else ""),
    ):
        head = head.replace(mark, text)
    slots = "".join(_backend(slot_name(number), routing) for number in range(SLOTS))
    return f"{head}\n{slots}"


def maps(routing: Routing) -> dict[str, Mapping[str, str]]:
    return {
        CHECKS: {slot: fleet.path for slot, fleet in routing.slots.items()},
        NAMES: {slot: fleet.host for slot, fleet in routing.slots.items()},
        ROUTES: routing.routes,
        ASSETS: routing.assets,
        SERVING: routing.serving,
        HOLDS: {app: str(until) for app, until in routing.holds.items()},
        CLOSED: {app: page_file(app, page) for app, page in routing.closed.items()},
    }


def _doors() -> str:
    text = _packaged("doors.lua").replace("@HOLD_SECONDS@", str(HOLD_SECONDS))
    return text.replace("@RETRY_SECONDS@", str(RETRY_SECONDS))


def _packaged(name: str) -> str:
    return resources.files("dayfly.balancer").joinpath(name).read_text()


def _binds(listen: Listen, certificates: Sequence[str]) -> str:
    lines = [f"  bind {listen.http} name http"]
    if listen.https:
        # Without any certificate HAProxy starts only in this mode; they may come at run time.
        strict = "" if certificates else " strict-sni"
        lines.append(
            f"  bind {listen.https} name https ssl crt-list {CERTIFICATES}{strict} alpn h2,http/1.1"
        )
    return "\n".join(lines)


def _files(listen: Listen) -> str:
    """Which requests are the file archive's."""
    if not listen.files:
        return "  acl files always_false"
    host = "req.fhdr(host),host_only,lower,rtrim(.)"
    lines = (f"  acl files {host} -m {how}" for how in _named(listen.files))
    return "\n".join(lines)


def _named(host: str) -> tuple[str, str]:
    """It, and what is below it."""
    return f"str {host}", f"end .{host}"


def _backend(name: str, routing: Routing) -> str:
    lines = [f"backend {name}", "  balance leastconn", _EVENT_STREAM]
    if name in routing.slots:
        lines += [f"  server {_server(server)}" for server in routing.slots[name].servers]
    return "\n".join(lines) + "\n"


def add_server(slot: str, server: Server) -> str:
    return f"add server {slot}/{_server(server)}"


def _server(server: Server) -> str:
    return f"{server.name} {server.address} {SERVER}"


def _map_text(entries: Mapping[str, str]) -> str:
    return "".join(f"{key} {value}\n" for key, value in sorted(entries.items()))
