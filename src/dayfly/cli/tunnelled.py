"""A tunnel's status, as lines for a person."""

from dayfly.cli.output import clean, paint
from dayfly.shown import amount, duration
from dayfly.tunnel.observed import Connection, Status

_STYLES = {"established": "good", "connecting": "warn", "down": "bad", "stopped": "bad"}


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
