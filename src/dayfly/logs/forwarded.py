"""What a forwarder sends: what is known of all lines, then the lines, each a text of JSON.

They are sent as they were written, and read where records are kept: on a host that runs
applications a line costs little, and what is read in it is not written, packed and read once more.
"""

from collections.abc import Sequence
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from dayfly import typed
from dayfly.errors import DayflyError
from dayfly.logs.parsing.parsed import Known, Parsed

PATH = "/forwarded"


class ForwardedError(DayflyError):
    """A body is not what a forwarder sends."""


class About(msgspec.Struct, omit_defaults=True, kw_only=True, frozen=True):
    """The first line. `moment` is when the lines were read from their file, in nanoseconds."""

    moment: int
    zone: str = "UTC"  # of times that tell none
    # `plain` lines are not looked into; those of which a secret was taken out are `read` already.
    lines: Literal["written", "plain", "read"] = "written"
    app: str = ""
    release: int = 0
    machine: str = ""
    host: str = ""
    process: str = ""
    stream: str = ""

    def stamps(self) -> dict[str, str | int]:
        """What is known of the origin."""
        names = ("app", "release", "machine", "host", "process", "stream")
        return {name: value for name in names if (value := getattr(self, name))}

    def known(self) -> Known:
        try:
            return Known(self.moment, ZoneInfo(self.zone))
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ForwardedError(f"zone: {self.zone!r} is no time zone") from error


_encoder = msgspec.json.Encoder()
_about = typed.decoder(About)
_texts, _read = typed.decoder(str), typed.decoder(Parsed)


def written(about: About, lines: Sequence[str] | Sequence[Parsed]) -> bytes:
    return _encoder.encode(about) + b"\n" + _encoder.encode_lines(lines)


def understood(body: bytes) -> tuple[About, list[str] | list[Parsed]]:
    """What `written` wrote; the lines are `Parsed` where they are `read`."""
    first, _, rest = body.partition(b"\n")
    try:
        about = _about.decode(first)
        return about, (_read if about.lines == "read" else _texts).decode_lines(rest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ForwardedError(
            f"the body is not what a forwarder sends: {error}",
            hint="Other senders have other addresses: docs/reference/logs-http.md.",
        ) from error
