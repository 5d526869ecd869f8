"""What nobody means well by is refused, cheaply, and leaves nothing behind."""

import hashlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from archive import MAIN, S3, Archive

http = requests.Session()
http.trust_env = False
MB = 1024**2


@contextmanager
def connected(served: Archive) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", served.port), 30) as one:
        yield one


def said(served: Archive, sent: bytes) -> str:
    """What comes back for bytes on the wire."""
    with connected(served) as one:
        one.sendall(sent)
        return _answer(one)


def _answer(one: socket.socket) -> str:
    got = b""
    while b"\r\n\r\n" not in got:
        piece = one.recv(65536)
        if not piece:
            break
        got += piece
    return got.decode("latin-1")


def signed(
    served: Archive, method: str, path: str, body: bytes = b"", payload: str = ""
) -> dict[str, str]:
    request = AWSRequest(method, served.url + path, data=body)
    auth = S3SigV4Auth(Credentials(MAIN.key, MAIN.secret), "s3", "us-east-1")
    if payload:
        auth.payload = lambda _: payload
    auth.add_auth(request)
    return dict(request.headers) | {"Host": f"127.0.0.1:{served.port}"}


def head_of(method: str, path: str, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {text}" for name, text in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def memory(served: Archive) -> int:
    """Bytes of all workers together."""
    pages = (Path(f"/proc/{pid}/statm").read_text().split()[1] for pid in served.workers())
    return sum(map(int, pages)) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/{b}/../../../etc/passwd",
        "/{b}/%2e%2e%2f%2e%2e%2fetc/passwd", "/.dayfly/index", "/{b}/..%5c..%5cetc", "//etc/passwd",
        "/{b}/.dayfly/index/catalogue.db",
    ],
)  # fmt: skip
def test_nothing_outside_of_the_bucket_is_read_or_written(
    served: Archive, bucket: str, path: str
) -> None:
    path = path.format(b=bucket)
    for method in ("GET", "PUT"):
        body = b"evil" if method == "PUT" else b""
        headers = signed(served, method, path, body) | {"Content-Length": str(len(body))}
        answer = said(served, head_of(method, path, headers) + body)
        assert "root:" not in answer
    assert not (served.folder.parent / "etc").exists()
    outside = {each.name for each in served.folder.iterdir()}
    assert outside <= {"data", ".dayfly"}
    assert {each.name for each in (served.folder / "data").iterdir()} == {
        each.name for each in (served.folder / "data").iterdir() if each.name.startswith("bucket-")
    }


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "200"),  # nobody's buckets
        (b"GET /b/k HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", "400"),
        (b"GET /b/" + b"k" * 2000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", "400"),
        (b"GET /b?" + b"a=1&" * 500 + b" HTTP/1.1\r\nHost: x\r\n\r\n", "400"),
        (b"GET /b/k HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 300_000, "431"),
        (b"PUT /b/k HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "400"),
        (b"PUT /b/k HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999999999999\r\n\r\n", "411"),
        (b"PUT /b/k HTTP/1.1\r\nHost: x\r\nContent-Length: 5368709121\r\n\r\n", "400"),
        (b"PUT /b/k HTTP/1.1\r\nHost: x\r\n\r\n", "411"),
        (b"nonsense\r\n\r\n", "400"),
        (b"GET /b/k HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 x\r\n\r\n", "400"),
        (b"GET /b/k HTTP/1.1\r\nHost: x\r\nAuthorization: Basic eDp5\r\n\r\n", "400"),
        (b"GET /b/k?X-Amz-Algorithm=x&X-Amz-Signature=y HTTP/1.1\r\nHost: x\r\n\r\n", "400"),
    ],
)
def test_requests_that_are_none(served: Archive, sent: bytes, status: str) -> None:
    answer = said(served, sent)

    found = answer[9:12]
    assert found == status or (not status and found in ("", "400", "404", "431"))


def test_a_signature_is_good_for_its_request_only(served: Archive, s3: S3, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    good = signed(served, "GET", f"/{bucket}/k")
    flipped = good["Authorization"][:-1] + ("0" if good["Authorization"][-1] != "0" else "1")

    assert http.get(f"{served.url}/{bucket}/k", headers=good).status_code == 200
    assert http.delete(f"{served.url}/{bucket}/k", headers=good).status_code == 403
    forged = good | {"Authorization": flipped}
    assert http.get(f"{served.url}/{bucket}/k", headers=forged).status_code == 403
    other = good | {"Authorization": good["Authorization"].replace(MAIN.key, "NOBODY")}
    assert "InvalidAccessKeyId" in http.get(f"{served.url}/{bucket}/k", headers=other).text


def test_another_body_than_the_signed_one_leaves_nothing(
    served: Archive, s3: S3, bucket: str
) -> None:
    headers = signed(served, "PUT", f"/{bucket}/k", b"good")
    answer = http.put(f"{served.url}/{bucket}/k", data=b"evil", headers=headers)

    assert "XAmzContentSHA256Mismatch" in answer.text
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def staged(served: Archive) -> list[Path]:
    return [
        path
        for path in (served.folder / ".dayfly").rglob("*")
        if path.is_file() and path.stat().st_size == 3 * MB
    ]


def test_a_body_that_breaks_off_leaves_nothing(served: Archive, s3: S3, bucket: str) -> None:
    path = f"/{bucket}/k"
    for size in (10, 5 * MB):  # taken at once, and piece by piece
        headers = signed(served, "PUT", path, b"x" * size) | {"Content-Length": str(size)}
        with connected(served) as one:
            one.sendall(head_of("PUT", path, headers) + b"x" * (size * 3 // 5))
            one.shutdown(socket.SHUT_WR)
            assert "IncompleteBody" in _rest(one)

    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert staged(served) == []


def _rest(one: socket.socket) -> str:
    got = b""
    while piece := one.recv(65536):
        got += piece
    return got.decode("latin-1")


def test_xml_bombs(served: Archive, bucket: str) -> None:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 30))
    bomb = f'<!DOCTYPE x [<!ENTITY a0 "ha">{entities}]><Delete>&a29;</Delete>'.encode()
    deep = b"<Delete>" + b"<a>" * 100_000
    before = memory(served)
    for body in (bomb, deep, b"<Delete>" + b" " * 5 * MB):
        headers = signed(served, "POST", f"/{bucket}?delete=", body)
        began = time.monotonic()
        answer = http.post(f"{served.url}/{bucket}?delete", data=body, headers=headers)
        assert answer.status_code == 400
        assert time.monotonic() - began < 10
    assert memory(served) - before < 64 * MB


def test_ten_thousand_parts(served: Archive, s3: S3, bucket: str) -> None:
    here = {"Bucket": bucket, "Key": "k"}
    upload = s3.create_multipart_upload(**here)["UploadId"]
    path = f"/{bucket}/k?uploadId={upload}"
    part = '<Part><PartNumber>{}</PartNumber><ETag>"{}"</ETag></Part>'
    digest = hashlib.md5(b"").hexdigest()
    for number, code in ((10_000, "InvalidPart"), (10_001, "MalformedXML")):
        parts = "".join(
            part.format(each + 1 if each < 10_000 else 1, digest) for each in range(number)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        answer = http.post(served.url + path, data=body, headers=signed(served, "POST", path, body))
        assert f"<Code>{code}</Code>" in answer.text


def test_slow_clients_do_not_keep_others_waiting(served: Archive, s3: S3, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    path = f"/{bucket}/slow"
    headers = signed(served, "PUT", path, b"x" * 100_000) | {"Content-Length": "100000"}
    slow = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(100)]
    try:
        for number, one in enumerate(slow):
            one.sendall(head_of("PUT", path, headers)[: None if number % 2 else 50])
        began = time.monotonic()
        for _ in range(10):
            assert s3.get_object(Bucket=bucket, Key="k")["ContentLength"] == 1
        assert time.monotonic() - began < 10
    finally:
        for one in slow:
            one.close()


def test_a_reader_that_does_not_read_costs_no_memory(served: Archive, s3: S3, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="large", Body=bytes(128 * MB))
    before = memory(served)
    headers = signed(served, "GET", f"/{bucket}/large")
    lazy = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(8)]
    try:
        for one in lazy:
            one.sendall(head_of("GET", f"/{bucket}/large", headers))
        time.sleep(2)
        assert memory(served) - before < 64 * MB
    finally:
        for one in lazy:
            one.close()


def test_many_questions_of_who_reads_no_answers_cost_no_memory(
    served: Archive, s3: S3, bucket: str
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=bytes(64 * 1024), ACL="public-read")
    before = memory(served)
    with connected(served) as one:
        one.settimeout(1)
        with pytest.raises(TimeoutError):
            one.sendall(f"GET /{bucket}/k HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 200_000)
        assert memory(served) - before < 64 * MB


def test_many_uploads_that_do_not_end_cost_little_memory(
    served: Archive, s3: S3, bucket: str
) -> None:
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    before = memory(served)
    slow = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(200)]
    try:
        for number, one in enumerate(slow):
            one.sendall(
                head_of("PUT", f"/{bucket}/{number}", {"Host": "x", "Content-Length": str(3 * MB)})
            )
            one.sendall(bytes(3 * MB - 1))
        time.sleep(1)
        assert memory(served) - before < 300 * MB  # about one piece each; sent are 600
        assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
        for one in slow:
            one.sendall(b"x")
        assert all(_answer(one).startswith("HTTP/1.1 200") for one in slow)
    finally:
        for one in slow:
            one.close()


def test_a_large_upload_costs_little_memory(served: Archive, s3: S3, bucket: str) -> None:
    path, size = f"/{bucket}/large", 512 * MB
    headers = signed(served, "PUT", path, payload="UNSIGNED-PAYLOAD")
    headers["Content-Length"] = str(size)
    before, most = memory(served), 0
    with connected(served) as one:
        one.settimeout(120)
        one.sendall(head_of("PUT", path, headers))
        piece = bytes(4 * MB)
        for _ in range(size // len(piece)):
            one.sendall(piece)
            most = max(most, memory(served))
        assert _answer(one).startswith("HTTP/1.1 200")

    assert most - before < 64 * MB
    assert s3.head_object(Bucket=bucket, Key="large")["ContentLength"] == size


def test_what_is_overwritten_while_it_is_read_is_read_whole(
    served: Archive, s3: S3, bucket: str
) -> None:
    bodies = [bytes([number]) * (1 * MB + number) for number in range(4)]
    s3.put_object(Bucket=bucket, Key="k", Body=bodies[0])
    ends = time.monotonic() + 4

    def write() -> None:
        writer, number = served.client(), 0
        while time.monotonic() < ends:
            number = (number + 1) % len(bodies)
            writer.put_object(Bucket=bucket, Key="k", Body=bodies[number])

    thread = threading.Thread(target=write)
    thread.start()
    while time.monotonic() < ends:
        answer = s3.get_object(Bucket=bucket, Key="k")
        body = answer["Body"].read()
        assert body == bodies[body[0]]
        assert answer["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    thread.join()
