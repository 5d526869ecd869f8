"""The server's own log, as JSON (PostgreSQL 15 on) or CSV, in entries."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass

_CSV = {
    "database": 2, "session": 5, "transaction": 9, "severity": 11, "state": 12, "message": 13,
    "detail": 14, "query": 19,
}  # fmt: skip
_NO_ERROR = "00000"  # which JSON leaves out
_JSON = {
    "database": "dbname", "session": "session_id", "transaction": "vxid",
    "severity": "error_severity", "state": "state_code", "message": "message", "detail": "detail",
    "query": "statement",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry; `transaction` is the server's virtual id, which changes with each transaction."""

    session: str = ""
    transaction: str = ""
    severity: str = "LOG"
    state: str = ""  # SQLSTATE
    message: str = ""
    detail: str = ""
    query: str = ""  # of an error: the text that was being executed
    database: str = ""


def from_json(text: str) -> Iterator[Entry]:
    """The last line may still be half written: only whole ones count."""
    for line in text.split("\n")[:-1]:
        found = json.loads(line)
        yield Entry(**{name: str(found.get(key, "")) for name, key in _JSON.items()})


def from_csv(text: str) -> Iterator[Entry]:
    whole = text[: text.rfind("\n") + 1]
    for row in csv.reader(io.StringIO(whole, newline=""), strict=False):
        if len(row) > max(_CSV.values()):
            found = {name: row[column] for name, column in _CSV.items()}
            yield Entry(**{**found, "state": found["state"].replace(_NO_ERROR, "")})
