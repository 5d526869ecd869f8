"""What is said of a tunnel to a person."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from dayfly.cli.output import clean, paint
from dayfly.durable import FileError
from dayfly.shown import amount, duration
from dayfly.tunnel.observed import Connection, Status
from dayfly.tunnel.problem import TunnelError

_STYLES = {"established": "good", "connecting": "warn", "down": "bad", "stopped": "bad"}


@contextmanager
def as_far_as_allowed() -> Iterator[None]:
    """What root made is for root alone: who is somebody else is told so in a line."""
    try:
        yield
    except (PermissionError, FileError) as error:
        cause: BaseException | None = error
        while isinstance(cause, FileError):
            cause = cause.__cause__
        if os.geteuid() == 0 or not isinstance(cause, PermissionError):
            raise
        says = f"only root, or whose it is, can do that: {cause.filename} is somebody else's"
        raise TunnelError(says, hint="sudo dayfly tunnel …") from error


def status_lines(found: Status) -> list[str]:
    state = paint(_STYLES[found.state], found.state)
    head = f"tunnel {clean(found.here)} to {clean(found.there)}  {state}"
    if found.round_trip is not None:
        head += f"  round trip {found.round_trip:.1f} ms"
    lines = [head, *(f"  {_connection(each)}" for each in found.connections)]
    if found.reason:
        lines.append(f"  {paint('warn', clean(found.reason))}")
    lines += [f"  note: {clean(note)}" for note in found.notes]
    if found.engine:
        lines.append(paint("dim", f"  packets are encrypted by {found.engine}"))
    return lines


def _connection(each: Connection) -> str:
    name = f"{clean(each.name)}  {paint(_STYLES[each.state], each.state)}  {clean(each.gateway)}"
    if each.seconds is None or each.rekeyed is None:
        return name
    nat = "  behind NAT" if each.behind_nat else ""
    return (
        f"{name}{nat}  for {duration(each.seconds)}, keys of {duration(each.rekeyed)} ago"
        f"  in {amount(each.bytes_in)}, out {amount(each.bytes_out)}  {clean(each.cipher)}"
    )
