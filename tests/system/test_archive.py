"""The file archive of an environment, as people, programs and machines use it."""

import json

import boto3
import pytest

from dayfly.clock import wait_until
from production import Production

pytestmark = [pytest.mark.acceptance, pytest.mark.haproxy]


def test_the_environment_tells_where_its_archive_is(prod: Production) -> None:
    services = json.loads(prod.typed("status", "--json"))["services"]

    assert services["files"] == {"state": "up", "url": f"http://127.0.0.1:{prod.files}"}
    assert "files up" in prod.typed("status")


def test_a_key_of_the_command_line_is_good_for_any_client(prod: Production) -> None:
    key = json.loads(prod.typed("files", "key", "create", "ann", "--json"))
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{prod.files}",
        region_name="us-east-1",
        aws_access_key_id=key["access_key_id"],
        aws_secret_access_key=key["secret_access_key"],
    )
    client.create_bucket(Bucket="pictures")
    client.put_object(Bucket="pictures", Key="a/b", Body=b"one")

    prod.kill(prod.archives())
    wait_until(lambda: bool(prod.archives()), seconds=30, what="the archive is started again")
    wait_until(
        lambda: prod.client.get("/api/status")["services"]["files"]["state"] == "up",
        seconds=30,
        what="the archive answers again",
    )

    assert client.get_object(Bucket="pictures", Key="a/b")["Body"].read() == b"one"
    assert (prod.home.path / "archive/data/pictures/a/b").read_bytes() == b"one"
    assert "a/b" in prod.typed("files", "ls", "pictures", "-r")
    assert (prod.home.files / "accounts.json").stat().st_mode & 0o777 == 0o600
