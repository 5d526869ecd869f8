"""PutObject and UploadPart: bytes that come piece by piece."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

from dayfly.files.condition import Condition
from dayfly.files.objects import Bucket, Description, Upload
from dayfly.files.s3 import reading
from dayfly.files.s3.answer import Answer
from dayfly.files.s3.checksums import Announced, header_of
from dayfly.files.s3.head import Headers
from dayfly.files.s3.incoming import MOST_BYTES
from dayfly.files.s3.partaken import part_number, upload_of
from dayfly.files.s3.problem import S3Error
from dayfly.files.s3.proof import Proof, proof_of
from dayfly.files.s3.request import Request
from dayfly.files.s3.writes import check_write, condition_of, described
from dayfly.files.staging import Staged

Trailers = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Taking:
    """A body on its way. Nothing is seen of it before `finish`."""

    staged: Staged
    finish: Callable[[Trailers], Answer]

    def write(self, piece: bytes | memoryview) -> None:
        if self.staged.size + len(piece) > MOST_BYTES:
            raise S3Error("EntityTooLarge", MaxSizeAllowed=str(MOST_BYTES))
        self.staged.write(piece)


Opener = Callable[[Request], AbstractContextManager[Taking]]


@contextmanager
def of_object(request: Request) -> Iterator[Taking]:
    bucket = request.bucket()
    proof = proof_of(request.headers, request.caller.claim)
    told = described(request, bucket)
    check_write(request, bucket, told, request.address.key)
    condition = condition_of(request.headers)
    with request.repository.stage(bucket.name, algorithms=proof.algorithms) as staged:
        yield Taking(
            staged=staged,
            finish=lambda trailers: _put(
                request, bucket, staged, replace(told, checksum=proof.check(staged, trailers)),
                condition,
            ),
        )  # fmt: skip


def _put(
    request: Request, bucket: Bucket, staged: Staged, told: Description, condition: Condition
) -> Answer:
    version = request.repository.put(staged, request.address.key, told, condition)
    headers = [
        ("etag", f'"{version.etag}"'),
        *reading.new_version_headers(bucket, version),
        *reading.checksum_headers(version),
        *reading.expiration_headers(bucket, version),
    ]
    return Answer(headers=headers)


@contextmanager
def of_part(request: Request) -> Iterator[Taking]:
    bucket = request.bucket()
    upload = upload_of(request, bucket, "s3:PutObject")
    number = part_number(request)
    proof = _proof_of_part(request, upload)
    with request.repository.stage(bucket.name, algorithms=proof.algorithms) as staged:

        def finish(trailers: Trailers) -> Answer:
            checksum = proof.check(staged, trailers)
            part = request.repository.put_part(upload, number, staged)
            headers: Headers = [("etag", f'"{part.etag}"')]
            if checksum:
                headers.append((header_of(checksum.algorithm), checksum.value))
            return Answer(headers=headers)

        yield Taking(staged=staged, finish=finish)


def _proof_of_part(request: Request, upload: Upload) -> Proof:
    """A part has the checksum of its upload, and may have none other."""
    proof = proof_of(request.headers, request.caller.claim)
    if not upload.algorithm:
        return proof
    if proof.checksum is None:
        return replace(proof, checksum=Announced(algorithm=upload.algorithm))
    if proof.checksum.algorithm != upload.algorithm:
        raise S3Error(
            "InvalidRequest",
            f"Checksum Type mismatch occurred, expected checksum Type: {upload.algorithm}, "
            f"actual checksum Type: {proof.checksum.algorithm}",
        )
    return proof
