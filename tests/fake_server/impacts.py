"""Releases with what they do to a database: recorded ones, and those that nobody hopes to see."""

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from dayfly.database.preserve.manifest import About, File, Manifest, Table
from dayfly.release.preserving import told_of
from fake_server import FakeEnvironment
from fake_server.scenes import HOSTILE

# Of a PostgreSQL 15 with a shop's tables, as `dayfly impact --json` told them.
RECORDED: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "impacts.json").read_text()
)
NONE, ONLINE, STAGED, DOWNTIME, UNASSESSABLE, HUGE, EVIL, OLD, PRESERVED = range(21, 30)


def assessed(environment: FakeEnvironment) -> None:
    """One release for each kind of answer."""
    for number, found in {
        NONE: RECORDED["none"],
        ONLINE: RECORDED["online"],
        STAGED: RECORDED["staged"],
        DOWNTIME: RECORDED["downtime"],
        UNASSESSABLE: unassessable(),
        HUGE: huge(),
        EVIL: evil(),
        OLD: _without(RECORDED["staged"], "timeline", "budget"),
        PRESERVED: preserved(),
    }.items():
        release(environment, number, found)
    environment.happen("bridge.built", ONLINE, bridges=[])
    exported = export(str(PRESERVED), rows=1204332, size=48_000_000)
    environment.happen("preserved", PRESERVED, **exported)


def leaving_out(found: dict[str, Any], **later: object) -> dict[str, Any]:
    """The same of a release that leaves a migration out, and what will come of that."""
    finding = {**_blank(), "message": "drops orders.total", "kind": "breaks"}
    asked = {"verdict": "staged", "findings": [finding], "runs": True, "why": "", **later}
    return {**found, "contract": ["0040_drop_total.sql"], "later": asked}


def export(name: str, *, rows: int, size: int) -> dict[str, Any]:
    """As a release tells it."""
    lost = Table(
        schema="public",
        table="orders",
        oid=1,
        columns=(),
        key=("id",),
        lost=("note",),
        file=File(name="orders", bytes=size, sha256="", rows=rows),
        whole=False,
        counted=False,
    )
    nothing = File(name="", bytes=0, sha256="")
    made = Manifest(
        format=1,
        database="shop",
        about=About(),
        time="",
        catalogue=nothing,
        schema=nothing,
        tables=(lost, replace(lost, table="schema_migrations", book=True)),
    )
    return told_of(name, made)


def release(environment: FakeEnvironment, number: int, found: dict[str, Any]) -> None:
    entry = {**environment.receipts[12], "release": number, "verdict": found["verdict"]}
    environment.receipts[number] = {**entry, "impact": _without(found, "verdict")}
    keys = ("release", "app", "outcome", "verdict", "commit", "subject", "who", "started")
    environment.releases_.insert(0, {key: entry[key] for key in keys})


def unassessable() -> dict[str, Any]:
    message = "it can't be assessed: the migrate command ended with exit status 1"
    finding = {**_blank(), "message": message, "remedy": "django.db.utils.ProgrammingError\nat 12"}
    return {
        "verdict": "downtime",
        "findings": [finding],
        "rollback": {"state": "closed", "loses": []},
        "pending": None,
        "statements": {"checked": 0, "broken": 0, "unassessable": 0},
        "unfilled": [],
        "timeline": [],
        "budget": None,
        "seconds": 0.0,
    }


def huge(findings: int = 500, statements: int = 200) -> dict[str, Any]:
    """As many as the answer tells, each of a table of its own, some uncounted."""
    tables = [f"warehouse.part_{number:03}_of_a_table_with_a_long_name" for number in range(500)]
    told = [
        {
            **_blank(),
            "migration": f"{place:04}_many.sql",
            "statement": f"ALTER TABLE {table} ADD COLUMN c{place} text",
            "table": table,
            "rows": None if place % 50 == 0 else place * 1000,
            "lock": "ACCESS EXCLUSIVE",
            "blocks": "readers and writers",
            "blocked_ms": None if place % 50 == 0 else place,
            "message": f"ACCESS EXCLUSIVE on {table} makes readers and writers wait {place} ms",
            "remedy": f"-- Release 1:\nALTER TABLE {table} ADD COLUMN c{place} text;" * 5,
        }
        for place, table in enumerate(tables[:findings])
    ]
    timeline: list[dict[str, Any]] = [
        {"statements": [_moment(one) for one in told[at : at + 7]]}
        for at in range(0, statements, 7)
    ]
    timeline.append({"statements": [], "more": 300})
    return {
        **RECORDED["downtime"], "findings": told, "timeline": timeline, "budget": 0.05,
        "pending": [one["migration"] for one in told], "unfilled": tables,
        "rollback": {"state": "closed", "loses": tables},
    }  # fmt: skip


def evil() -> dict[str, Any]:
    """Every text that a program may have chosen is an attack."""

    def spoilt(value: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(value, dict):
            return {key: spoilt(each) for key, each in value.items()}
        if isinstance(value, list):
            return [spoilt(each) for each in value]
        return f'{HOSTILE}" onload=x ' + value if isinstance(value, str) else value

    found = copy.deepcopy(RECORDED["downtime"])
    found["findings"][0]["bridge"] = RECORDED["online"]["findings"][0]["bridge"]
    found["preserve"] = [{"schema": "sales", "table": "t", "columns": ["c"]}]
    found["restoration"] = {"statements": ["ALTER TABLE t ADD c text"], "why": "no"}
    found["rollback"] = {"state": "proven", "loses": ["a"], "covered": ["b"], "why": "c"}
    kept = {"verdict": "downtime", "timeline": spoilt(found["timeline"])}
    return {**spoilt(found), **kept}


def preserved() -> dict[str, Any]:
    """A contracting release that went through, with all that makes the way back."""
    found = copy.deepcopy(RECORDED["staged"])
    found["preserve"] = [{"schema": "public", "table": "orders", "columns": ["id", "note"]}]
    found["restoration"] = {
        "statements": ["ALTER TABLE orders ADD COLUMN note text"],
        "why": "the grants of a role that is gone",
    }
    return found


def _blank() -> dict[str, Any]:
    words = ("migration", "statement", "table", "lock", "blocks", "evidence", "message", "remedy")
    return {**dict.fromkeys(words, ""), "rows": None, "blocked_ms": 0, "bridge": None}


def _moment(finding: dict[str, Any]) -> dict[str, Any]:
    lock = {key: finding[key] for key in ("table", "lock", "blocks")}
    keys = ("migration", "statement")
    return {**{key: finding[key] for key in keys}, "ms": finding["blocked_ms"], "locks": [lock]}


def _without(found: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key not in keys}
