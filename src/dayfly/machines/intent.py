"""What is written down before a machine is started."""

from dayfly.machines.folder import Folders, Record
from dayfly.machines.machine import MachineError, Spec
from dayfly.machines.ports import Ports


def intend(spec: Spec, folders: Folders, ports: Ports, *, own_address: str | None = None) -> Record:
    """From here on the machine is found by `machines`, and `remove` frees all it holds.

    `own_address` is that of a machine that needs no port of this host.
    """
    folders.require_new(spec.name)
    port = ports.reserve(spec.name) if spec.port and not own_address else None
    address = own_address if port is None else f"127.0.0.1:{port}"
    record = Record.of(spec, folders.environment, address)
    try:
        folders.create(record)
    except (OSError, MachineError):
        if port is not None:
            ports.give_back(port)
        raise
    return record
