"""Where such a bucket is, and what opens it."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from dayfly.files import errors

SECONDS = 20.0  # for an answer
_CODES: dict[str, type[errors.FilesError]] = {
    "NoSuchBucket": errors.NoSuchBucketError,
    "NoSuchKey": errors.NoSuchKeyError,
    "NoSuchVersion": errors.NoSuchVersionError,
    "PreconditionFailed": errors.ConditionError,
    "ConditionalRequestConflict": errors.ConditionError,
    "MethodNotAllowed": errors.MarkerError,
    "BucketNotEmpty": errors.BucketNotEmptyError,
    "BadDigest": errors.ChecksumError,
}


class ElsewhereError(errors.FilesError):
    """The other S3 can't be reached, does not let us in, or has not what is asked for."""


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """`endpoint` is empty for Amazon's own."""

    bucket: str
    endpoint: str = ""
    region: str = "us-east-1"
    access_key_id: str = ""
    secret_access_key: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        return f"s3://{self.bucket}"

    @property
    def url(self) -> str:
        """As machines write it."""
        return self.endpoint or f"https://s3.{self.region}.amazonaws.com"


def client_of(elsewhere: Elsewhere) -> Any:  # noqa: ANN401 - boto3 has no types
    import boto3  # type: ignore[import-untyped]  # noqa: PLC0415 - only where one is needed
    from botocore.config import Config  # type: ignore[import-untyped]  # noqa: PLC0415

    return boto3.client(
        "s3",
        endpoint_url=elsewhere.url,
        region_name=elsewhere.region,
        aws_access_key_id=elsewhere.access_key_id,
        aws_secret_access_key=elsewhere.secret_access_key,
        config=Config(
            signature_version="s3v4",
            connect_timeout=SECONDS,
            read_timeout=3 * SECONDS,
            retries={"mode": "standard", "max_attempts": 3},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path" if elsewhere.endpoint else "auto"},
        ),
    )


def translated(error: Exception, what: str, absent: str = "") -> errors.FilesError:
    """What boto3 says, as what the archive would; `absent` is what a bare 404 means."""
    told = getattr(error, "response", {})
    code = str(told.get("Error", {}).get("Code", ""))
    message = str(told.get("Error", {}).get("Message", "")) or str(error)
    status = told.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in ("404", "NotFound"):
        code = absent or "NoSuchKey"
    if code == "405":
        code = "MethodNotAllowed"
    if status == HTTPStatus.PRECONDITION_FAILED:
        code = "PreconditionFailed"
    found = _CODES.get(code)
    if found is None:
        return ElsewhereError(f"{what}: {code or type(error).__name__}: {message}")
    said = found(f"{what}: {message}")
    said.__cause__ = error
    return said
