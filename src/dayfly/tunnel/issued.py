"""What a CA signed, kept beside its key: a certificate that went elsewhere can still be revoked."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dayfly.durable import locked, translated, write_atomically
from dayfly.tunnel.problem import TunnelError


@dataclass(frozen=True, kw_only=True)
class Issued:
    serial: int
    name: str  # the first one in it
    until: datetime
    site: str = ""  # of the tunnel; of a server, and in records of before, none is told

    def is_of(self, site: str, identity: str) -> bool:
        """Where no site is told it is known by its name, in which IKE ignores case."""
        return self.site == site if self.site else self.name.lower() in {site, identity.lower()}

    @property
    def shown(self) -> str:
        return f"until {self.until:%Y-%m-%d}, serial {self.serial:x}"


def record(file: Path, issued: Issued) -> None:
    """The last one is the newest."""
    with locked(file.with_suffix(".lock")):
        before = {each.serial: each for each in read(file)}
        known = before | {issued.serial: issued}
        if known != before:
            write_atomically(file, "".join(f"{_written(each)}\n" for each in known.values()))


def read(file: Path) -> list[Issued]:
    with translated(file):
        lines = file.read_text().splitlines() if file.exists() else []
    return [_read(file, number, line) for number, line in enumerate(lines, 1)]


def holding(
    known: Sequence[Issued], site: str, identity: str, *, revoked: frozenset[int], now: datetime
) -> list[Issued]:
    """What a site could show still, whatever it is called by now."""
    return [
        each
        for each in known
        if each.is_of(site, identity) and each.until > now and each.serial not in revoked
    ]


def _written(issued: Issued) -> str:
    told = {"serial": f"{issued.serial:x}", "name": issued.name, "until": issued.until.isoformat()}
    return json.dumps(told | ({"site": issued.site} if issued.site else {}))


def _read(file: Path, number: int, line: str) -> Issued:
    try:
        told = json.loads(line)
        return Issued(
            serial=int(told["serial"], 16),
            name=told["name"],
            until=datetime.fromisoformat(told["until"]),
            site=told.get("site", ""),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise TunnelError(f"{file}, line {number}: no certificate that was issued") from error
