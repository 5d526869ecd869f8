"""Variables that lead a program to production's database, made to lead it to a copy.

Apps take their database from one URL, from several (a pool's, a replica's, Django's, JDBC's), or
from parts: `DB_HOST`, `POSTGRES_PASSWORD`, libpq's own `PG…`.
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from dayfly.database.guard import NAME, ONLY
from dayfly.database.jdbc import ALONE, for_flyway

_URL = re.compile(
    r"(?P<jdbc>jdbc:)?(?:postg|pg|psql|timescale)[a-z0-9]*(?:\+[a-z0-9_]+)?://[^\s\"'<>]+",
    re.IGNORECASE,
)
_WORDS = re.compile(r"\b(?:dbname|host)\s*=")
_PARTS = {
    "host": r"HOST|HOSTNAME|SERVER|ADDR|ADDRESS",
    "port": r"PORT",
    "user": r"USER|USERNAME|LOGIN",
    "password": r"PASSWORD|PASSWD|PASS|PWD",
    "dbname": r"DBNAME|DATABASE|NAME|DB",
}
_PART = re.compile(
    "|".join(f"(?P<{part}>{names})$" for part, names in _PARTS.items()), re.IGNORECASE
)
_OF_DATABASES = re.compile("DB|DATABASE|POSTGRES|PSQL|PG|SQL", re.IGNORECASE)
_LIBPQ = {
    "PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password",
    "PGDATABASE": "dbname",
}  # fmt: skip
_LEADS_AWAY = frozenset({"PGSERVICE", "PGSERVICEFILE", "PGPASSFILE", "PGHOSTADDR", "PGSYSCONFDIR"})
_LOCAL = frozenset({"", "localhost", "127.0.0.1", "::1", "[::1]", "0.0.0.0"})  # noqa: S104 - a name


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A database, as far as a value names it."""

    host: str = ""
    port: str = ""
    user: str = ""
    password: str = ""
    dbname: str = ""

    def is_same(self, other: "_Place") -> bool:
        """Through a pool, or on a replica, it is the same with the same name and password."""
        known = (self.user, self.password) == (other.user, other.password) != ("", "")
        return self.dbname == other.dbname and (_host(self.host) == _host(other.host) or known)


def to_copy(
    variables: Mapping[str, str],
    production: Sequence[str],
    copy: str,
    *,
    url: str,
    fenced: bool = True,
) -> dict[str, str]:
    """All of them, those changed that lead to `production`, which may have several URLs.

    `url` is the variable that the app is known to read. Whoever reads none of them and enters
    through libpq is known by the application's name, is led to the copy's address, and finds no
    other server that lets it in if the copy is `fenced`: on a server of our own. That is left
    out where some variable leads to one more PostgreSQL.
    """
    places = [_place_of(known) for known in production if known]
    to = _place_of(copy)
    kept = {name: value for name, value in variables.items() if name not in _LEADS_AWAY}
    led = {name: _led(value, places, copy) for name, value in kept.items()}
    own = {name: getattr(to, part) for name, part in _LIBPQ.items() if getattr(to, part)}
    more = any(led[name] == value and _URL.search(value) for name, value in kept.items())
    return {
        **led,
        **_parts(kept, places, to),
        **own,
        **for_flyway(copy, options=ALONE),
        **({} if more else _address(to)),
        **({} if more or not fenced else _asking_for_more(kept)),
        "PGAPPNAME": NAME,
        url: copy,
    }


def _asking_for_more(variables: Mapping[str, str]) -> dict[str, str]:
    options = f"{variables.get('PGOPTIONS', '')} -c default_tablespace={ONLY}"
    return {"PGOPTIONS": options.strip()}


def _address(to: _Place) -> dict[str, str]:
    """That libpq goes to, whatever host it is told."""
    try:
        return {"PGHOSTADDR": str(ipaddress.ip_address(to.host.strip("[]")))}
    except ValueError:
        return {}


def _led(value: str, places: Sequence[_Place], copy: str) -> str:
    """With the copy in each URL, or in libpq's own words."""

    def one(found: re.Match[str]) -> str:
        try:
            own = _of_url(found[0].removeprefix(found["jdbc"] or ""))
            return _as(found[0], copy) if any(map(own.is_same, places)) else found[0]
        except ValueError:
            return found[0]

    if not _WORDS.search(value) or "://" in value:
        return _URL.sub(one, value)
    try:
        own = _place_of(value)
    except psycopg.Error:
        return value
    return make_conninfo("", **conninfo_to_dict(copy)) if any(map(own.is_same, places)) else value


def _as(value: str, copy: str) -> str:
    """The copy's URL with the scheme of another one and what that asks of its driver."""
    jdbc = "jdbc:" if value.lower().startswith("jdbc:") else ""
    was, new = urlsplit(value[len(jdbc) :]), urlsplit(copy)
    to = _place_of(copy)
    asked = dict(parse_qsl(was.query, keep_blank_values=True))
    for gone in ("host", "hostaddr", "port", "dbname", "sslmode", "target_session_attrs"):
        asked.pop(gone, None)
    if not jdbc:
        return urlunsplit((was.scheme, new.netloc, new.path, urlencode(asked), ""))
    asked |= {"user": to.user, "password": to.password}
    where = f"{to.host}:{to.port}"
    return f"jdbc:{was.scheme}://{where}/{quote(to.dbname, safe='')}?{urlencode(asked)}"


def _parts(variables: Mapping[str, str], places: Sequence[_Place], to: _Place) -> dict[str, str]:
    """Those with a common beginning belong together: `DB_HOST`, `DB_PASSWORD`."""
    groups: dict[str, dict[str, str]] = {}
    for name in variables:
        part = _PART.search(name)
        if part and part.lastgroup:
            groups.setdefault(name[: part.start()], {})[part.lastgroup] = name
    changed: dict[str, str] = {}
    for start, names in groups.items():
        own = _Place(**{part: variables[name] for part, name in names.items()})
        if start and any(_leads(start, own, place) for place in places):
            named = {"port": f"{start}{'port' if start.islower() else 'PORT'}", **names}
            changed |= {name: getattr(to, part) for part, name in named.items()}
    return changed


def _leads(start: str, own: _Place, place: _Place) -> bool:
    """Together with what the app has written down of the rest; a host has other services too."""
    if own.dbname and own.dbname != place.dbname:
        return False
    known = own.dbname or (own.password and own.password == place.password)
    if own.host and _host(own.host) == _host(place.host):
        return bool(known or _OF_DATABASES.search(start))
    return bool(known and own.password == place.password)


def _host(name: str) -> str:
    lower = name.lower().rstrip(".")
    return "localhost" if lower in _LOCAL or lower.startswith("/") else lower


def _place_of(url: str) -> _Place:
    """None of our own surroundings may stand for what a URL leaves out."""
    found = conninfo_to_dict(url)
    return _Place(**{part: str(found.get(part) or "") for part in _PARTS})


def _of_url(value: str) -> _Place:
    """A driver's; what libpq does not know is in its query, or in front of it."""
    parts = urlsplit(value)
    asked = dict(parse_qsl(parts.query))
    return _Place(
        host=asked.get("host") or parts.hostname or "",
        port=asked.get("port") or str(parts.port or ""),
        user=unquote(parts.username or "") or asked.get("user", ""),
        password=unquote(parts.password or "") or asked.get("password", ""),
        dbname=unquote(parts.path.lstrip("/")) or asked.get("dbname", ""),
    )
