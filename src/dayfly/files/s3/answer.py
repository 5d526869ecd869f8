"""What is sent back, as a value; an error as the document that S3 makes of it."""

from collections.abc import Callable

import msgspec

from dayfly.files import errors
from dayfly.files.opened import Opened
from dayfly.files.s3.head import Headers, lines_of
from dayfly.files.s3.problem import S3Error
from dayfly.files.s3.ranges import Range
from dayfly.files.s3.xmlwrite import tag

# What the repository says, by S3's codes; the first that fits.
_CODES: tuple[tuple[type[errors.FilesError], str], ...] = (
    (errors.NoSuchBucketError, "NoSuchBucket"),
    (errors.NoSuchKeyError, "NoSuchKey"),
    (errors.NoSuchVersionError, "NoSuchVersion"),
    (errors.MarkerError, "MethodNotAllowed"),
    (errors.NoSuchUploadError, "NoSuchUpload"),
    (errors.BucketExistsError, "BucketAlreadyExists"),
    (errors.BucketNotEmptyError, "BucketNotEmpty"),
    (errors.BadNameError, "InvalidArgument"),
    (errors.ConditionError, "PreconditionFailed"),
    (errors.LockedError, "AccessDenied"),
    (errors.LeasedError, "OperationAborted"),
    (errors.BadPartError, "InvalidPart"),
    (errors.PartOrderError, "InvalidPartOrder"),
    (errors.PartTooSmallError, "EntityTooSmall"),
    (errors.ChecksumError, "BadDigest"),
    (errors.NotKeptError, "NotImplemented"),
    (errors.NoRoomError, "InsufficientStorage"),
)


class Lent(msgspec.Struct, frozen=True):
    """An open file of which a part is to be sent; who sends it closes it."""

    opened: Opened
    part: Range


class Followed(msgspec.Struct, frozen=True):
    """The changes of a bucket after one of them, for as long as somebody listens and may."""

    bucket: str
    prefix: str
    after: int
    may: Callable[[], bool]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    status: int = 200
    headers: Headers = msgspec.field(default_factory=list)
    body: bytes | Lent | Followed = b""


class Ready(msgspec.Struct, frozen=True):
    """The same as it is written; `sized`: whoever writes it adds how long the body is."""

    status: int
    told: bytes
    body: bytes | Lent | Followed = b""
    sized: bool = True


def ready(answer: Answer, more: Headers) -> Ready:
    headers = [*answer.headers, *more]
    told = any(name == "content-length" for name, _ in headers)
    return Ready(answer.status, lines_of(headers), answer.body, not told)


def xml(body: bytes, status: int = 200, headers: Headers | None = None) -> Answer:
    told = [("content-type", "application/xml"), *(headers or ())]
    return Answer(status=status, headers=told, body=body)


def translated(error: errors.FilesError) -> S3Error:
    code = next((code for kind, code in _CODES if isinstance(error, kind)), "InternalError")
    usual = code in ("NoSuchBucket", "NoSuchKey", "NoSuchVersion", "NoSuchUpload", "AccessDenied")
    found = S3Error(code, "" if usual or names_place(error) else error.message)
    found.__cause__ = error
    if isinstance(error, errors.NoSuchKeyError):
        found.headers = _of_marker(error.marker)
    if isinstance(error, errors.MarkerError):
        found.headers = (("x-amz-delete-marker", "true"), ("allow", "DELETE"))
    return found


def names_place(error: errors.FilesError) -> bool:
    """Where on our disk it happened is told in the log, not to whoever asks."""
    return error.message.startswith("/")


def _of_marker(marker: str) -> tuple[tuple[str, str], ...]:
    if not marker:
        return (("x-amz-delete-marker", "false"),)
    return ("x-amz-delete-marker", "true"), ("x-amz-version-id", marker)


def refusal(error: S3Error, resource: str, request_id: str, *, head: bool = False) -> Answer:
    """HEAD has no body, so its code is in the status only."""
    headers = list(error.headers)
    if head or error.status == 304:  # noqa: PLR2004 - Not Modified
        return Answer(status=error.status, headers=headers)
    fields = "".join(tag(name, value) for name, value in error.fields.items())
    document = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Error>'
        f"{tag('Code', error.code)}{tag('Message', error.message)}{fields}"
        f"{tag('Resource', resource)}{tag('RequestId', request_id)}</Error>"
    )
    return xml(document.encode(errors="replace"), error.status, headers)
