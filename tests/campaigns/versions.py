"""What is measured on PostgreSQL 15 comes out the same on 12, 13, 14, 16 and 17."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from copies import Copies, asked_of
from measured import CASES, OPERATIONS, Row, on, operation_comes_out_as_measured, verdict_is_right
from migrating import asked, write
from versions import VERSIONS, Running, answered, running

_SERVER = "SELECT current_setting('server_version')"
_ICU = "SELECT count(*) > 10 FROM pg_collation WHERE collprovider = 'i'"  # one is there always
Check = Callable[[Copies, Row], None]


def run(folder: Path, _seed: int, _budget: float) -> dict[str, Any]:
    found = {}
    for version in VERSIONS:
        with running(version) as server:
            found[str(version)] = _of(server, folder)
    return {"held": all(_held(each) for each in found.values()), "versions": found}


def _of(server: Running, folder: Path) -> dict[str, Any]:
    began = time.monotonic()
    copies = Copies.of(server.server, ())
    icu = asked_of(copies, _ICU)
    operations = on(server.version, OPERATIONS, icu=icu)
    verdicts = on(server.version, CASES, icu=icu)
    return {
        "server": asked_of(copies, _SERVER),
        "icu": icu,
        "operations": len(operations),
        "operations_left_out": [row["name"] for row in OPERATIONS if row not in operations],
        "operations_wrong": _wrong(copies, operations, operation_comes_out_as_measured),
        "verdicts": len(verdicts),
        "verdicts_left_out": [case["name"] for case in CASES if case not in verdicts],
        "verdicts_wrong": _wrong(copies, verdicts, verdict_is_right),
        "captured": _captured(server, folder / str(server.version)),
        "seconds": round(time.monotonic() - began, 1),
    }


def _wrong(copies: Copies, rows: list[Row], check: Check) -> list[dict[str, str]]:
    wrong = []
    for row in rows:
        try:
            check(copies, row)
        except (AssertionError, psycopg.Error) as error:
            wrong.append({"name": row["name"], "why": str(error)[:300]})
    return wrong


def _captured(server: Running, folder: Path) -> dict[str, Any]:
    """One question from end to end: dump, restore, run, read the log, judge."""
    folder.mkdir(exist_ok=True)
    write(folder, {"1_note.sql": "ALTER TABLE orders DROP COLUMN note;"})
    with server.server.database() as url:
        asked(url, b"CREATE TABLE orders (id serial PRIMARY KEY, note text)")
        answer = answered(server, url, folder)
    return {"log": "json" if server.version >= 15 else "csv", "verdict": answer.impact.verdict}


def _held(found: dict[str, Any]) -> bool:
    right = found["captured"]["verdict"] == "staged"
    return right and not found["operations_wrong"] and not found["verdicts_wrong"]
