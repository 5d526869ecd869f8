"""Where a site that calls was seen last, so that after a restart the called one can call it.

It notices nothing of a restart before it asks whether the other side lives; its NAT still lets in
who it talked to a moment ago.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from dayfly.durable import write_atomically
from dayfly.stored import read_json
from dayfly.tunnel.plan import Plan, Seen

Sas = Mapping[str, Sequence[Mapping[str, Any]]]


def recalled(plan: Plan, file: Path) -> Plan:
    """With where its callers were; those with an address of their own need it not."""
    seen = _read(file)
    peers = (replace(each, seen=seen.get(each.name)) for each in plan.peers if not each.address)
    callers = {each.name: each for each in peers}
    return replace(plan, peers=tuple(callers.get(each.name, each) for each in plan.peers))


def remember(plan: Plan, sas: Sas, file: Path) -> bool:
    """For the next start, where somebody calls. Whether all of them are there."""
    found = seen_of(plan, sas)
    if found and (known := _read(file)) != (now := known | found):
        write_atomically(file, msgspec.json.encode(now))
    return found.keys() == {peer.name for peer in plan.peers if peer.address is None}


def seen_of(plan: Plan, sas: Sas) -> dict[str, Seen]:
    """The newest that is established."""
    return {
        peer.name: Seen(address=str(sa["remote-host"]), port=int(sa["remote-port"]))
        for peer in plan.peers
        if peer.address is None
        for sa in sas.get(peer.name, ())
        if sa.get("state") == "ESTABLISHED"
    }


def _read(file: Path) -> dict[str, Seen]:
    return read_json(file, dict[str, Seen], absent={})
