"""A server that stands for production, and a streaming replica of it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from dayfly.clock import wait_until
from dayfly.command import Setting, output_of, start_detached
from dayfly.database.cluster import ADMIN, end, new_cluster, setting_of_servers
from dayfly.database.scratch import ScratchServer, serving
from dayfly.database.source import require_replica

SENDING = {"wal_level": "replica", "max_wal_senders": "4"}


@dataclass
class Replica:
    """Runs until it is ended; its URL stays."""

    pid: int
    port: int
    primary: ScratchServer

    def url(self, production: str) -> str:
        """Of the same database, as the same user."""
        return production.replace(f":{self.primary.port}/", f":{self.port}/")

    def administer(self, statement: str) -> None:
        with psycopg.connect(self._admin, autocommit=True, connect_timeout=2) as connection:
            connection.execute(statement.encode())

    def catch_up(self) -> None:
        require_replica(self._admin, self.primary.url("postgres"), seconds=10)

    @property
    def _admin(self) -> str:
        return self.url(self.primary.url("postgres"))

    def end(self) -> None:
        end(self.pid)


@contextmanager
def sending(folder: Path, programs: Path) -> Iterator[ScratchServer]:
    """A server that a replica can follow."""
    with (
        new_cluster(folder, programs) as cluster,
        serving(cluster, programs, SENDING) as server,
    ):
        yield server


@contextmanager
def replica_of(primary: ScratchServer, folder: Path, programs: Path) -> Iterator[Replica]:
    setting = setting_of_servers()
    data = folder / "replica"
    where = f"host=127.0.0.1 port={primary.port} user={ADMIN} password={primary.admin_password}"
    argv = [str(programs / "pg_basebackup"), "-R", "-c", "fast", "-D", str(data), "-d", where]
    folder.chmod(0o777)
    output_of(argv, setting=Setting(env={"LC_ALL": "C"}, uid=setting.uid, gid=setting.gid))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["-p", str(port), "--listen_addresses=127.0.0.1", "--unix_socket_directories=",
             "--shared_buffers=16MB"]  # fmt: skip
    argv = [str(programs / "postgres"), "-D", str(data), *words]
    pid = start_detached(argv, output=folder / "replica.log", setting=setting)
    replica = Replica(pid, port, primary)

    def answers() -> bool:
        try:
            replica.administer("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    try:
        wait_until(answers, seconds=20, what="the replica answers")
        yield replica
    finally:
        replica.end()
