"""Connections as strongSwan knows them: one value, for VICI and for swanctl.conf."""

from collections.abc import Mapping
from typing import TypeAlias

from dayfly.tunnel.plan import Peer, Plan

Section: TypeAlias = "dict[str, str | list[str] | Section]"

# AES-GCM first, which AWS and everything of this decade has; groups of elliptic curves before
# those of numbers, as their messages are short.
IKE = [
    "aes256gcm16-prfsha384-ecp384-x25519-ecp256-modp3072-modp2048",
    "chacha20poly1305-prfsha256-x25519-ecp256",
    "aes256-aes128-sha384-sha256-ecp384-x25519-ecp256-modp3072-modp2048",
]
ESP = [
    "aes256gcm16-ecp384-x25519-ecp256-modp3072-modp2048",
    "chacha20poly1305-x25519-ecp256",
    "aes256-aes128-sha384-sha256-ecp384-x25519-ecp256-modp3072-modp2048",
]
IKE_REKEY, CHILD_REKEY = "4h", "1h"
# With certificates the two sides prove anew who they are: one that expired or was revoked is out
# then. One side is sooner, as both at once would make two tunnels. Its new connection stands
# before the old one ends; where it fails the old one ends a little later.
REAUTH_OF_LEADER, REAUTH, OVER = "4h", "5h", "5m"
REQID = 7220  # of our SAs in the kernel: those of other programs may have the same peer
DPD = "10s"
# The sooner a dead one is known, the sooner another takes over, or the only one that can calls.
DPD_SOON = "1s"
IKE_PORT, NAT_PORT = 500, 4500


def connections(plan: Plan, *, kernel: bool) -> Section:
    """All connections by their names. `kernel`: it has ESP, so that packets can wake a tunnel."""
    return {peer.name: _connection(plan, peer, kernel=kernel) for peer in plan.peers}


def _connection(plan: Plan, peer: Peer, *, kernel: bool) -> Section:
    auth = "pubkey" if peer.key is None else "psk"
    several = len(plan.peers) > 1
    return {
        "version": "2",
        "local_addrs": ["%any"],
        **_where(peer),
        "proposals": list(IKE),
        **_renewed(leads=plan.leads, certificates=peer.key is None),
        "dpd_delay": DPD_SOON if several or plan.calls else DPD,
        "keyingtries": "0" if peer.address else "1",
        "unique": "replace",
        "mobike": "no" if several else "yes",
        "local": {"auth": auth, "id": peer.own_identity},
        "remote": {"auth": auth, "id": peer.identity},
        "children": {
            peer.name: {
                "local_ts": [str(network) for network in plan.ours],
                "remote_ts": [str(network) for network in plan.theirs],
                "esp_proposals": list(ESP),
                "rekey_time": CHILD_REKEY,
                "reqid": str(REQID),
                **_actions(leads=plan.leads and peer.address is not None, kernel=kernel),
            }
        },
    }


def _where(peer: Peer) -> Section:
    if peer.address:  # what has a name may have another address by now, and call from there
        return {"remote_addrs": [peer.address, *(["%any"] if peer.named else [])]}
    if peer.seen is None:
        return {"remote_addrs": ["%any"]}
    behind_nat = {"local_port": str(NAT_PORT), "remote_port": str(peer.seen.port)}
    return {
        "remote_addrs": [peer.seen.address, "%any"],
        **(behind_nat if peer.seen.port != IKE_PORT else {}),
    }


def _renewed(*, leads: bool, certificates: bool) -> dict[str, str]:
    if not certificates:
        return {"rekey_time": IKE_REKEY}
    reauth = REAUTH_OF_LEADER if leads else REAUTH
    return {"rekey_time": "0s", "reauth_time": reauth, "over_time": OVER, "rand_time": OVER}


def _actions(*, leads: bool, kernel: bool) -> dict[str, str]:
    start = [*(["trap"] if kernel else []), *(["start"] if leads else [])]
    return {
        "start_action": "|".join(start) or "none",
        "dpd_action": "restart" if leads else "trap" if kernel else "clear",
        # Nothing on a close: the old connection of a new proof, and a double one, end that way.
        "close_action": "none",
    }


def shared_keys(plan: Plan) -> Section:
    """Of pre-shared keys, as the `secrets` of swanctl.conf have them, without what is secret."""
    return {
        f"ike-{peer.name}": {"id-1": peer.own_identity, "id-2": peer.identity}
        for peer in plan.peers
        if peer.key is not None
    }


def text(section: Mapping[str, object], depth: int = 0) -> str:
    """A section as swanctl.conf and strongswan.conf write it."""
    indent = "  " * depth
    lines = []
    for name, value in section.items():
        if isinstance(value, Mapping):
            lines.append(f"{indent}{name} {{\n{text(value, depth + 1)}{indent}}}\n")
        else:
            shown = ", ".join(value) if isinstance(value, list) else str(value)
            lines.append(f"{indent}{name} = {_quoted(shown)}\n")
    return "".join(lines)


def _quoted(value: str) -> str:
    if value and not set(value) & set(' \t"#{}\\='):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
