"""Which bucket and key a request means: by its path, or by its host."""

import re
from functools import lru_cache

import msgspec

from dayfly.files.s3.problem import S3Error

MOST_KEY = 1024  # bytes of UTF-8
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_IP = re.compile(r"\d+\.\d+\.\d+\.\d+", re.ASCII)


class Address(msgspec.Struct, frozen=True):
    """Both empty: the service; without a key: the bucket."""

    bucket: str = ""
    key: str = ""


def address_of(host: str, path: str, domains: tuple[str, ...] = ()) -> Address:
    """`domains` are those under which each bucket has a host of its own."""
    if named := bucket_of_host(host, domains):
        return _checked(named, path[1:])
    bucket, _, key = path[1:].partition("/")
    return _checked(bucket, key)


@lru_cache(maxsize=256)
def bucket_of_host(host: str, domains: tuple[str, ...]) -> str:
    """Empty where the host names none. Names of hosts know no case."""
    name = host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host
    name, domains = name.lower(), tuple(each.lower() for each in domains)
    if name in domains:  # also where it is below another one of them
        return ""
    for domain in domains:
        bucket = name.removesuffix(f".{domain}")
        if bucket != name:
            return bucket
    return ""


def _checked(bucket: str, key: str) -> Address:
    if len(key) > MOST_KEY or len(key.encode(errors="replace")) > MOST_KEY:
        raise S3Error("KeyTooLongError", MaxSizeAllowed=str(MOST_KEY))
    if "\0" in key or "\ufffd" in bucket:
        raise S3Error("InvalidURI")
    return Address(bucket, key)


def check_bucket_name(name: str) -> None:
    """InvalidBucketName, by Amazon's rules for names that are hosts too."""
    bad = (
        not _BUCKET.fullmatch(name)
        or ".." in name
        or ".-" in name
        or "-." in name
        or _IP.fullmatch(name)
        or name.startswith("xn--")
        or name.endswith("-s3alias")
    )
    if bad:
        raise S3Error("InvalidBucketName", BucketName=name[:100])
