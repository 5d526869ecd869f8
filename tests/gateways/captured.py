"""What crossed an internet, by a program that is not ours."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateways.wired import Space

# What neighbours on a link say to each other; reports of multicast listeners hide ICMPv6 behind
# a hop-by-hop header, where tcpdump's "icmp6" does not look.
_NEIGHBOURS = "arp or icmp6 or (ip6[6] == 0 and ip6[40] == 58 and dst net ff02::/16)"
_TUNNEL = "udp port 500 or udp port 4500 or esp"
_ORDINARY = f"{_TUNNEL} or {_NEIGHBOURS} or icmp[icmptype] == icmp-unreach"


@contextmanager
def recorded(space: Space, file: Path) -> Iterator[None]:
    """All that passes there."""
    process = space.start("tcpdump", "-i", "any", "-w", str(file), "-U", "--immediate-mode")
    assert process.stdout
    while b"listening" not in process.stdout.readline():
        pass
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()


def found(file: Path, expression: str) -> list[str]:
    argv = ["tcpdump", "-n", "-r", str(file), expression]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def strange(file: Path) -> list[str]:
    """Packets that neither belong to a tunnel nor to how neighbours find each other."""
    return found(file, f"not ({_ORDINARY})")
