"""An entry of systemd's journal, as `journalctl --output=json` writes it."""

from collections.abc import Mapping
from typing import Any

from dayfly.logs.parsing import levels
from dayfly.logs.parsing.httplog import in_syslog
from dayfly.logs.parsing.parsed import Parsed, number_or_text
from dayfly.logs.parsing.syslog import FACILITIES
from dayfly.logs.record import Value

TIME, MESSAGE = "__REALTIME_TIMESTAMP", "MESSAGE"


def of_entry(entry: Mapping[str, Any]) -> Parsed | None:
    """None for an object that is no entry of a journal."""
    time = entry.get(TIME)
    if not isinstance(time, str) or not time.isdecimal() or MESSAGE not in entry:
        return None
    told = {name: _text(value) for name, value in entry.items()}
    fields: dict[str, Value] = {}
    if pid := told.get("_PID"):
        fields["pid"] = number_or_text(pid)
    if unit := told.get("_SYSTEMD_UNIT"):
        fields["unit"] = unit
    facility = told.get("SYSLOG_FACILITY", "")
    if facility.isdecimal() and int(facility) < len(FACILITIES):
        fields["facility"] = FACILITIES[int(facility)]
    priority = told.get("PRIORITY", "")
    level = levels.of_severity(int(priority)) if priority in set("01234567") else ""
    process = told.get("SYSLOG_IDENTIFIER") or told.get("_COMM", "")
    origin = {"host": told.get("_HOSTNAME", ""), "process": process}
    origin = {name: word for name, word in origin.items() if word}
    message = told[MESSAGE].rstrip("\n")
    return in_syslog(Parsed(message, level, int(time) * 1000, fields, origin))


def _text(value: object) -> str:
    """A field that came several times is a list, one that is no text a list of bytes."""
    if isinstance(value, list):
        if value and all(isinstance(each, int) and 0 <= each < 256 for each in value):  # noqa: PLR2004
            return bytes(value).decode(errors="replace")
        return _text(value[-1]) if value else ""
    return value if isinstance(value, str) else ""
