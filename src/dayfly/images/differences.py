"""What two images, or an image and a machine, do not have in common."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from dayfly.images.contents import Contents

Kind = Literal["package", "python package", "user", "file", "setting"]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """`one` and `other` in a few words; None where it is missing."""

    kind: Kind
    name: str
    one: str | None
    other: str | None

    def as_json(self) -> dict[str, str | None]:
        return asdict(self)


def differences(one: Contents, other: Contents) -> tuple[Difference, ...]:
    """Packages first, since they explain most of the files."""
    return (
        *_between("package", one.apt, other.apt),
        *_between("python package", one.pip, other.pip),
        *_between("user", one.users, other.users),
        *_between("file", one.files, other.files),
    )


def settings(one: Mapping[str, str], other: Mapping[str, str]) -> tuple[Difference, ...]:
    """Of what is no file: configuration, limits, rights."""
    return tuple(_between("setting", one, other))


def _between(kind: Kind, one: Mapping[str, str], other: Mapping[str, str]) -> Iterator[Difference]:
    for name in sorted(one.keys() | other.keys()):
        if one.get(name) != other.get(name):
            told = f"/{name}" if kind == "file" else name
            yield Difference(kind=kind, name=told, one=one.get(name), other=other.get(name))
