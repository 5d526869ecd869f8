"""The checksums a writer names: in headers, in trailers, of parts and of the whole."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from dayfly.files.s3.problem import S3Error, invalid, not_implemented

SIZES = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32}
PREFIX = "x-amz-checksum-"
FULL = ("CRC32", "CRC32C", "CRC64NVME")  # can be known of the whole from those of its parts
_OTHER = ("x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type")
_ELEMENTS = {name: f"Checksum{name}" for name in SIZES}


@dataclass(frozen=True, kw_only=True)
class Announced:
    """`value` is empty where only the algorithm is known, or the value comes in a trailer."""

    algorithm: str
    value: str = ""
    trailing: bool = False


def header_of(algorithm: str) -> str:
    return f"{PREFIX}{algorithm.lower()}"


def element_of(algorithm: str) -> str:
    return _ELEMENTS[algorithm]


def announced(headers: Mapping[str, str]) -> Announced | None:
    """S3Error where it is not known, there are two, or it can't be a value of its algorithm."""
    found = [name for name in headers if name.startswith(PREFIX) and name not in _OTHER]
    trailer = headers.get("x-amz-trailer", "").strip().lower()
    if len(found) + bool(trailer) > 1:
        raise S3Error("InvalidRequest", "Expecting a single x-amz-checksum- header.")
    if trailer:
        return Announced(algorithm=_algorithm(trailer), trailing=True)
    if found:
        algorithm = _algorithm(found[0])
        return Announced(algorithm=algorithm, value=checked(algorithm, headers[found[0]]))
    told = headers.get("x-amz-sdk-checksum-algorithm") or headers.get("x-amz-checksum-algorithm")
    return Announced(algorithm=algorithm_of(told)) if told else None


def checked(algorithm: str, value: str) -> str:
    value = value.strip()
    size = _decoded_size(value.partition("-")[0])
    if size != SIZES[algorithm]:
        raise S3Error(
            "BadDigest", f"Value for {header_of(algorithm)} header is invalid: {value[:100]}"
        )
    return value


def algorithm_of(told: str) -> str:
    name = told.strip().upper()
    if name not in SIZES:
        raise invalid("The checksum algorithm", told, ", ".join(SIZES))
    return name


def kind_of(told: str, algorithm: str) -> str:
    """FULL_OBJECT or COMPOSITE, of an object that is uploaded in parts."""
    usual = "FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE"
    kind = told.strip().upper() or usual
    allowed = {"CRC64NVME": ("FULL_OBJECT",), "SHA1": ("COMPOSITE",), "SHA256": ("COMPOSITE",)}
    if kind not in allowed.get(algorithm, ("FULL_OBJECT", "COMPOSITE")):
        raise S3Error(
            "InvalidRequest",
            f"The {kind[:20]} checksum type cannot be used with the {algorithm} algorithm.",
        )
    return kind


def content_md5(header: str | None) -> str:
    """As hexadecimal digits; empty where there is no such header."""
    if header is None:
        return ""
    try:
        found = base64.b64decode(header.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise S3Error("InvalidDigest") from error
    if len(found) != 16:  # noqa: PLR2004 - bytes of an MD5
        raise S3Error("InvalidDigest")
    return found.hex()


def _algorithm(header: str) -> str:
    name = header.removeprefix(PREFIX).upper()
    if not header.startswith(PREFIX) or name not in SIZES:
        raise not_implemented(f"The checksum {header[:60]}")
    return name


def _decoded_size(value: str) -> int:
    try:
        return len(base64.b64decode(value, validate=True))
    except (binascii.Error, ValueError):
        return -1
