"""Clusters with a restored schema, kept on disk by the schema's fingerprint."""

import json
import os
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from dayfly.command import output_of
from dayfly.database.cluster import keep, new_cluster
from dayfly.database.dump import KEPT, fingerprint
from dayfly.database.memory import quickest, size_of
from dayfly.database.production import Production
from dayfly.database.restoring import make_roles, restore
from dayfly.database.scratch import serving
from dayfly.database.server import connected

KEPT_DAYS = 14
MOST_KEPT = 5
MOST_DUMPS = 50
LAST = "last-"  # names the cluster that a URL had last
_SECONDS_OF_DAY = 86_400
_BYTES_OF_A_TABLE = 256 * 1024  # with its indexes, about
_FORMAT = "4"  # of what is kept; another one makes all of it new
_NAME = "prepared-"
_FACTS = "dayfly.json"
SETTINGS = {
    "max_locks_per_transaction": "1024",
    "autovacuum": "off",
    "jit": "off",
    "wal_recycle": "off",  # what is kept on disk stays small
    "wal_init_zero": "off",
}


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A cluster to copy, and the tables in it that stayed empty."""

    base: Path
    unfilled: tuple[str, ...]
    bytes: int


def prepared(folder: Path, programs: Path, schema: str, production: Production) -> Prepared:
    """The cluster for a schema; made when it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    version = output_of([str(programs / "postgres"), "--version"])
    whose = production.encoding, production.roles, production.extensions
    facts = repr((*whose, sorted(production.books)))
    base = folder / f"{_NAME}{fingerprint(_FORMAT, version, schema, facts)}"
    if base.exists():
        os.utime(base)
    else:
        _make(base, programs, schema, production)
    _prune(folder)
    return kept(base)


def kept(base: Path) -> Prepared:
    """What was made before; OSError when it is gone."""
    facts = json.loads((base / "data" / _FACTS).read_text())
    return Prepared(base=base, unfilled=tuple(facts["unfilled"]), bytes=facts["bytes"])


def _make(base: Path, programs: Path, schema: str, production: Production) -> None:
    at = quickest(base.parent, _BYTES_OF_A_TABLE * len(production.sizes))
    with new_cluster(base.parent, programs, at=at) as cluster:
        with serving(cluster, programs, SETTINGS, signal.SIGINT) as server:
            with connected(server, server.maintenance) as connection:
                make_roles(connection, production.roles)
            unfilled = restore(server, schema, production)
        facts = {"unfilled": unfilled, "bytes": size_of(cluster.data)}
        (cluster.data / _FACTS).write_text(json.dumps(facts))
        keep(cluster, base)


def _prune(folder: Path) -> None:
    """Remove what was not used for long; the newest few stay."""
    for base in _old(folder, f"{_NAME}*", MOST_KEPT):
        shutil.rmtree(base, ignore_errors=True)
    for file in (*_old(folder, KEPT, MOST_DUMPS), *_old(folder, f"{LAST}*", MOST_DUMPS)):
        file.unlink(missing_ok=True)


def _old(folder: Path, pattern: str, most: int) -> list[Path]:
    found = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)
    oldest = time.time() - KEPT_DAYS * _SECONDS_OF_DAY
    return [p for at, p in enumerate(found) if at >= most or p.stat().st_mtime < oldest]
