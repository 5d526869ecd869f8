"""The server's processes: they end together, and one that dies is replaced."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from archive import ALT, MAIN, accounts, archive
from dayfly.files.repository import Repository


def waited(held: Callable[[], bool], seconds: float = 20) -> bool:
    ends = time.monotonic() + seconds
    while not held():
        if time.monotonic() > ends:
            return False
        time.sleep(0.05)
    return True


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    with archive(tmp_path) as served:
        s3 = served.client()
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="k", Body=b"1")
        before = set(served.workers())
        os.kill(min(before), signal.SIGKILL)

        assert waited(lambda: len(set(served.workers()) - before) == 1)
        assert all(s3.head_object(Bucket="bucket", Key="k") for _ in range(20))


def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    with archive(tmp_path) as served:
        workers = served.workers()
        assert len(workers) == 2
        os.kill(served.pid, signal.SIGKILL)

        assert waited(lambda: not any(map(alive, workers)))


def test_new_keys_are_known_without_a_restart(tmp_path: Path) -> None:
    with archive(tmp_path, who=(MAIN,)) as served:
        known = tmp_path / "accounts.json"
        other = served.client(ALT)
        with pytest.raises(other.exceptions.ClientError, match="InvalidAccessKeyId"):
            other.list_buckets()
        known.write_text(accounts(MAIN, ALT))
        assert other.list_buckets()["Owner"]["ID"] == ALT.id
        known.write_text("nonsense")
        assert other.list_buckets()["Owner"]["ID"] == ALT.id


@pytest.mark.parametrize(
    ("told", "listen", "why"),
    [
        ("{", "127.0.0.1:9", "Input data was truncated"),
        (None, "127.0.0.1:9", "No such file"),
        (json.dumps({"accounts": []}), "nowhere", "is no address"),
    ],
)
def test_what_keeps_it_from_starting_is_said(
    tmp_path: Path, told: str | None, listen: str, why: str
) -> None:
    known = tmp_path / "accounts.json"
    if told is not None:
        known.write_text(told)
    argv = [sys.executable, "-m", "dayfly.files", str(tmp_path / "tree")]
    done = subprocess.run(
        [*argv, f"--listen={listen}", f"--accounts={known}"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert why in done.stderr
    assert "Traceback" not in done.stderr


def test_two_archives_do_not_share_a_port(tmp_path: Path) -> None:
    with archive(tmp_path) as served:
        argv = [sys.executable, "-m", "dayfly.files", str(tmp_path / "other")]
        argv += [f"--listen=127.0.0.1:{served.port}", f"--accounts={tmp_path / 'accounts.json'}"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 1
    assert "Address already in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_archive_that_is_gone_is_an_error_and_no_traceback(tmp_path: Path) -> None:
    with archive(tmp_path) as served:
        served.client().create_bucket(Bucket="bucket")
        (served.folder / "data").rename(tmp_path / "away")
        session = requests.Session()
        session.trust_env = False
        s3 = served.client()
        with pytest.raises(s3.exceptions.ClientError, match="InternalError"):
            s3.put_object(Bucket="bucket", Key="k", Body=b"1")
        (tmp_path / "away").rename(served.folder / "data")
        s3.put_object(Bucket="bucket", Key="k", Body=b"1")
    assert "Traceback" not in (tmp_path / "server.log").read_text()


def test_objects_expire_by_themselves(tmp_path: Path) -> None:
    with archive(tmp_path, day=1.0) as served:
        s3 = served.client()
        s3.create_bucket(Bucket="bucket")
        rule = {
            "ID": "1",
            "Status": "Enabled",
            "Filter": {"Prefix": "tmp/"},
            "Expiration": {"Days": 2},
        }
        s3.put_bucket_lifecycle_configuration(
            Bucket="bucket", LifecycleConfiguration={"Rules": [rule]}
        )
        for key in ("tmp/a", "kept"):
            s3.put_object(Bucket="bucket", Key=key)
        assert s3.list_objects_v2(Bucket="bucket")["KeyCount"] == 2

        assert waited(lambda: s3.list_objects_v2(Bucket="bucket")["KeyCount"] == 1)
        assert s3.list_objects_v2(Bucket="bucket")["Contents"][0]["Key"] == "kept"


def test_a_key_with_a_lease_is_written_by_its_holder_only(tmp_path: Path) -> None:
    with archive(tmp_path) as served:
        s3 = served.client()
        s3.create_bucket(Bucket="bucket", ACL="public-read-write")
        repository = Repository(served.folder, served.folder / ".dayfly" / "index")
        lease = repository.leases.take("bucket", "k", owner="me", seconds=60)
        url = f"{served.url}/bucket/k"
        http = requests.Session()
        http.trust_env = False

        assert "OperationAborted" in http.put(url, data=b"1").text
        assert "OperationAborted" in http.delete(url).text
        with_token = {"x-dayfly-lease": str(lease.token)}
        assert http.put(url, data=b"1", headers=with_token).status_code == 200
        older = {"x-dayfly-lease": str(lease.token - 1)}
        assert http.put(url, data=b"1", headers=older).status_code == 409
        assert http.put(url, data=b"1", headers={"x-dayfly-lease": "x"}).status_code == 400
        repository.close()
