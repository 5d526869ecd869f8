"""What a well-formed environment.toml may still not say."""

import re
from collections.abc import Iterator
from itertools import combinations

from dayfly.config.address import EVERYWHERE, address_of, is_host_name
from dayfly.config.alert_rules import alert_problems
from dayfly.config.cron import zone_of
from dayfly.config.environment import Environment
from dayfly.config.files_rules import files_problems
from dayfly.config.logs_rules import logs_problems
from dayfly.config.names import name_problem, named
from dayfly.config.problem import KeyPath, Problem
from dayfly.config.read import shown
from dayfly.config.tunnel_rules import tunnel_problems

_URL = re.compile(r"postgres(ql)?://[^/?\s]*/[^/?\s]+(\?\S*)?")


def environment_problems(environment: Environment) -> list[Problem]:
    rules = (_plain, _addresses, _routes, _amounts)
    own = [problem for rule in rules for problem in rule(environment)]
    rooms = (
        alert_problems(environment.alert),
        logs_problems(environment.logs),
        files_problems(environment),
        tunnel_problems(environment.tunnel),
    )
    return [*own, *(problem for room in rooms for problem in room)]


def _plain(environment: Environment) -> Iterator[Problem]:
    if says := name_problem(environment.name):
        yield Problem(("name",), says)
    try:
        zone_of(environment.time_zone)
    except ValueError:
        found = shown(environment.time_zone)
        says = f"found {found}, allowed is a name that the system knows, such as Europe/Vienna"
        yield Problem(("time_zone",), says)
    if environment.scratch_url is not None and not _URL.fullmatch(environment.scratch_url):
        # What was found may hold a password.
        says = 'allowed is a URL such as "postgresql://USER:PASSWORD@HOST:5432/postgres"'
        yield Problem(("scratch_url",), says)
    if environment.hosts != ("localhost",):
        says = 'machines run on this host only; allowed is ["localhost"]'
        yield Problem(("hosts",), says)


def _addresses(environment: Environment) -> Iterator[Problem]:
    listens = _listens(environment)
    known = {at: address for at, listen in listens.items() if (address := address_of(listen))}
    for at in listens.keys() - known.keys():
        says = f'found {shown(listens[at])}, allowed is an address and a port: "127.0.0.1:8080"'
        yield Problem(at, says)
    public = environment.api.address
    if public is not None and not re.fullmatch(r"https?://[A-Za-z0-9.\[\]:-]+/?", public):
        says = f'found {shown(public)}, allowed is an address such as "https://dayfly.example"'
        yield Problem(("api", "address"), says)
    for (first, (host, port)), (second, (other, another)) in combinations(known.items(), 2):
        if port == another and (host == other or {host, other} & EVERYWHERE.keys()):
            says = f"port {port} is taken by {'.'.join(map(str, first))}"
            yield Problem(second, says, (first,))


def _listens(environment: Environment) -> dict[KeyPath, str]:
    """All addresses that are listened to, in the order in which the earlier ones come first."""
    https, logs = environment.balancer.https, environment.logs
    told: dict[KeyPath, str | None] = {
        ("balancer", "http"): environment.balancer.http,
        ("balancer", "https", "listen"): https.listen if https else None,
        ("api", "listen"): environment.api.listen,
        ("logs", "listen"): logs.listen,
        ("logs", "syslog", "listen"): logs.syslog.listen,
        ("logs", "syslog", "tls"): logs.syslog.tls,
        ("files", "listen"): environment.files.listen,
    }
    return {at: listen for at, listen in told.items() if listen is not None}


def _routes(environment: Environment) -> Iterator[Problem]:
    yield from named(("route",), environment.route)
    claimed: dict[tuple[str, str], str] = {}
    for app, route in environment.route.items():
        if not re.fullmatch(r"/[!-~]*", route.path):
            says = f"found {shown(route.path)}, allowed is a path that starts with /"
            yield Problem(("route", app, "path"), says)
        for place, host in enumerate(route.hosts):
            if not is_host_name(host):
                says = f"found {shown(host)}, allowed is a host name in lower case"
                yield Problem(("route", app, "hosts", place), says)
        for host in route.hosts or ("",):
            holder = claimed.setdefault((host, route.path.rstrip("/")), app)
            if holder != app:
                says = f"{host or 'every host'}{route.path} is {holder}'s already"
                yield Problem(("route", app), says)


def _amounts(environment: Environment) -> Iterator[Problem]:
    kept = environment.retention
    if kept.releases < 1:
        yield Problem(("retention", "releases"), f"found {kept.releases}, allowed is 1 or more")
    if not environment.drift.every:
        yield Problem(("drift", "every"), "found 0, allowed is more than that")
    for name in ("events", "access_log"):
        if not getattr(kept, name):
            yield Problem(("retention", name), "found 0, allowed is more than that")
