"""What Docker is told about a machine, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dayfly.machines.cgroup import PIDS
from dayfly.machines.ending import NEVER_STARTED, reason_of
from dayfly.machines.engine import Engine, EngineError
from dayfly.machines.folder import Record
from dayfly.machines.machine import Spec
from dayfly.machines.script import script_of

Network = Literal["host", "bridge"]
LABEL = "dayfly."
WHOLE_GROUP = "TINI_KILL_PROCESS_GROUP"  # told to the init process of the container
INSIDE = "/run/dayfly"  # where a machine finds its shim, launch file and output
BRIDGE_PORT = 8000  # of every machine that has an address of its own
# What `description` below leaves to a process, as the kernel tells it.
GIVEN = {
    "capabilities": 16 * "0",
    "capabilities within reach": 16 * "0",
    "no new privileges": "1",
}


@dataclass(frozen=True, kw_only=True)
class Mount:
    source: Path
    target: str
    read_only: bool = False


def gateway(engine: Engine) -> str:
    """The address of this host in the network `bridge`, which every container reaches."""
    for each in engine.get("/networks/bridge")["IPAM"]["Config"] or ():
        if found := each.get("Gateway"):
            return str(found)
    raise EngineError("docker: the network `bridge` tells no gateway")


def container_name(environment: str, machine: str) -> str:
    return f"dayfly-{environment}-{machine}"


def labels(spec: Spec, environment: str, address: str | None) -> dict[str, str]:
    values = {
        "environment": environment,
        "machine": spec.name,
        "app": spec.app,
        "release": str(spec.release),
        "process": spec.process,
        "kind": spec.kind,
        "image": spec.image.key,
        "address": address or "",
    }
    return {LABEL + name: value for name, value in values.items()}


def labels_filter(environment: str) -> dict[str, list[str]]:
    return {"label": [f"{LABEL}environment={environment}"]}


def description(
    spec: Spec,
    *,
    labels: Mapping[str, str],
    mounts: tuple[Mount, ...],
    network: Network,
    user: str | None,
) -> dict[str, Any]:
    """The body of `POST /containers/create`. It holds no setting and no secret of the app."""
    return ({} if user is None else {"User": user}) | {
        "Image": spec.image.reference,
        "Entrypoint": ["/bin/sh", f"{INSIDE}/shim", f"{INSIDE}/launch", f"{INSIDE}/output.log"],
        "Cmd": [],
        "Env": [] if script_of(spec.run).alone else [f"{WHOLE_GROUP}=1"],
        "Labels": dict(labels),
        "HostConfig": {
            "Init": True,
            "NetworkMode": network,
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "Memory": spec.memory or 0,
            "MemorySwap": spec.memory or 0,  # the sum of both: no swap
            "NanoCpus": int((spec.cpus or 0) * 1e9),
            "PidsLimit": PIDS,
            "Tmpfs": {"/tmp": "rw,exec,nosuid,nodev,mode=1777"},  # noqa: S108 - the container's own
            "LogConfig": {"Type": "none"},
            "Mounts": [_mount(each) for each in mounts],
        },
    }


def _mount(mount: Mount) -> dict[str, Any]:
    return {
        "Type": "bind",
        "Source": str(mount.source),
        "Target": mount.target,
        "ReadOnly": mount.read_only,
    }


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the engine tells about a container."""

    running: bool
    ip: str = ""
    status: int | None = None
    reason: str = ""
    paused: bool = False


def seen(found: Mapping[str, Any]) -> Seen:
    """From `GET /containers/NAME/json`."""
    state = found["State"]
    if state["Running"]:
        return Seen(running=True, ip=_ip(found), paused=state["Paused"])
    if state["Status"] == "created":
        return Seen(running=False, reason=NEVER_STARTED)
    status = int(state["ExitCode"])
    reason = reason_of(status, out_of_memory=bool(state["OOMKilled"]))
    return Seen(running=False, ip=_ip(found), status=status, reason=reason)


def seen_in_list(listed: Mapping[str, Any]) -> Seen | None:
    """From an entry of `GET /containers/json`; of those that don't run it tells too little."""
    if listed["State"] not in {"running", "paused"}:
        return None
    return Seen(running=True, ip=_ip(listed), paused=listed["State"] == "paused")


def _ip(found: Mapping[str, Any]) -> str:
    networks = found["NetworkSettings"]["Networks"] or {}
    return next((str(each["IPAddress"]) for each in networks.values() if each["IPAddress"]), "")


def record_of(listed: Mapping[str, Any]) -> Record:
    """Of a container whose folder is gone, from its labels."""
    values = {name.removeprefix(LABEL): value for name, value in listed["Labels"].items()}
    return Record(
        environment=values["environment"],
        name=values["machine"],
        app=values["app"],
        release=int(values["release"]),
        process=values["process"],
        kind="job" if values["kind"] == "job" else "process",
        address=values["address"] or None,
        alone=True,
        created=float(listed["Created"]),
    )


def numeric_user(user: str, passwd: str) -> int | None:
    """The uid of an image's `USER`: nothing is root, a name is looked up in its passwd file."""
    name = user.split(":", maxsplit=1)[0]
    if not name or name.isdecimal():
        return int(name or 0)
    for line in passwd.splitlines():
        words = line.split(":")
        if words[0] == name and len(words) > 2 and words[2].isdecimal():  # noqa: PLR2004
            return int(words[2])
    return None
