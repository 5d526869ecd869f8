"""How the forwarder works; whoever starts it decides."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from dayfly.config.redact import Redactor
from dayfly.logs.forwarder.hiding import NOTHING
from dayfly.logs.forwarder.ledger import Full
from dayfly.logs.forwarder.stamps import Stamps
from dayfly.logs.parsing.multiline import Bounds

GB = 1024**3
PARTIAL_SECONDS = 60.0  # until a line without its end is sent as it is: its writer has died


def _nobody(_: Stamps) -> Redactor:
    return NOTHING


@dataclass(frozen=True, kw_only=True)
class Reading:
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))  # of times that tell none
    parse: bool = True  # False: lines as they are, with the moment of reading
    bounds: Bounds = field(default_factory=Bounds)
    redactor: Callable[[Stamps], Redactor] = _nobody  # knows the secrets that records may have
    look_seconds: float = 1.0  # between two looks for new files
    poll_seconds: float = 0.2  # between two looks into a file
    partial_seconds: float = PARTIAL_SECONDS
    idle_seconds: float = 300.0  # until a file that does not grow is closed


@dataclass(frozen=True, kw_only=True)
class Spooling:
    folder: Path  # of the spool and the checkpoint; one forwarder's alone
    limit: int = 2 * GB
    full: Full = "block"  # or "drop oldest": what happens at the limit
