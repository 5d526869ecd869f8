"""What the log server's own process is started with: one file in its folder, by its starter."""

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from dayfly.logs.intake.listening import NO_SYSLOG, Syslog
from dayfly.logs.store.settings import DEFAULTS, Settings
from dayfly.stored import read_json

SETTINGS = "settings.json"


@dataclass(frozen=True, kw_only=True)
class Serving:
    listen: str  # HOST:PORT
    store: Settings = DEFAULTS
    syslog: Syslog = NO_SYSLOG


class ToldSyslog(msgspec.Struct, kw_only=True):
    """Empty is what is not wanted."""

    listen: str = ""
    tls: str = ""
    certificate: str = ""
    clients: str = ""

    def meant(self, zone: str) -> Syslog:
        return Syslog(
            plain=self.listen,
            tls=self.tls,
            certificate=Path(self.certificate) if self.certificate else None,
            clients=Path(self.clients) if self.clients else None,
            zone=ZoneInfo(zone),
        )


class Told(msgspec.Struct, kw_only=True):
    """The file."""

    listen: str
    zone: str = "UTC"
    store: Settings = DEFAULTS
    syslog: ToldSyslog = msgspec.field(default_factory=ToldSyslog)


def load(folder: Path) -> Serving:
    told = read_json(folder / SETTINGS, Told)
    return Serving(listen=told.listen, store=told.store, syslog=told.syslog.meant(told.zone))
