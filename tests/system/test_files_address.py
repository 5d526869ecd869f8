"""The file archive behind the balancer: by a name of its own, with TLS, for people outside."""

import hashlib
import json
import os
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import boto3
import pytest
import trustme
from botocore.config import Config

from archive import S3
from dayfly.clock import wait_until
from production import Production, running
from workshop import open_folder

pytestmark = [pytest.mark.acceptance, pytest.mark.haproxy]

HOST = "files.localhost"
LARGE = 96 << 20


@pytest.fixture(scope="module")
def prod() -> Iterator[Production]:
    with (
        open_folder() as folder,
        running(folder, tls=True, last=f'[files]\nhost = "{HOST}"\n') as made,
    ):
        ca = trustme.CA()
        ca.cert_pem.write_to_path(made.ca)
        names = ca.issue_cert(HOST, f"*.{HOST}", "127.0.0.1", "localhost")
        names.private_key_and_cert_chain_pem.write_to_path(made.home.tls / "site.pem")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(socket, "getaddrinfo", here)
            wait_until(lambda: _trusted(made), seconds=30, what="the new certificate")
            yield made


def here(host: str, *told: Any, found: Any = socket.getaddrinfo, **more: Any) -> Any:  # noqa: ANN401
    """Names of this host, which not every system's resolver knows."""
    own = isinstance(host, str) and host.endswith(".localhost")
    return found("127.0.0.1" if own else host, *told, **more)


def _trusted(prod: Production) -> bool:
    context = ssl.create_default_context(cafile=str(prod.ca))
    try:
        with closing(HTTPSConnection(HOST, prod.https, context=context, timeout=5)) as line:
            line.connect()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def address(prod: Production) -> str:
    told = json.loads(prod.typed("status", "--json"))["services"]["files"]
    assert told["public"] == f"https://{HOST}:{prod.https}"
    return str(told["public"])


def client_of(prod: Production, address: str, style: str) -> S3:
    key = json.loads(prod.typed("files", "key", "create", "ann", "--json"))
    return boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id=key["access_key_id"],
        aws_secret_access_key=key["secret_access_key"],
        verify=str(prod.ca),
        config=Config(
            s3={"addressing_style": style},
            signature_version="s3v4",
            retries={"max_attempts": 8, "mode": "standard"},
        ),
    )


class Pieces:
    """A large body that nobody holds in memory."""

    def __init__(self) -> None:
        self.left, self.hash = LARGE, hashlib.sha256()
        self.piece = os.urandom(1 << 20)

    def __iter__(self) -> Iterator[bytes]:
        while self.left:
            self.hash.update(self.piece)
            self.left -= len(self.piece)
            yield self.piece


def send(prod: Production, url: str, body: Pieces) -> int:
    """As a program that knows nothing of S3."""
    context = ssl.create_default_context(cafile=str(prod.ca))
    connection = HTTPSConnection(HOST, prod.https, context=context, timeout=60)
    path = url.partition(f":{prod.https}")[2]
    try:
        connection.request("PUT", path, iter(body), {"content-length": str(LARGE)})
        return connection.getresponse().status
    finally:
        connection.close()


def resident(pids: list[int]) -> int:
    """Bytes in memory of processes."""
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids]
    return sum(pages) * os.sysconf("SC_PAGE_SIZE")


def test_the_archive_answers_under_its_name(prod: Production, address: str) -> None:
    s3 = client_of(prod, address, "path")
    s3.create_bucket(Bucket="pictures")
    s3.put_object(Bucket="pictures", Key="ä b", Body=b"one")
    virtual = client_of(prod, address, "virtual")
    assert virtual.get_object(Bucket="pictures", Key="ä b")["Body"].read() == b"one"

    get = s3.generate_presigned_url("get_object", {"Bucket": "pictures", "Key": "ä b"})
    context = ssl.create_default_context(cafile=str(prod.ca))
    with urllib.request.urlopen(get, timeout=20, context=context) as answer:
        assert answer.read() == b"one"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(get.replace("%C3%A4", "x"), timeout=20, context=context)

    put = s3.generate_presigned_url("put_object", {"Bucket": "pictures", "Key": "large"})
    body, haproxy = Pieces(), prod.haproxies()
    before = resident(haproxy)
    assert send(prod, put, body) == 200
    assert resident(haproxy) - before < 64 << 20
    stored = (prod.home.path / "archive/data/pictures/large").read_bytes()
    assert hashlib.sha256(stored).digest() == body.hash.digest()

    allowed = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::pictures/*",
                "Condition": {
                    "Bool": {"aws:SecureTransport": "true"},
                    "IpAddress": {"aws:SourceIp": "127.0.0.1/32"},
                },
            }
        ],
    }
    s3.put_bucket_policy(Bucket="pictures", Policy=json.dumps(allowed))
    plain = f"{address}/pictures/large"
    request = urllib.request.Request(plain, headers={"Range": "bytes=0-3"})
    with urllib.request.urlopen(request, timeout=20, context=context) as answer:
        assert (answer.status, len(answer.read())) == (206, 4)
    inside = json.loads(prod.typed("status", "--json"))["services"]["files"]["url"]
    forged = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1"}
    request = urllib.request.Request(f"{inside}/pictures/large", headers=forged)
    with pytest.raises(urllib.error.HTTPError, match="403"):  # without TLS
        urllib.request.urlopen(request, timeout=20)


def test_every_other_name_is_not_the_archive(prod: Production) -> None:
    with pytest.raises(urllib.error.HTTPError, match="503") as told:  # no app is released
        urllib.request.urlopen(prod.url, timeout=20)
    told.value.close()

    assert "x-amz-request-id" not in told.value.headers
    assert (prod.home.files / "balancer.sock").stat().st_mode & 0o777 == 0o600
