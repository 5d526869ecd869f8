"""What this machine has, and what is in the way of a tunnel here."""

import errno
import json
import os
import re
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from dayfly.command import CommandError, output_of, run, which
from dayfly.config.tunnel_rules import Network
from dayfly.tunnel import firewall
from dayfly.tunnel.changes import METRIC, PROTOCOL
from dayfly.tunnel.own import own_address
from dayfly.tunnel.packets import IKE_PORT, NAT_PORT
from dayfly.tunnel.problem import TunnelError
from dayfly.tunnel.strongswan import PRIORITY, TABLE

CHARON = "charon-systemd"
PACKAGES = {
    CHARON: "charon-systemd libcharon-extra-plugins libstrongswan-standard-plugins"
    " libstrongswan-extra-plugins",
    "ip": "iproute2",
    "nft": "nftables",
}
TUN = Path("/dev/net/tun")
_NO_WAY = frozenset({"broadcast", "multicast", "anycast"})
_DUMMY_KEY = "0x" + 20 * "00"  # of a state that nothing ever uses


def require_root() -> None:
    if os.geteuid() != 0:
        raise TunnelError(
            "a tunnel needs root: it changes routes, the firewall and what the kernel encrypts",
            hint="sudo dayfly tunnel …",
        )


def require_programs() -> str:
    """Where strongSwan's IKE daemon lies."""
    for program, packages in PACKAGES.items():
        if which(program) is None:
            name = "strongSwan" if program == CHARON else program
            raise TunnelError(
                f"{name} is missing here ({program})", hint=f"apt-get install {packages}"
            )
    return which(CHARON) or CHARON


def kernel_has_esp() -> bool:
    """Tried in a network namespace that is thrown away, so that nothing is left of it."""
    state = "src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x100 mode tunnel aead rfc4106(gcm(aes))"
    argv = ["unshare", "--net", "ip", "xfrm", "state", "add", *state.split(), _DUMMY_KEY, "128"]
    try:
        return run(argv, check=False, seconds=5).status == 0
    except CommandError:
        return False


def require_engine(*, kernel: bool) -> None:
    if not kernel and not TUN.exists():
        raise TunnelError(
            f"this kernel has neither ESP nor TUN ({TUN} is missing)",
            hint="Load the modules: modprobe esp4 esp6, or modprobe tun.",
        )


def require_ports() -> None:
    """TunnelError names the program that has one of IKE's ports."""
    for port in (IKE_PORT, NAT_PORT):
        if not _is_free(port):
            holder = _holder_of(port)
            raise TunnelError(
                f"UDP port {port} is taken by {holder}: another IKE daemon runs on this machine",
                hint="Stop it, or let that one make the tunnel: `dayfly tunnel conf` writes its"
                " configuration.",
            )


def require_apart(theirs: Sequence[Network]) -> None:
    """TunnelError when this machine reaches addresses of the other site some other way already."""
    for network in theirs:
        argv = ["ip", "-j", f"-{network.version}", "route", "show", "table", "all"]
        for used in in_the_way(network, json.loads(output_of(argv) or "[]")):
            raise TunnelError(
                f"{network} of the other site is in use here: {used}",
                hint="The networks of the two sites must not overlap.",
            )


def in_the_way(network: Network, routes: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Routes to a part of it, own addresses in it, and a network that this machine is in itself.

    A route by a gateway to more than it is none: the tunnel's is the more exact one.
    """
    for route in routes:
        if _is_ours(route) or route["dst"] == "default" or route.get("type") in _NO_WAY:
            continue
        target = ip_network(route["dst"])
        within = _holds_network(network, target)
        if within or (route.get("protocol") == "kernel" and _holds_network(target, network)):
            own = "an address of this machine, " if route.get("type") == "local" else ""
            via = f" via {route['gateway']}" if "gateway" in route else ""
            over = f" dev {route['dev']}" if "dev" in route else f" ({route.get('type', '?')})"
            yield f"{own}{route['dst']}{via}{over}"


def _is_ours(route: Mapping[str, Any]) -> bool:
    blackhole = route.get("metric") == METRIC and str(route.get("protocol")) == str(PROTOCOL)
    return blackhole or str(route.get("table")) == str(TABLE)


def _holds_network(outer: Network, inner: Network) -> bool:
    return outer.version == inner.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def notes(ours: Sequence[Network]) -> Iterator[str]:
    """What hosts behind this gateway need and is not there."""
    settings = {4: "net/ipv4/ip_forward", 6: "net/ipv6/conf/all/forwarding"}
    for version in sorted({network.version for network in ours}):
        path = Path("/proc/sys") / settings[version]
        with suppress(OSError):
            if path.read_text().strip() == "0":
                name = settings[version].replace("/", ".")
                yield f"{name} is 0, so only this gateway itself uses the tunnel"


def led_past(theirs: Sequence[Network], ours: Sequence[Network]) -> Iterator[str]:
    """Rules of the machine's own that packets for the other site follow, not the tunnel's."""
    for version in sorted({network.version for network in theirs}):
        own = own_address([network for network in ours if network.version == version])
        target = next(network for network in theirs if network.version == version)
        argv = ["ip", f"-{version}", "route", "get", str(target[min(1, target.num_addresses - 1)])]
        done = run([*argv, *(["from", own] if own else [])], check=False, seconds=5)
        if done.status == 0 and f"table {TABLE}" not in done.output:
            yield (
                f"packets for {target} don't find the tunnel: a rule of this machine's routing goes"
                f" before its own of priority {PRIORITY} (`ip -{version} rule`):"
                f" {done.output.splitlines()[0].strip()}"
            )


def translates() -> bool:
    """Whether something besides us translates addresses of what leaves."""
    tables = re.split(r"^(?=table )", output_of(["nft", "list", "chains"]), flags=re.MULTILINE)
    others = [table for table in tables if not table.startswith(f"table inet {firewall.TABLE} ")]
    return any("type nat hook postrouting" in table for table in others) or _old_tables()


def _old_tables() -> bool:
    """Of iptables before it was made of nft."""
    for name in ("ip_tables_names", "ip6_tables_names"):
        with suppress(OSError):
            if "nat" in Path("/proc/net", name).read_text().split():
                return True
    return False


def _is_free(port: int) -> bool:
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):  # noqa: S104 - where IKE listens
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
    return True


def _holder_of(port: int) -> str:
    """The program and its pid, as far as /proc tells."""
    inodes = set()
    for table in ("udp", "udp6"):
        with suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                words = line.split()
                if int(words[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{words[9]}]")
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and _holds(folder / "fd", inodes):
            name = (folder / "comm").read_text().strip()
            return f"{name} (pid {folder.name})"
    return "another program"


def _holds(folder: Path, inodes: set[str]) -> bool:
    with suppress(OSError):
        return any(str(each.readlink()) in inodes for each in folder.iterdir())
    return False
