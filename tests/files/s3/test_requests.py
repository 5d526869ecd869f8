"""What a request asks for: which bucket, which operation, which part, under which condition."""

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.files.condition import Condition
from dayfly.files.s3.address import Address, address_of, check_bucket_name
from dayfly.files.s3.call import call_of
from dayfly.files.s3.checksums import Announced, announced, content_md5, kind_of
from dayfly.files.s3.conditions import outcome
from dayfly.files.s3.head import lines_of
from dayfly.files.s3.metadata import kept_headers, tags_of_header, user_metadata
from dayfly.files.s3.operations import operation_of
from dayfly.files.s3.problem import S3Error
from dayfly.files.s3.ranges import Range, copied_range, is_of_state, range_of
from dayfly.files.s3.writes import condition_of


@pytest.mark.parametrize(
    ("host", "path", "expected"),
    [
        ("files.local:9000", "/", Address()),
        ("files.local", "/media", Address("media")),
        ("files.local", "/media/", Address("media")),
        ("files.local", "/media/a/b c", Address("media", "a/b c")),
        ("files.local", "/media//a//", Address("media", "/a//")),
        ("media.s3.local:9000", "/a/b", Address("media", "a/b")),
        ("media.s3.local", "/", Address("media")),
        ("two.dots.s3.local", "/k", Address("two.dots", "k")),
        ("Media.S3.LOCAL:9000", "/K", Address("media", "K")),
        ("S3.Local", "/media/k", Address("media", "k")),
        ("s3.local", "/media/k", Address("media", "k")),
        ("files.s3.local", "/media/k", Address("media", "k")),
        ("media.files.s3.local", "/k", Address("media", "k")),
        ("[::1]:9000", "/media/k", Address("media", "k")),
        ("[::1]", "/media/k", Address("media", "k")),
    ],
)
def test_which_bucket_and_key(host: str, path: str, expected: Address) -> None:
    assert address_of(host, path, ("files.s3.local", "s3.local")) == expected


@pytest.mark.parametrize("key", ["k" * 1025, "é" * 513])
def test_a_key_has_1024_bytes_at_most(key: str) -> None:
    with pytest.raises(S3Error) as told:
        address_of("host", f"/b/{key}")

    assert told.value.code == "KeyTooLongError"


@pytest.mark.parametrize("name", ["abc", "a.b-c", "1ab", "a" * 63, "media.example.org"])
def test_a_name_that_a_bucket_may_have(name: str) -> None:
    check_bucket_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "ab", "a" * 64, "Abc", "a_b", "-ab", "ab-", ".ab", "a..b", "a.-b", "a-.b", "192.168.5.4",
     "xn--abc", "../x", "a b", "b-s3alias", "é" * 5],
)  # fmt: skip
def test_a_name_that_no_bucket_has(name: str) -> None:
    with pytest.raises(S3Error) as told:
        check_bucket_name(name)

    assert told.value.code == "InvalidBucketName"


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "expected"),
    [
        ("GET", "/", "", {}, "ListBuckets"),
        ("GET", "/b", "", {}, "ListObjects"),
        ("GET", "/b", "list-type=2&prefix=acl", {}, "ListObjects"),
        ("GET", "/b", "versions", {}, "ListObjectVersions"),
        ("PUT", "/b", "", {}, "CreateBucket"),
        ("POST", "/b", "delete", {}, "DeleteObjects"),
        ("POST", "/b", "", {}, "PostObject"),
        ("GET", "/b/k", "", {}, "GetObject"),
        ("GET", "/b/k", "x-id=GetObject&versionId=1", {}, "GetObject"),
        ("GET", "/b/k", "acl&versionId=1", {}, "GetObjectAcl"),
        ("PUT", "/b/k", "", {"x-amz-copy-source": "/b/o"}, "PutObjectCopy"),
        ("PUT", "/b/k", "partNumber=1&uploadId=2", {}, "UploadPart"),
        ("PUT", "/b/k", "partNumber=1&uploadId=2", {"x-amz-copy-source": "b/o"}, "UploadPartCopy"),
        ("PUT", "/b/k", "", {"x-amz-storage-class": "STANDARD"}, "PutObject"),
        ("PUT", "/b/k", "partNumber=3", {}, "InvalidArgument"),
        ("PUT", "/b/k", "versionId=1", {}, "InvalidArgument"),
        ("PUT", "/b/k", "versionId=1", {"x-amz-copy-source": "/b/o"}, "InvalidArgument"),
        ("POST", "/b/k", "uploads&partNumber=1", {}, "InvalidArgument"),
        ("DELETE", "/b/k", "uploadId=2", {}, "AbortMultipartUpload"),
        ("GET", "/b", "website", {}, "NotImplemented"),
        ("PUT", "/b", "encryption", {}, "NotImplemented"),
        ("PUT", "/b/k", "append&position=0", {}, "NotImplemented"),
        ("POST", "/b/k", "restore", {}, "NotImplemented"),
        ("GET", "/b/k", "torrent", {}, "NotImplemented"),
        ("GET", "/b/k", "lifecycle", {}, "NotImplemented"),
        ("PUT", "/b/k", "", {"x-amz-server-side-encryption": "AES256"}, "NotImplemented"),
        ("GET", "/b/k", "", {"x-amz-server-side-encryption-customer-key": "k"}, "NotImplemented"),
        ("PUT", "/b/k", "", {"x-amz-storage-class": "GLACIER"}, "NotImplemented"),
        ("PUT", "/b/k", "", {"x-amz-website-redirect-location": "/x"}, "NotImplemented"),
        ("PATCH", "/b/k", "", {}, "MethodNotAllowed"),
        ("POST", "/b/k", "", {}, "MethodNotAllowed"),
        ("DELETE", "/", "", {}, "MethodNotAllowed"),
        ("DELETE", "/b/k", "acl", {}, "MethodNotAllowed"),
    ],
)
def test_what_is_asked_for(
    method: str, path: str, query: str, headers: dict[str, str], expected: str
) -> None:
    call = call_of(method, path, query, headers.items())
    try:
        found = operation_of(call, address_of("host", path))
    except S3Error as error:
        found = error.code

    assert found == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", None),
        ("bytes=0-0", Range(0, 1)),
        ("bytes=4-7", Range(4, 8)),
        ("bytes=4-", Range(4, 10)),
        ("bytes=4-99", Range(4, 10)),
        ("bytes=-3", Range(7, 10)),
        ("bytes=-99", Range(0, 10)),
        ("bytes=7-4", None),
        ("bytes=-", None),
        ("bytes=0-1,3-4", None),
        ("pages=1-2", None),
        ("bytes=a-b", None),
        (f"bytes=0-{'9' * 99}", Range(0, 10)),
        (f"bytes=0-{'9' * 5000}", None),
        (f"bytes={'9' * 5000}-", None),
        (f"bytes=-{'9' * 5000}", None),
    ],
)
def test_which_part_of_ten_bytes(header: str, expected: Range | None) -> None:
    assert range_of(header, 10) == expected


@pytest.mark.parametrize(
    ("if_range", "same"),
    [
        (None, True),
        ('"e"', True),
        ("Thu, 01 Jan 2026 00:00:00 GMT", True),
        ('"f"', False),
        ('W/"e"', False),
        ("e", False),
        ("Thu, 01 Jan 2026 00:00:01 GMT", False),
        ("", False),
    ],
)
def test_of_which_state_a_part_is_asked(if_range: str | None, same: bool) -> None:
    assert is_of_state(if_range, "e", "Thu, 01 Jan 2026 00:00:00 GMT") is same


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=10-", 10), ("bytes=40-50", 5), ("bytes=-0", 10), ("bytes=-5", 0)]
)
def test_a_part_that_is_not_there(header: str, size: int) -> None:
    with pytest.raises(S3Error) as told:
        range_of(header, size)

    assert told.value.code == "InvalidRange"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("bytes=0-9", ""),
        ("", ""),
        ("bytes=0-10", "InvalidRange"),
        ("bytes=5-", "InvalidArgument"),
        ("0-5", "InvalidArgument"),
        ("bytes=5-4", "InvalidArgument"),
    ],
)
def test_the_part_of_a_source_lies_within_it(header: str, code: str) -> None:
    assert _code(lambda: copied_range(header, 10)) == code


T = 1_700_000_000
BEFORE, AT, AFTER = (formatdate(T + more, usegmt=True) for more in (-5, 0, 5))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, "go"),
        ({"if-match": '"e"'}, "go"),
        ({"if-match": "e"}, "go"),
        ({"if-match": '"x", "e"'}, "go"),
        ({"if-match": "*"}, "go"),
        ({"if-match": '"x"'}, "failed"),
        ({"if-none-match": '"e"'}, "not modified"),
        ({"if-none-match": 'W/"e"'}, "not modified"),
        ({"if-none-match": '"x"'}, "go"),
        ({"if-modified-since": BEFORE}, "go"),
        ({"if-modified-since": AT}, "not modified"),
        ({"if-unmodified-since": BEFORE}, "failed"),
        ({"if-unmodified-since": AFTER}, "go"),
        ({"if-match": '"e"', "if-unmodified-since": BEFORE}, "go"),
        ({"if-none-match": '"x"', "if-modified-since": AFTER}, "go"),
        ({"if-modified-since": "yesterday"}, "go"),
    ],
)
def test_whether_a_reader_gets_it(headers: dict[str, str], expected: str) -> None:
    assert outcome(headers, "e", T * 10**9 + 5) == expected


def test_the_conditions_of_a_copy_have_their_own_names() -> None:
    headers = {"x-amz-copy-source-if-match": '"x"', "if-match": '"e"'}

    assert outcome(headers, "e", 0, "x-amz-copy-source-") == "failed"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, Condition()),
        ({"if-none-match": "*"}, Condition(if_none_match=("*",))),
        ({"if-unmodified-since": AT}, Condition(if_unmodified_since=T * 10**9)),
        ({"if-match": '"e"', "if-unmodified-since": BEFORE}, Condition(if_match=("e",))),
    ],
)
def test_under_which_condition_a_writer_writes(
    headers: dict[str, str], expected: Condition
) -> None:
    assert condition_of(headers) == expected


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"if-unmodified-since": "yesterday"}, "InvalidArgument"),
        ({"if-modified-since": AT}, "NotImplemented"),
    ],
)
def test_a_condition_of_a_writer_is_never_passed_over(headers: dict[str, str], code: str) -> None:
    assert _code(lambda: condition_of(headers)) == code


def test_what_a_writer_says_is_kept() -> None:
    headers = {
        "content-type": "text/plain",
        "content-encoding": "aws-chunked,gzip",
        "x-amz-meta-a": "1",
        "x-other": "2",
        "cache-control": "",
    }

    assert kept_headers(headers) == {"content-type": "text/plain", "content-encoding": "gzip"}
    assert user_metadata(headers) == {"a": "1"}
    assert kept_headers({"content-encoding": "aws-chunked"}) == {}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (("content-disposition", 'attachment; filename="a.pdf"'), 'attachment; filename="a.pdf"'),
        (
            ("content-disposition", 'attachment; filename="für \\"Zoë\\".pdf"; x=1'),
            "attachment; filename*=UTF-8''f%C3%BCr%20%22Zo%C3%AB%22.pdf; x=1",
        ),
        (("content-disposition", "inline; FileName=ü.txt"), "inline; filename*=UTF-8''%C3%BC.txt"),
        (
            ("content-disposition", "attachment; filename=\"ü.txt\"; filename*=UTF-8''%C3%BC.txt"),
            "attachment; filename=\"?.txt\"; filename*=UTF-8''%C3%BC.txt",
        ),
        (("content-disposition", "attachment; note=é"), "attachment; note=?"),
        (("x-amz-meta-a", "Zoë"), "=?utf-8?q?Zo=C3=AB?="),
    ],
)
def test_what_is_not_ascii_leaves_a_header_what_it_is(
    header: tuple[str, str], expected: str
) -> None:
    assert lines_of([header]) == f"{header[0]}: {expected}\r\n".encode()


def test_metadata_has_2_kib_at_most() -> None:
    assert _code(lambda: user_metadata({"x-amz-meta-a": "v" * 2047})) == ""
    assert _code(lambda: user_metadata({"x-amz-meta-a": "v" * 2048})) == "MetadataTooLarge"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=1&b=2%20c", {"a": "1", "b": "2 c"}),
        ("", {}),
        ("a", {"a": ""}),
        ("a=1&a=2", "InvalidTag"),
        ("=1", "InvalidTag"),
        ("&".join(f"{n}={n}" for n in range(11)), "InvalidTag"),
        ("a=" + "v" * 257, "InvalidTag"),
        ("k" * 129 + "=v", "InvalidTag"),
        ("a=%3C", "InvalidTag"),
    ],
)
def test_tags_of_a_header(text: str, expected: dict[str, str] | str) -> None:
    try:
        found: dict[str, str] | str = tags_of_header(text)
    except S3Error as error:
        found = error.code

    assert found == expected


CRC = "DUoRhQ=="


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"x-amz-checksum-crc32": CRC}, Announced(algorithm="CRC32", value=CRC)),
        ({"x-amz-sdk-checksum-algorithm": "sha256"}, Announced(algorithm="SHA256")),
        (
            {"x-amz-trailer": "x-amz-checksum-crc64nvme"},
            Announced(algorithm="CRC64NVME", trailing=True),
        ),
        ({"x-amz-checksum-crc32": "short"}, "BadDigest"),
        ({"x-amz-checksum-crc32": CRC, "x-amz-checksum-crc32c": CRC}, "InvalidRequest"),
        ({"x-amz-checksum-md4": CRC}, "NotImplemented"),
        ({"x-amz-trailer": "x-amz-meta-late"}, "NotImplemented"),
        ({"x-amz-checksum-algorithm": "MD4"}, "InvalidArgument"),
    ],
)
def test_which_checksum_is_announced(
    headers: dict[str, str], expected: Announced | str | None
) -> None:
    try:
        found: Announced | str | None = announced(headers)
    except S3Error as error:
        found = error.code

    assert found == expected


@pytest.mark.parametrize(
    ("kind", "algorithm", "expected"),
    [
        ("", "CRC32", "COMPOSITE"),
        ("", "CRC64NVME", "FULL_OBJECT"),
        ("FULL_OBJECT", "CRC32C", "FULL_OBJECT"),
        ("COMPOSITE", "CRC64NVME", "InvalidRequest"),
        ("FULL_OBJECT", "SHA256", "InvalidRequest"),
        ("HALF", "CRC32", "InvalidRequest"),
    ],
)
def test_of_what_a_checksum_of_parts_is(kind: str, algorithm: str, expected: str) -> None:
    try:
        found = kind_of(kind, algorithm)
    except S3Error as error:
        found = error.code

    assert found == expected


@pytest.mark.parametrize(
    ("header", "code"),
    [("", "InvalidDigest"), ("YWJyYWNhZGFicmE=", "InvalidDigest"), ("!", "InvalidDigest"),
     ("1B2M2Y8AsgTpgAmY7PhCfg==", "")],
)  # fmt: skip
def test_the_md5_of_a_body(header: str, code: str) -> None:
    assert _code(lambda: content_md5(header)) == code


def test_too_many_headers_or_parameters_are_refused() -> None:
    assert (
        _code(lambda: call_of("GET", "/", "", [("a", "b" * 20_000)])) == "MaxMessageLengthExceeded"
    )
    assert _code(lambda: call_of("GET", "/", "a&" * 200)) == "InvalidURI"
    assert _code(lambda: call_of("GET", "/", "a=%FF")) == "InvalidURI"


@given(st.text(), st.text())
def test_any_path_is_an_address_or_refused(host: str, path: str) -> None:
    try:
        found = address_of(host, f"/{path}", ("s3.local",))
    except S3Error:
        return

    assert found.key == "" or found.bucket or path.startswith("/")


def _code(refused: object) -> str:
    assert callable(refused)
    try:
        refused()
    except S3Error as error:
        return error.code
    return ""
