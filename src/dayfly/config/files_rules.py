"""What the [files] of a well-formed environment.toml may still not say."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from dayfly.config.address import address_of, is_host_name
from dayfly.config.environment import Environment
from dayfly.config.names import named, secret_problem
from dayfly.config.problem import Problem
from dayfly.config.read import shown
from dayfly.way import is_loopback

OWN = "archive"  # the folder in DAYFLY_HOME
S3_STORE = "s3://"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ENDPOINT = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+/?")
MOST_WORKERS = 64


def files_problems(environment: Environment) -> Iterator[Problem]:
    files = environment.files
    yield from _unreachable(environment)
    yield from _elsewhere(environment)
    yield from _host(environment)
    yield from _watches(environment)
    if not _is_place(files.store):
        allowed = (
            f'"{OWN}", which lies in DAYFLY_HOME, the path of a folder from / on, and "s3://BUCKET"'
        )
        yield Problem(("files", "store"), f"found {shown(files.store)}, allowed are {allowed}")
    if not 1 <= files.workers <= MOST_WORKERS:
        says = f"found {files.workers}, allowed are 1 to {MOST_WORKERS}"
        yield Problem(("files", "workers"), says)


def _is_place(store: str) -> bool:
    if store.startswith(S3_STORE):
        return bool(_BUCKET.fullmatch(store.removeprefix(S3_STORE)))
    path = PurePosixPath(store)
    return store == OWN or (path.is_absolute() and ".." not in path.parts[1:])


def _elsewhere(environment: Environment) -> Iterator[Problem]:
    files = environment.files
    endpoint = files.s3.endpoint
    if endpoint is not None and not _ENDPOINT.fullmatch(endpoint):
        says = f'found {shown(endpoint)}, allowed is a URL such as "https://s3.example.com"'
        yield Problem(("files", "s3", "endpoint"), says)
    for name in ("access_key_id", "secret_access_key"):
        if wrong := secret_problem(getattr(files.s3, name)):
            yield Problem(("files", "s3", name), wrong)


def _host(environment: Environment) -> Iterator[Problem]:
    host, at = environment.files.host, ("files", "host")
    if host is None:
        return
    if not is_host_name(host):
        yield Problem(at, f"found {shown(host)}, allowed is a host name in lower case")
    for app, route in environment.route.items():
        if any(each == host or each.endswith(f".{host}") for each in route.hosts):
            yield Problem(at, f"{host} is {app}'s already", (("route", app),))
    if environment.files.store.startswith(S3_STORE):
        says = f"{environment.files.store} has its own address"
        yield Problem(at, says, (("files", "store"),))


def _watches(environment: Environment) -> Iterator[Problem]:
    files = environment.files
    yield from named(("files", "watch"), files.watch)
    for name, watch in files.watch.items():
        at = ("files", "watch", name)
        if not re.fullmatch(r"https?://[^/?#\s]+\S*", watch.url):
            yield Problem((*at, "url"), "allowed is a URL: http://… or https://…")
        if not _BUCKET.fullmatch(watch.bucket):
            says = f"found {shown(watch.bucket)}, allowed is the name of a bucket"
            yield Problem((*at, "bucket"), says)
        if watch.secret is not None and (wrong := secret_problem(watch.secret)):
            yield Problem((*at, "secret"), wrong)
        if files.store.startswith(S3_STORE):
            says = f"{files.store} tells nobody what happens in it"
            yield Problem(at, says, (("files", "store"),))


def _unreachable(environment: Environment) -> Iterator[Problem]:
    address = address_of(environment.files.listen or "")
    bridged = environment.runtime == "docker" and environment.docker.network == "bridge"
    if address and bridged and is_loopback(address[0]):
        says = (
            f"found {shown(environment.files.listen)}, which containers with a network of their "
            "own don't reach; leave it out, or name another address of this host"
        )
        yield Problem(("files", "listen"), says, (("docker", "network"),))
