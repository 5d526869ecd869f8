"""What it comes to when a migration did not run through on the copy: one finding."""

from dataclasses import replace

from dayfly.database.capture import CaptureError
from dayfly.database.encoding import Lacking, lacking
from dayfly.database.guard import kept_out
from dayfly.database.impact.finding import Finding, unassessable
from dayfly.database.problems import missed_network
from dayfly.errors import DayflyError


def failing(error: DayflyError, output: str) -> Finding:
    """Nobody knows what it does, which counts as downtime; `output` is what the command said."""
    refused = _refused(error, output)
    first = refused.remedy if refused and refused.remedy not in error.hint else ""
    hints = (first, error.hint, output, missed_network(output), kept_out(output))
    details = "\n".join(filter(None, hints))
    found = unassessable(error.message, details)
    if refused:
        told = error.message if str(refused) in error.message else str(refused)
        found = replace(found, kind="fails", message=f"will fail: {told}")
    if isinstance(error, CaptureError):
        found = replace(found, migration=error.migration, statement=error.statement)
    return found


def _refused(error: DayflyError, output: str) -> Lacking | None:
    """What production's encoding has no sign for, as the server or the command's driver says."""
    if not isinstance(error, CaptureError):
        return None
    return error.refused or lacking(output, error.encoding)
