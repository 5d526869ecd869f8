"""What a release did to the database, as facts of its receipt: pure functions from JSON."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dayfly.shown import duration, later

Json = Mapping[str, Any]
Fact = tuple[str, str]  # its name, empty where it goes on with the one before; and what is told

_FINDINGS = 5  # on the terminal; `--json` has all
_UNTOLD = (None, "", "unassessed")


def facts(value: Json, *, findings: bool) -> list[Fact]:
    """Of a release or a rollback; `findings`: also what was found, each in one line."""
    impact = value.get("impact") or {}
    return [
        *_verdict(value),
        *(("migrated" if _migrated(value) else "pending", name) for name in _named(impact)),
        *_several("findings", list(_findings(impact)) if findings else []),
        *_several("later", _later(value, impact)),
        *_way_back(impact),
        *_several("exported", [_exported(each) for each in _exports(value)]),
        *_several("restored", [_restored(each) for each in value.get("restored") or ()]),
    ]


def notes(value: Json) -> list[Fact]:
    return _several("notes", [str(note) for note in value.get("notes") or ()])


def _verdict(value: Json) -> Iterator[Fact]:
    """With how it went on."""
    verdict = value.get("verdict")
    if verdict in _UNTOLD:
        return
    told = str(verdict)
    if (seconds := value.get("held_seconds")) is not None:
        told += f": requests were held for {duration(seconds)}"
    elif (seconds := value.get("closed_seconds")) is not None:
        told += f": in downtime for {duration(seconds)}"
    yield "verdict", told


def _migrated(value: Json) -> bool:
    stages = value.get("stages") or ()
    return any((s["stage"], s.get("outcome")) == ("migrate", "done") for s in stages)


def _named(impact: Json) -> list[str]:
    names = impact.get("pending") or ()
    return [", ".join(names)] if names else []


def _findings(impact: Json) -> Iterator[str]:
    found = impact.get("findings") or ()
    yield from (each["message"] for each in found[:_FINDINGS])
    if len(found) > _FINDINGS:
        yield f"and {len(found) - _FINDINGS} more: --json has them"


def _later(value: Json, impact: Json) -> list[str]:
    """Of what waits; what became of it says more, once it was tried."""
    waits = (value.get("contract") or {}).get("state", "waiting") == "waiting"
    told = later(impact) if waits else ""
    return [f"{', '.join(impact.get('contract') or ())}: {told}"] if told else []


def _way_back(impact: Json) -> Iterator[Fact]:
    back, restoration = impact.get("rollback") or {}, impact.get("restoration") or {}
    if not back or not (impact.get("findings") or impact.get("pending")):
        return
    told = str(back["state"])
    if back.get("covered"):
        told += f": tried with rows in {', '.join(back['covered'])}"
    if back.get("loses"):
        told += f": it would lose {', '.join(back['loses'])}"
    if restoration:
        why = restoration["why"]
        partly = restoration.get("partly")
        not_all = "not all of it may come back" if partly else "it can't be brought back"
        told += f"; {not_all}: {why}" if why else "; it can be brought back"
        told += "".join(f", but {each}" for each in restoration.get("unlike", ()))
    yield "way back", told


def _exports(value: Json) -> list[Json]:
    runs = (value.get("contract") or {}).get("runs") or ()
    return [each["preserved"] for each in (value, *runs) if each.get("preserved")]


def _exported(made: Json) -> str:
    each = made.get("each")
    tables = ", ".join(map(_rows, each) if each else made["tables"]) or "the schema alone"
    name = made.get("preserved")
    return f"{tables}: `dayfly preserved show {name}`" if name else tables


def _restored(done: Json) -> str:
    return f"of {done['export']}: {', '.join(map(_rows, done['tables'])) or 'the schema alone'}"


def _rows(table: Json) -> str:
    rows = table["rows"]
    return f"{table['table']} ({rows:,} {'row' if rows == 1 else 'rows'})"


def _several(name: str, told: Sequence[str]) -> list[Fact]:
    return [("" if place else name, each) for place, each in enumerate(told)]
