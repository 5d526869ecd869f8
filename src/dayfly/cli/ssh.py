"""The person's own ssh, to what was typed or is kept."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dayfly.errors import DayflyError, UsageError

if TYPE_CHECKING:
    import argparse

    from dayfly.config.contexts import Context
    from dayfly.hosts.forwarding import Forwarding
    from dayfly.hosts.ssh import Ssh

HOST = "dayfly host add "  # as an address follows
LOGIN = "dayfly login ssh://"


def declare_config(parser: "argparse.ArgumentParser") -> None:
    parser.add_argument("--ssh-config", type=Path, metavar="FILE", help="instead of ~/.ssh/config")


def ssh_of(address: str, config: Path | None, *, typed: str) -> "Ssh":
    """`typed`: the command that takes the key of a host."""
    from dayfly.hosts.address import address_of  # noqa: PLC0415 - only where ssh is the way
    from dayfly.hosts.ssh import Ssh  # noqa: PLC0415

    if config and not config.is_file():
        raise UsageError(f"--ssh-config {config}: there is no such file")
    return Ssh(address=address_of(address), config=config and config.absolute(), typed=typed)


def way_of(context: "Context") -> "Forwarding | None":
    """To the server of an environment elsewhere, where it goes by ssh."""
    if not context.ssh:
        return None
    from dayfly.config.contexts import contexts_file  # noqa: PLC0415
    from dayfly.hosts.forwarding import Forwarding  # noqa: PLC0415

    config = Path(context.ssh_config) if context.ssh_config else None
    try:
        return Forwarding(ssh=ssh_of(context.ssh, config, typed=LOGIN))
    except UsageError as error:
        says = f"{contexts_file()}: [{context.name}]: {error.message}"
        raise DayflyError(says, hint=error.hint) from error


def forwarded(context: "Context") -> str:
    """What to type so that a browser here reaches the server; empty where it is reached anyway."""
    parts = urlsplit(context.address)
    if not context.ssh:
        return ""
    from dayfly.hosts.address import address_of  # noqa: PLC0415

    there = address_of(context.ssh)
    host = f"{there.user}@{there.host}" if there.user else there.host
    config = ["-F", context.ssh_config] if context.ssh_config else []
    port = ["-p", str(there.port)] if there.port else []
    where = f"{parts.port}:{parts.hostname}:{parts.port}"
    return shlex.join(["ssh", *config, *port, "-N", "-L", where, host])
