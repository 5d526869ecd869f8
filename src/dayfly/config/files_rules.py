"""What the [files] of a well-formed environment.toml may still not say."""

import ipaddress
from collections.abc import Iterator
from pathlib import PurePosixPath

from dayfly.config.address import address_of
from dayfly.config.environment import Environment
from dayfly.config.problem import Problem
from dayfly.config.read import shown

OWN = "archive"  # the folder in DAYFLY_HOME
MOST_WORKERS = 64


def files_problems(environment: Environment) -> Iterator[Problem]:
    files = environment.files
    yield from _unreachable(environment)
    store = PurePosixPath(files.store)
    if files.store != OWN and not (store.is_absolute() and ".." not in store.parts[1:]):
        allowed = f'"{OWN}", which lies in DAYFLY_HOME, and the path of a folder from / on'
        yield Problem(("files", "store"), f"found {shown(files.store)}, allowed are {allowed}")
    if not 1 <= files.workers <= MOST_WORKERS:
        says = f"found {files.workers}, allowed are 1 to {MOST_WORKERS}"
        yield Problem(("files", "workers"), says)


def _unreachable(environment: Environment) -> Iterator[Problem]:
    address = address_of(environment.files.listen or "")
    bridged = environment.runtime == "docker" and environment.docker.network == "bridge"
    if address and bridged and _is_loopback(address[0]):
        says = (
            f"found {shown(environment.files.listen)}, which containers with a network of their "
            "own don't reach; leave it out, or name another address of this host"
        )
        yield Problem(("files", "listen"), says, (("docker", "network"),))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
