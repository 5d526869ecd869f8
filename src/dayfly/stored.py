"""A value that lies as JSON in a file of ours."""

from pathlib import Path
from typing import TypeVar

import msgspec

from dayfly import typed
from dayfly.durable import FileError, translated

Kind = TypeVar("Kind")


def read_json(path: Path, kind: type[Kind], *, absent: Kind | None = None, hint: str = "") -> Kind:
    """What a file holds, or `absent` where there is none; FileError names what is wrong in it."""
    with translated(path):
        if absent is not None and not path.exists():
            return absent
        raw = path.read_bytes()
    try:
        return typed.decode(raw, kind)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise FileError(f"{path}: {error}", hint=hint) from error
