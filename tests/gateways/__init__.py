"""Two sites that a test joins by a tunnel, with a captured internet between."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dayfly.command import which
from gateways.captured import found, recorded, strange
from gateways.wired import (
    DAYFLY,
    DEV,
    PRODUCTION,
    SITES,
    Gateway,
    Space,
    World,
    both,
    foreign,
    wired,
)

__all__ = [
    "DAYFLY",
    "DEV",
    "PRODUCTION",
    "SITES",
    "Gateway",
    "Space",
    "World",
    "both",
    "foreign",
    "found",
    "need_strongswan",
    "recorded",
    "strange",
    "two_sites",
]


def need_strongswan() -> None:
    """Namespaces and strongSwan; without them a test is skipped, and fails in CI."""
    missing = [name for name in ("charon-systemd", "nft", "ip", "tcpdump") if not which(name)]
    if os.geteuid() != 0:
        missing.append("root")
    if missing and os.environ.get("CI"):
        pytest.fail(f"no {', '.join(missing)}")
    if missing:
        pytest.skip(f"no {', '.join(missing)}")


@contextmanager
def two_sites(folder: Path) -> Iterator[World]:
    """Wired and forwarding; nothing of Dayfly runs yet."""
    need_strongswan()
    with wired(folder) as world:
        yield world
