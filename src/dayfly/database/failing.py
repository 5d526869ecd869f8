"""What it comes to when a migration did not run through on the copy: one finding."""

import re
from dataclasses import replace

from psycopg.conninfo import conninfo_to_dict

from dayfly.database.capture import CaptureError
from dayfly.database.encoding import Lacking, lacking
from dayfly.database.guard import ELSEWHERE, ONLY
from dayfly.database.impact.finding import Finding, unassessable
from dayfly.database.problems import missed_network, shown
from dayfly.errors import DayflyError

LAST = 8  # lines of what a command said that never came to the copy
_WHERE = re.compile(r'connection to server at "(?P<host>[^"]*)"[^,]*, port (?P<port>\d+) failed')


def failing(error: DayflyError, output: str, production: str) -> Finding:
    """Nobody knows what it does, which counts as downtime; `output` is what the command said."""
    if ONLY in output:
        found = unassessable(_turned(output, production), _strayed(output))
    else:
        found = _failed(error, output)
    if isinstance(error, CaptureError):
        found = replace(found, migration=error.migration, statement=error.statement)
    return found


def _failed(error: DayflyError, output: str) -> Finding:
    refused = _refused(error, output)
    first = refused.remedy if refused and refused.remedy not in error.hint else ""
    hints = (first, error.hint, output, missed_network(output))
    details = "\n".join(filter(None, hints))
    found = unassessable(error.message, details)
    if refused:
        told = error.message if str(refused) in error.message else str(refused)
        found = replace(found, kind="fails", message=f"will fail: {told}")
    return found


def _refused(error: DayflyError, output: str) -> Lacking | None:
    """What production's encoding has no sign for, as the server or the command's driver says."""
    if not isinstance(error, CaptureError):
        return None
    return error.refused or lacking(output, error.encoding)


def _turned(output: str, production: str) -> str:
    """Its driver asked production for what only the copy has, and was not let in."""
    found = _WHERE.search(output)
    own = str(conninfo_to_dict(production).get("port") or "5432")
    other = found and found["port"] != own
    where = f"{found['host']}, port {found['port']}" if found and other else ""
    what = f"another database (at {where})" if other else f"production ({shown(production)})"
    return f"the migrate command turned to {what} instead of the copy, and was not let in"


def _strayed(output: str) -> str:
    lines = [line for line in output.strip().splitlines() if line.strip()]
    return "\n".join([ELSEWHERE, "Its last words:", *lines[-LAST:]])
