"""A database's URL for the JVM, whose driver takes neither PostgreSQL's own form nor its PG…."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict

# On a copy nobody else is: what waits there waits for itself, as Flyway's own lock makes it do.
ALONE = "-c lock_timeout=10s"
_SAME = ("sslmode", "sslrootcert", "sslcert", "sslkey")  # names that both know


def for_flyway(url: str, *, name: str = "", options: str = "") -> Mapping[str, str]:
    """The variables that Flyway reads; its sessions bear `name` and obey libpq's `options`.

    They win over its files, which may name production. None for a Unix socket, which the driver
    cannot enter.
    """
    parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    hosts = parts.get("host", "localhost").split(",")
    if any(host.startswith(("/", "@")) for host in hosts):
        return {}
    asked = {key: parts[key] for key in _SAME if key in parts}
    asked |= {"ApplicationName": name} if name else {}
    told = " ".join(filter(None, (parts.get("options", ""), options)))
    asked |= {"options": told} if told else {}
    query = f"?{urlencode(asked)}" if asked else ""
    database = quote(parts.get("dbname", ""), safe="")
    return {
        "FLYWAY_URL": f"jdbc:postgresql://{_places(hosts, parts)}/{database}{query}",
        "FLYWAY_USER": parts.get("user", ""),
        "FLYWAY_PASSWORD": parts.get("password", ""),
    }


def _places(hosts: list[str], parts: Mapping[str, str]) -> str:
    ports = [port or "5432" for port in parts.get("port", "").split(",")]
    ports = ports * len(hosts) if len(ports) == 1 else ports
    named = (f"[{host}]" if ":" in host else host for host in hosts)
    return ",".join(f"{host}:{port}" for host, port in zip(named, ports, strict=True))
