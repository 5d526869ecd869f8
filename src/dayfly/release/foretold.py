"""What a release with downtime will do to the database, said before it goes on."""

from collections.abc import Mapping, Sequence
from typing import Any

from dayfly.release.wayback import shut
from dayfly.shown import duration


def foretold(found: Mapping[str, Any]) -> list[str]:
    """How long it blocks, what it preserves, and what becomes of it where it fails."""
    return [_length(found), *_preserves(found), _failure(found)]


def _length(found: Mapping[str, Any]) -> str:
    blocks = [each for each in found["findings"] if each["kind"] == "blocks"]
    unknown = [each["table"] or "the database" for each in blocks if each["blocked_ms"] is None]
    if any(each["kind"] == "unknown" for each in found["findings"]) and not blocks:
        return "downtime: how long its migration takes is not known"
    if unknown:
        where = ", ".join(dict.fromkeys(unknown))
        return f"downtime: nobody knows for how long its migration blocks {where}"
    lasts = found["migrating"]["seconds"]
    if lasts is None:
        return "downtime: nobody knows for how long its migration takes"
    return f"downtime: its migration is expected to take about {duration(lasts)}"


def _preserves(found: Mapping[str, Any]) -> list[str]:
    if not shut(found) or not found.get("restoration"):
        return []
    why = found["restoration"]["why"]
    if not found["preserve"]:
        values = "" if why else "; no values are lost"
        return [f"before its migration it preserves the schema{values}"]
    told = ", ".join(_loss(loss, found["findings"]) for loss in found["preserve"])
    return [f"before its migration it preserves {told}"]


def _loss(loss: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> str:
    schema, table, columns = loss["schema"], loss["table"], loss["columns"]
    name = table if schema == "public" else f"{schema}.{table}"
    counted = [f["rows"] for f in findings if f["table"] == name and f["rows"] is not None]
    rows = f" (about {max(counted):,} rows)" if counted else ""
    what = [name] if columns is None else [f"{name}.{column}" for column in columns]
    return f"{', '.join(what)}{rows}"


def _failure(found: Mapping[str, Any]) -> str:
    fails, restoration = "if it fails after its migration", found.get("restoration")
    if not shut(found):
        return f"{fails}, the schema stays migrated, and the outgoing release works on it"
    if not restoration:
        restoration = {"why": "nothing of it can be preserved"}
    why = restoration["why"]
    if why and restoration.get("partly"):
        return f"{fails}, the schema and what was preserved go back, but not all may: {why}"
    if why:
        return f"{fails} it cannot be undone: {why}; the app stays closed until a release fits it"
    but = "".join(f", but {each}" for each in restoration.get("unlike", ()))
    return f"{fails}, schema and data go back as they were{but}: that was tried on a copy"
