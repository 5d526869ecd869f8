"""Leases and watches over HTTP, signed like all of S3, with several server processes."""

import json
import os
import shutil
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPResponse
from typing import Any, cast

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from archive import ALT, MAIN, S3, Archive, Put, Who, missing
from dayfly.clock import wait_until
from dayfly.files import credentials
from dayfly.files.objects import Change
from dayfly.files.s3.watching import event


def asked(
    served: Archive, method: str, path: str, who: Who = MAIN, **headers: str
) -> tuple[int, bytes]:
    """One signed request and its answer."""
    try:
        with closing(sent(served, method, path, who, **headers)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def sent(served: Archive, method: str, path: str, who: Who = MAIN, **headers: str) -> HTTPResponse:
    signed = AWSRequest(method, f"{served.url}/{path}", headers=headers, data=b"")
    S3SigV4Auth(Credentials(who.key, who.secret), "s3", "us-east-1").add_auth(signed)
    request = urllib.request.Request(signed.url, headers=dict(signed.headers), method=method)
    return cast("HTTPResponse", urllib.request.urlopen(request, timeout=20))


def lease(served: Archive, method: str, path: str, who: Who = MAIN) -> Any:  # noqa: ANN401 - JSON
    status, body = asked(served, method, path, who)
    return status, json.loads(body) if body.startswith(b"{") else body.decode()


def test_a_lease_is_taken_prolonged_and_given_back(
    served: Archive, s3: S3, bucket: str, put: Put
) -> None:
    status, held = lease(served, "PUT", f"{bucket}/a/b?lease&owner=night&seconds=60")
    assert (status, held["owner"], held["key"], held["token"]) == (200, "main-id/night", "a/b", 1)
    assert lease(served, "GET", f"{bucket}/a/b?lease") == (200, held)
    assert lease(served, "GET", f"{bucket}?leases") == (200, {"leases": [held]})
    refused, said = lease(served, "PUT", f"{bucket}/a/b?lease&owner=day")
    assert (refused, "<Owner>main-id/night</Owner>" in said) == (409, True)
    with pytest.raises(s3.exceptions.ClientError, match="OperationAborted"):
        put("a/b", b"without the token")
    named = {"x-dayfly-lease": "1"}
    assert asked(served, "PUT", f"{bucket}/a/b", **named)[0] == 200
    assert asked(served, "DELETE", f"{bucket}/a/b?tagging")[0] == 409
    assert asked(served, "DELETE", f"{bucket}/a/b?tagging", **named)[0] == 204
    public = {"x-amz-acl": "public-read"}
    assert asked(served, "PUT", f"{bucket}/a/b?acl", **public)[0] == 409
    assert asked(served, "PUT", f"{bucket}/a/b?acl", **public, **named)[0] == 200

    status, longer = lease(served, "PUT", f"{bucket}/a/b?lease&token=1&seconds=3600")
    assert (status, longer["until"] > held["until"], longer["owner"]) == (200, True, held["owner"])
    assert lease(served, "DELETE", f"{bucket}/a/b?lease&token=1")[0] == 204
    assert lease(served, "GET", f"{bucket}/a/b?lease")[0] == 404
    put("a/b", b"free again")
    status, later = lease(served, "PUT", f"{bucket}/a/b?lease&owner=day")
    assert (status, later["token"]) == (200, 2)
    assert lease(served, "PUT", f"{bucket}/a/b?lease&token=1")[0] == 409
    assert asked(served, "PUT", f"{bucket}/a/b", **{"x-dayfly-lease": "1"})[0] == 409


def test_of_many_that_want_a_lease_one_gets_it(served: Archive, bucket: str) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = list(
            pool.map(lambda n: lease(served, "PUT", f"{bucket}/one?lease&owner=n{n}")[0], range(16))
        )

    assert sorted(found) == [200] + [409] * 15


@pytest.mark.parametrize(
    ("method", "query", "who", "status"),
    [
        ("PUT", "?lease", ALT, 403),
        ("GET", "?lease", ALT, 403),
        ("PUT", "?lease&seconds=0", MAIN, 400),
        ("PUT", "?lease&seconds=86401", MAIN, 400),
        ("PUT", "?lease&seconds=1.5", MAIN, 400),
        ("PUT", "?lease&seconds=00000000199999999999999", MAIN, 400),
        ("PUT", f"?lease&owner={'n' * 201}", MAIN, 400),
        ("PUT", "?lease&token=x", MAIN, 400),
        ("DELETE", "?lease", MAIN, 400),
        ("DELETE", "?lease&token=7", MAIN, 409),
        ("POST", "?lease", MAIN, 405),
    ],
)
def test_a_lease_that_is_refused(
    served: Archive, bucket: str, method: str, query: str, who: Who, status: int
) -> None:
    assert lease(served, method, f"{bucket}/a{query}", who)[0] == status


def test_who_names_no_owner_is_one_of_his_own(served: Archive, bucket: str) -> None:
    held = [lease(served, "PUT", f"{bucket}/a?lease") for _ in range(2)]

    assert [status for status, _ in held] == [200, 409]
    assert held[0][1]["owner"].startswith("main-id/#")


def test_nobody_in_particular_shuts_the_owner_out(served: Archive, s3: S3, bucket: str) -> None:
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    for method in ("PUT", "DELETE"):
        asks = urllib.request.Request(f"{served.url}/{bucket}/a?lease&token=1", method=method)
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(asks, timeout=20)


def test_nobody_ends_the_lease_of_another_account_but_whose_bucket_it_is(
    served: Archive, s3: S3, bucket: str
) -> None:
    allowed = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": ALT.id},
                "Action": "s3:PutObject",
                "Resource": f"arn:aws:s3:::{bucket}/*",
            }
        ],
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(allowed))
    assert lease(served, "PUT", f"{bucket}/a?lease&owner=x", ALT)[0] == 200

    assert lease(served, "PUT", f"{bucket}/a?lease&owner=x")[0] == 409
    assert lease(served, "PUT", f"{bucket}/a?lease&token=1")[0] == 403
    assert lease(served, "DELETE", f"{bucket}/a?lease&token=1")[0] == 204
    assert lease(served, "PUT", f"{bucket}/a?lease&owner=x")[0] == 200
    assert lease(served, "DELETE", f"{bucket}/a?lease&token=2", ALT)[0] == 403


def test_curl_takes_a_lease(served: Archive, bucket: str) -> None:
    """As the docs have it."""
    if shutil.which("curl") is None:
        missing("curl")
    words = ["curl", "-sS", "-X", "PUT", "--aws-sigv4", "aws:amz:us-east-1:s3"]
    words += ["--user", f"{MAIN.key}:{MAIN.secret}", "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD"]
    done = subprocess.run(
        [*words, f"{served.url}/{bucket}/c?lease=&seconds=60"], capture_output=True, check=True
    )

    assert json.loads(done.stdout)["token"] == 1


@contextmanager
def following(served: Archive, path: str, **headers: str) -> Iterator[list[dict[str, str]]]:
    """The events that come, as fields."""
    found: list[dict[str, str]] = []
    answer = sent(served, "GET", path, **headers)

    def lines() -> None:
        one: dict[str, str] = {}
        try:
            for raw in answer:
                name, _, value = raw.decode().rstrip("\n").partition(": ")
                if value and name:
                    one[name] = value
                elif one:
                    found.append(one)
                    one = {}
        except (OSError, ValueError, AttributeError):
            return

    thread = threading.Thread(target=lines)
    thread.start()
    try:
        wait_until(lambda: answer.status == 200, seconds=10, what="it follows")
        yield found
    finally:
        with socket.socket(fileno=os.dup(answer.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        answer.close()


def keys(found: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(each["event"], json.loads(each["data"])["key"]) for each in found]


def test_a_watch_tells_what_happens_and_goes_on_where_it_was(
    served: Archive, s3: S3, bucket: str, put: Put
) -> None:
    with following(served, f"{bucket}?watch&prefix=in%2F") as found:
        put("in/a", b"1")
        put("out/b", b"2")
        put("in/c", b"3")
        s3.delete_object(Bucket=bucket, Key="in/a")
        wait_until(lambda: len(found) == 3, seconds=20, what="three changes")
    assert keys(found) == [("put", "in/a"), ("put", "in/c"), ("removed", "in/a")]
    put("in/d", b"4")

    with following(served, f"{bucket}?watch", **{"Last-Event-ID": found[1]["id"]}) as more:
        wait_until(lambda: len(more) == 2, seconds=20, what="what was missed")
    assert keys(more) == [("removed", "in/a"), ("put", "in/d")]


def test_a_watch_ends_with_the_key(served: Archive, bucket: str) -> None:
    file = served.folder.parent / "accounts.json"
    made = credentials.create(file, "reader", operator=True)
    who = Who("reader", "", made.access_key_id, made.secret_access_key)
    with closing(sent(served, "GET", f"{bucket}?watch", who)) as answer:
        assert answer.readline() == b": still here\n"
        credentials.revoke(file, made.access_key_id)

        assert answer.read() == b"\n"  # the end, where else it would wait


def test_a_watch_says_when_it_can_not_know_all(served: Archive, bucket: str, put: Put) -> None:
    put("a", b"1")
    with following(served, f"{bucket}?watch&after=1") as found:
        wait_until(lambda: len(found) > 1, seconds=20, what="the gap and a change")

    assert found[0] == {"event": "gap", "data": "{}"}


@pytest.mark.parametrize(("who", "query", "status"), [(ALT, "", 403), (MAIN, "&after=x", 400)])
def test_a_watch_that_is_refused(
    served: Archive, bucket: str, who: Who, query: str, status: int
) -> None:
    assert asked(served, "GET", f"{bucket}?watch{query}", who)[0] == status


def test_a_key_with_line_breaks_stays_in_its_line() -> None:
    change = Change(7, "b", "a\n\nevent: evil", "null", "put", 0)

    assert event(change).count(b"\n") == 4
