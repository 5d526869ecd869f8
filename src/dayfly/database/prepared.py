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
from dayfly.database.dump import fingerprint
from dayfly.database.memory import quickest
from dayfly.database.production import Production
from dayfly.database.restoring import restore
from dayfly.database.scratch import serving

KEPT_DAYS = 14
MOST_KEPT = 5
_SECONDS_OF_DAY = 86_400
_BYTES_OF_A_TABLE = 256 * 1024  # with its indexes, about
_FORMAT = "1"  # of what is kept; another one makes all of it new
_NAME = "prepared-"
_UNFILLED = "dayfly-unfilled.json"
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


def prepared(folder: Path, programs: Path, schema: str, production: Production) -> Prepared:
    """The cluster for a schema; made when it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    version = output_of([str(programs / "postgres"), "--version"])
    facts = repr((production.roles, production.extensions, sorted(production.books)))
    base = folder / f"{_NAME}{fingerprint(_FORMAT, version, schema, facts)}"
    if base.exists():
        os.utime(base)
    else:
        _make(base, programs, schema, production)
    _prune(folder)
    unfilled = json.loads((base / "data" / _UNFILLED).read_text())
    return Prepared(base=base, unfilled=tuple(unfilled))


def _make(base: Path, programs: Path, schema: str, production: Production) -> None:
    at = quickest(base.parent, _BYTES_OF_A_TABLE * len(production.sizes))
    with new_cluster(base.parent, programs, at=at) as cluster:
        with serving(cluster, programs, SETTINGS, signal.SIGINT) as server:
            unfilled = restore(server, schema, production)
        (cluster.data / _UNFILLED).write_text(json.dumps(unfilled))
        keep(cluster, base)


def _prune(folder: Path) -> None:
    """Remove what was not used for long; the newest few stay."""
    found = sorted(folder.glob(f"{_NAME}*"), key=lambda path: path.stat().st_mtime, reverse=True)
    oldest = time.time() - KEPT_DAYS * _SECONDS_OF_DAY
    for number, base in enumerate(found):
        if number >= MOST_KEPT or base.stat().st_mtime < oldest:
            shutil.rmtree(base, ignore_errors=True)
