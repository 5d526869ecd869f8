"""What was announced of a body, and whether the body that came is that one."""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from dayfly.files.checksums import begun, written
from dayfly.files.objects import Checksum
from dayfly.files.s3.checksums import Announced, announced, checked, content_md5, header_of
from dayfly.files.s3.problem import S3Error
from dayfly.files.s3.signature import Claim
from dayfly.files.staging import Staged

_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Proof:
    """`sha256` is the one that was signed; both it and `md5` are hexadecimal, or empty."""

    sha256: str = ""
    md5: str = ""
    checksum: Announced | None = None

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Those to be taken while the body comes in."""
        signed = ("SHA256",) if self.sha256 else ()
        return (*signed, self.checksum.algorithm) if self.checksum else signed

    def check(self, staged: Staged, trailers: Mapping[str, str]) -> Checksum | None:
        """The checksum to be kept. S3Error where something else came than was announced."""
        if self.sha256 and base64.b64decode(staged.digest("SHA256")).hex() != self.sha256:
            raise S3Error("XAmzContentSHA256Mismatch", ClientComputedContentSHA256=self.sha256)
        if self.md5 and staged.etag != self.md5:
            raise S3Error("BadDigest")
        if self.checksum is None:
            return None
        found = staged.digest(self.checksum.algorithm)
        _compare(self._wanted(trailers), found, self.checksum.algorithm)
        return Checksum(algorithm=self.checksum.algorithm, value=found)

    def check_whole(self, body: bytes, trailers: Mapping[str, str]) -> None:
        """The same of a body that is no object."""
        if self.sha256 and hashlib.sha256(body).hexdigest() != self.sha256:
            raise S3Error("XAmzContentSHA256Mismatch", ClientComputedContentSHA256=self.sha256)
        if self.md5 and hashlib.md5(body, usedforsecurity=False).hexdigest() != self.md5:
            raise S3Error("BadDigest")
        wanted = self._wanted(trailers)
        if self.checksum and wanted:
            taken = begun(self.checksum.algorithm)
            taken.update(body)
            _compare(wanted, written(taken.digest()), self.checksum.algorithm)

    def _wanted(self, trailers: Mapping[str, str]) -> str:
        if self.checksum is None or not self.checksum.trailing:
            return self.checksum.value if self.checksum else ""
        told = trailers.get(header_of(self.checksum.algorithm))
        if told is None:
            raise S3Error("InvalidRequest", "The trailer that was announced did not come.")
        return checked(self.checksum.algorithm, told)


def proof_of(headers: Mapping[str, str], claim: Claim | None, *, of_object: bool = True) -> Proof:
    """`of_object`: whether checksums that are told are of this body."""
    signed = claim.payload if claim and _HEX.fullmatch(claim.payload) else ""
    return Proof(
        sha256=signed,
        md5=content_md5(headers.get("content-md5")),
        checksum=announced(headers) if of_object else None,
    )


def _compare(wanted: str, found: str, algorithm: str) -> None:
    if wanted and wanted != found:
        raise S3Error(
            "BadDigest",
            f"The {algorithm} you specified did not match the calculated checksum.",
        )
