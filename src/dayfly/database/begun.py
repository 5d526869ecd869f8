"""A server with production's schema, begun with the schema of last time while we look for new."""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from dayfly.database.cluster import Cluster, new_cluster
from dayfly.database.dump import schema_of
from dayfly.database.memory import quickest
from dayfly.database.prepared import LAST, SETTINGS, Prepared, kept, prepared
from dayfly.database.production import Production, observed
from dayfly.database.programs import programs_for
from dayfly.database.scratch import ScratchServer, serving
from dayfly.database.serverlog import JSON_SINCE, FileLog
from dayfly.database.source import Source
from dayfly.durable import write_atomically
from dayfly.errors import DayflyError

LOG = "captured"


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A copy of a kept cluster, and its server."""

    ready: Prepared
    cluster: Cluster
    server: ScratchServer
    form: str  # of its log

    @property
    def log(self) -> FileLog:
        return FileLog(self.cluster.data / LOG / f"{LOG}.{self.form}")


@contextmanager
def begun(
    url: str, *, folder: Path, postgresql: str | None, source: Source
) -> Iterator[tuple[Begun, Production, str]]:
    """With production's schema of now, and that in the words of pg_dump; ended on the way out.

    Copying a cluster and starting its server takes as long as looking at production: both are done
    at once, with the cluster that was right last time. If it no longer is, another one is begun.
    """
    with ExitStack() as stack:
        with ThreadPoolExecutor(1, "look at production") as pool:
            looking = pool.submit(_looked, url, folder, postgresql, source)
            found = _of_last_time(stack, url, folder, postgresql)
            production, programs, schema, ready = looking.result()
        if found is None or found.ready.base != ready.base:
            stack.close()
            found = _begin(stack, folder, programs, ready)
        yield found, production, schema


def looked_at(
    url: str, folder: Path, postgresql: str | None, source: Source
) -> tuple[Production, Path, str]:
    """Production, PostgreSQL's programs of its version, and its schema."""

    def look(at: str) -> tuple[Production, Path, str]:
        production = observed(url, at=at)
        programs = programs_for(production.version, postgresql)
        return production, programs, schema_of(at, programs, folder, production)

    return source.read(look)


def _looked(
    url: str, folder: Path, postgresql: str | None, source: Source
) -> tuple[Production, Path, str, Prepared]:
    production, programs, schema = looked_at(url, folder, postgresql, source)
    ready = prepared(folder, programs, schema, production)
    write_atomically(_last(folder, url), ready.base.name)
    return production, programs, schema, ready


def _of_last_time(stack: ExitStack, url: str, folder: Path, postgresql: str | None) -> Begun | None:
    """Nothing where there is none, or it can't be had: then we wait for what is right."""
    try:
        base = folder / _last(folder, url).read_text()
        os.utime(base)
        version = int((base / "data" / "PG_VERSION").read_text())
        return _begin(stack, folder, programs_for(version, postgresql), kept(base))
    except (OSError, ValueError, KeyError, psycopg.Error, DayflyError):
        stack.close()
        return None


def _begin(stack: ExitStack, folder: Path, programs: Path, ready: Prepared) -> Begun:
    version = int((ready.base / "data" / "PG_VERSION").read_text())
    form = "json" if version >= JSON_SINCE else "csv"
    at = quickest(folder, ready.bytes)
    cluster = stack.enter_context(new_cluster(folder, programs, base=ready.base, at=at))
    server = stack.enter_context(serving(cluster, programs, {**SETTINGS, **_logging(form)}))
    return Begun(ready=ready, cluster=cluster, server=server, form=form)


def _last(folder: Path, url: str) -> Path:
    parts = conninfo_to_dict(url)
    whose = repr([parts.get(name) for name in ("host", "port", "user", "dbname")])
    return folder / f"{LAST}{hashlib.sha256(whose.encode()).hexdigest()[:32]}"


def _logging(form: str) -> dict[str, str]:
    return {
        "logging_collector": "on",
        "log_destination": f"{form}log",
        "log_directory": LOG,
        "log_filename": f"{LOG}.log",
        "log_rotation_age": "0",
        "log_rotation_size": "0",
        "lc_messages": "C",
    }
