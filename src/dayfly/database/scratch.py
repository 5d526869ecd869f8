"""Throw-away PostgreSQL: for the app's own tests, never near the app's data."""

import secrets
import signal
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql

from dayfly.clock import DeadlineError, wait_until
from dayfly.command import reap, start_detached
from dayfly.database.cluster import ADMIN, Cluster, end, new_cluster
from dayfly.database.connection import connect
from dayfly.database.programs import DatabaseError
from dayfly.database.programs import programs as found_programs

START_SECONDS = 30.0
ATTEMPTS = 3  # a free port may be taken before the server binds it
APP = "app"  # may create databases, but is no superuser: it can't reach the machine's files

_END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}"
# Nothing here needs to survive a crash.
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "64MB",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
}


@dataclass(frozen=True)
class ScratchServer:
    """A running server, reachable on the loopback address by password only."""

    port: int
    admin_password: str
    app_password: str

    @contextmanager
    def database(self) -> Iterator[str]:
        """A fresh, empty database that its user owns: the URL. Dropped on the way out."""
        name = f"scratch_{secrets.token_hex(4)}"
        self._administer("CREATE DATABASE {} OWNER {}", sql.Identifier(name), sql.Identifier(APP))
        try:
            yield f"postgresql://{APP}:{self.app_password}@127.0.0.1:{self.port}/{name}"
        finally:
            self._drop(name)

    def _drop(self, name: str) -> None:
        """With whoever is in it; FORCE would say so, but not before PostgreSQL 13."""
        database = sql.Identifier(name)
        try:
            self._administer("ALTER DATABASE {} ALLOW_CONNECTIONS false", database)
        except DatabaseError as error:
            if isinstance(error.__cause__, psycopg.errors.InvalidCatalogName):
                return  # its user was quicker
            raise
        self._administer(_END_SESSIONS, sql.Literal(name))
        self._administer("DROP DATABASE {}", database)

    @property
    def maintenance(self) -> str:
        return "postgres"

    @property
    def template(self) -> str:
        return "production"

    def owner(self, role: str) -> str:
        return ADMIN if role.startswith("pg_") else role

    def new_name(self) -> str:
        return f"copy_{secrets.token_hex(4)}"

    def admit(
        self, connection: psycopg.Connection, role: str, *, superuser: bool | None = None
    ) -> None:
        """Let one of production's roles in, with the password that the app's user has here."""
        if role != ADMIN:
            rights = {True: "SUPERUSER", False: "NOSUPERUSER", None: ""}[superuser]
            words = sql.Identifier(role), sql.SQL(rights), sql.Literal(self.app_password)
            connection.execute(sql.SQL("ALTER ROLE {} LOGIN {} PASSWORD {}").format(*words))

    def refuse_lasting(self, texts: Iterable[str]) -> None:
        """Nothing lasts here."""

    def entered_by(self, role: str, url: str) -> str:
        """The same database as a role that was admitted."""
        database = urlsplit(url).path.removeprefix("/")
        return url if role == ADMIN else self.url(database, role, self.app_password)

    def url(self, database: str, user: str = ADMIN, password: str = "") -> str:
        """Of a database; as the superuser unless somebody else is named."""
        secret = password or self.admin_password
        return f"postgresql://{quote(user)}:{secret}@127.0.0.1:{self.port}/{database}"

    def begin(self) -> bool:
        """Make the app's user, once the server answers; False until then."""
        user = "{} ROLE {} LOGIN CREATEDB PASSWORD {}"
        words = (sql.Identifier(APP), sql.Literal(self.app_password))
        try:
            self._administer(user, sql.SQL("CREATE"), *words)
        except DatabaseError as error:
            if isinstance(error.__cause__, psycopg.OperationalError):
                return False
            if not isinstance(error.__cause__, psycopg.errors.DuplicateObject):
                raise
            self._administer(user, sql.SQL("ALTER"), *words)  # of the cluster it was copied from
        return True

    def _administer(self, statement: str, *words: sql.Composable) -> None:
        try:
            with connect(
                host="127.0.0.1", port=self.port, user=ADMIN, password=self.admin_password,
                dbname="postgres", autocommit=True,
            ) as connection:  # fmt: skip
                connection.execute(sql.SQL(statement).format(*words))
        except psycopg.Error as error:
            raise DatabaseError(f"the throw-away database failed: {error}") from error


@contextmanager
def scratch_server(folder: Path, programs: Path | None) -> Iterator[ScratchServer]:
    """A throw-away server with its data in `folder`; stopped and removed on the way out.

    What a crash left there before is stopped and removed first.
    """
    programs = programs or found_programs(None)
    with new_cluster(folder, programs) as cluster, serving(cluster, programs, {}) as server:
        yield server


@contextmanager
def serving(
    cluster: Cluster,
    programs: Path,
    settings: Mapping[str, str],
    how: signal.Signals = signal.SIGQUIT,
) -> Iterator[ScratchServer]:
    """A running server of a cluster; `how` it is ended decides whether its data is whole."""
    pid, server = _started(cluster, programs, settings)
    try:
        yield server
    finally:
        end(pid, how)


def _started(
    cluster: Cluster, programs: Path, settings: Mapping[str, str]
) -> tuple[int, ScratchServer]:
    log = cluster.data.parent / "log"
    for _ in range(ATTEMPTS):
        port = _free_port()
        server = ScratchServer(port, cluster.password, secrets.token_urlsafe(24))
        pid = start_detached(
            _command(cluster, programs, port, settings), output=log, setting=cluster.setting
        )
        if _began(pid, server):
            return pid, server
        end(pid)
    last = log.read_text(errors="replace").splitlines()[-10:]
    raise DatabaseError("the throw-away PostgreSQL did not start", hint="\n".join(last))


def _began(pid: int, server: ScratchServer) -> bool:
    ended: list[int] = []

    def decided() -> bool:
        status = reap(pid)
        if status is not None:
            ended.append(status)
        return bool(ended) or server.begin()

    try:
        wait_until(decided, seconds=START_SECONDS, what="the throw-away PostgreSQL answers")
    except DeadlineError:
        return False
    except BaseException:
        end(pid)
        raise
    return not ended


def _command(cluster: Cluster, programs: Path, port: int, settings: Mapping[str, str]) -> list[str]:
    words = [f"--{name}={value}" for name, value in {**_SETTINGS, **settings}.items()]
    return [str(programs / "postgres"), "-D", str(cluster.data), "-p", str(port), *words]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
