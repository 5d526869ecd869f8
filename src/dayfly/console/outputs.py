"""What of a release lies in the file archive, each with its page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dayfly.console.files.places import Thing, seen

Json = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Output:
    of: str  # "build" or "test"
    bucket: str
    files: Sequence["File"]
    more: int  # that are not named


@dataclass(frozen=True, kw_only=True)
class File:
    key: str
    address: str
    size: int


def outputs(receipt: Json) -> list[Output]:
    return [_output(told) for told in receipt.get("outputs") or () if told["versions"]]


def _output(told: Json) -> Output:
    bucket = str(told["bucket"])
    files = [_file(bucket, each) for each in told["versions"]]
    return Output(of=told["of"], bucket=bucket, files=files, more=told["count"] - len(files))


def _file(bucket: str, told: Json) -> File:
    thing = Thing(bucket=bucket, key=told["key"], version=told["version"])
    return File(key=seen(thing.key), address=thing.address(), size=told["size"])
