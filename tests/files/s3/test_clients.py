"""Each client that people use, as it comes: names, small and large files, lists, deletions."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest

from archive import MAIN, S3, Archive, missing

LARGE = os.urandom(1024) * 12_345  # more than one part of any client
NAMES = ("plain.txt", "with space & plus+.txt", "ünïcödé/日本.txt")


def stored(s3: S3, bucket: str) -> dict[str, int]:
    found = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {each["Key"]: each["Size"] for each in found}


def fetched(s3: S3, bucket: str, key: str) -> bytes:
    return bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Files to be sent."""
    folder = tmp_path / "tree"
    for name in NAMES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (folder / "large.bin").write_bytes(LARGE)
    return folder


def wholly(s3: S3, bucket: str) -> None:
    """All of the tree is there, byte for byte."""
    expected = {name: len(name.encode()) for name in NAMES} | {"large.bin": len(LARGE)}
    assert stored(s3, bucket) == expected
    assert fetched(s3, bucket, "large.bin") == LARGE
    assert all(fetched(s3, bucket, name).decode() == name for name in NAMES)


def test_minio(served: Archive, s3: S3, bucket: str) -> None:
    from minio import Minio  # noqa: PLC0415 - only here

    client = Minio(
        f"127.0.0.1:{served.port}", access_key=MAIN.key, secret_key=MAIN.secret, secure=False
    )
    for name in NAMES:
        client.put_object(bucket, name, BytesIO(name.encode()), len(name.encode()))
    client.put_object(bucket, "large.bin", BytesIO(LARGE), -1, part_size=5 * 1024**2)

    wholly(s3, bucket)
    listed = {each.object_name for each in client.list_objects(bucket, recursive=True)}
    assert listed == {*NAMES, "large.bin"}
    with client.get_object(bucket, NAMES[1]) as answer:
        assert answer.data == NAMES[1].encode()
    client.remove_object(bucket, NAMES[0])
    assert NAMES[0] not in stored(s3, bucket)


def test_obstore(served: Archive, s3: S3, bucket: str) -> None:
    import obstore  # noqa: PLC0415 - only here
    from obstore.store import S3Store  # noqa: PLC0415 - only here

    store = S3Store(
        bucket,
        endpoint=served.url,
        access_key_id=MAIN.key,
        secret_access_key=MAIN.secret,
        region="us-east-1",
        client_options={"allow_http": True},
    )
    for name in NAMES:
        obstore.put(store, name, name.encode())
    obstore.put(store, "large.bin", LARGE, chunk_size=5 * 1024**2)

    wholly(s3, bucket)
    listed = {each["path"] for page in obstore.list(store) for each in page}
    assert listed == {*NAMES, "large.bin"}
    assert bytes(obstore.get_range(store, "large.bin", start=5, end=25)) == LARGE[5:25]
    obstore.copy(store, NAMES[0], "copy")
    with pytest.raises(obstore.exceptions.AlreadyExistsError):
        obstore.put(store, "copy", b"x", mode="create")
    obstore.delete(store, [*NAMES, "copy", "large.bin"])
    assert stored(s3, bucket) == {}


def test_s3fs_of_fsspec(served: Archive, s3: S3, bucket: str, tree: Path) -> None:
    from s3fs import S3FileSystem  # noqa: PLC0415 - only here

    disk = S3FileSystem(
        key=MAIN.key, secret=MAIN.secret, client_kwargs={"endpoint_url": served.url},
        skip_instance_cache=True,
    )  # fmt: skip
    disk.put(f"{tree}/", f"{bucket}/", recursive=True)

    wholly(s3, bucket)
    with disk.open(f"{bucket}/large.bin") as file:
        file.seek(7_000_000)
        assert file.read(10) == LARGE[7_000_000:7_000_010]
    assert disk.exists(f"{bucket}/{NAMES[2]}")
    disk.mv(f"{bucket}/{NAMES[0]}", f"{bucket}/moved")
    assert "moved" in stored(s3, bucket)
    disk.rm(bucket, recursive=True)
    assert not disk.exists(bucket)


def test_django_storages(served: Archive, s3: S3, bucket: str) -> None:
    from django.conf import settings  # noqa: PLC0415 - only here
    from django.core.files.base import ContentFile  # noqa: PLC0415 - only here

    if not settings.configured:
        settings.configure()
    from storages.backends.s3 import S3Storage  # noqa: PLC0415 - needs the settings

    storage = S3Storage(
        bucket_name=bucket, endpoint_url=served.url, access_key=MAIN.key, secret_key=MAIN.secret
    )
    for name in NAMES:
        assert storage.save(name, ContentFile(name.encode())) == name
    storage.save("large.bin", ContentFile(LARGE))

    wholly(s3, bucket)
    assert storage.exists(NAMES[2])
    assert storage.size("large.bin") == len(LARGE)
    assert storage.listdir("ünïcödé") == ([], ["日本.txt"])
    with storage.open(NAMES[1]) as file:
        assert file.read() == NAMES[1].encode()
    storage.delete(NAMES[0])
    assert not storage.exists(NAMES[0])


@contextmanager
def told(folder: Path, **more: str) -> Iterator[dict[str, str]]:
    """What programs are told of the archive, and nothing of this machine's own settings."""
    yield {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "AWS_ACCESS_KEY_ID": MAIN.key,
        "AWS_SECRET_ACCESS_KEY": MAIN.secret,
        "AWS_DEFAULT_REGION": "us-east-1",
        **more,
    }


def ran(argv: list[str], env: dict[str, str]) -> str:
    if shutil.which(argv[0]) is None:
        missing(argv[0])
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_aws_cli(served: Archive, s3: S3, bucket: str, tree: Path, tmp_path: Path) -> None:
    with told(tmp_path, AWS_ENDPOINT_URL=served.url) as env:
        ran(["aws", "s3", "sync", "--quiet", str(tree), f"s3://{bucket}"], env)

        wholly(s3, bucket)
        listed = ran(["aws", "s3", "ls", "--recursive", f"s3://{bucket}"], env)
        assert all(name in listed for name in NAMES)
        back = tmp_path / "back"
        ran(["aws", "s3", "cp", "--quiet", "--recursive", f"s3://{bucket}", str(back)], env)
        assert (back / "large.bin").read_bytes() == LARGE
        ran(["aws", "s3", "mv", "--quiet", f"s3://{bucket}/large.bin", f"s3://{bucket}/b"], env)
        ran(["aws", "s3", "rb", "--force", f"s3://{bucket}"], env)
    assert bucket not in [each["Name"] for each in s3.list_buckets()["Buckets"]]


def test_rclone(served: Archive, s3: S3, bucket: str, tree: Path, tmp_path: Path) -> None:
    secret = MAIN.secret
    remote = {
        "TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": served.url, "ACCESS_KEY_ID": MAIN.key,
        "SECRET_ACCESS_KEY": secret, "CHUNK_SIZE": "5M", "UPLOAD_CUTOFF": "6M",
    }  # fmt: skip
    named = {f"RCLONE_CONFIG_A_{name}": value for name, value in remote.items()}
    with told(tmp_path, **named) as env:
        ran(["rclone", "sync", str(tree), f"a:{bucket}"], env)

        wholly(s3, bucket)
        ran(["rclone", "check", str(tree), f"a:{bucket}"], env)
        assert ran(["rclone", "cat", f"a:{bucket}/{NAMES[2]}"], env) == NAMES[2]
        ran(["rclone", "moveto", f"a:{bucket}/large.bin", f"a:{bucket}/moved"], env)
        ran(["rclone", "purge", f"a:{bucket}"], env)
    assert bucket not in [each["Name"] for each in s3.list_buckets()["Buckets"]]


def test_s3cmd(served: Archive, s3: S3, bucket: str, tree: Path, tmp_path: Path) -> None:
    place = f"127.0.0.1:{served.port}"
    common = ["s3cmd", "--no-ssl", f"--host={place}", f"--host-bucket={place}", "--quiet",
              f"--access_key={MAIN.key}", f"--secret_key={MAIN.secret}"]  # fmt: skip
    with told(tmp_path) as env:
        ran([*common, "--multipart-chunk-size-mb=5", "sync", f"{tree}/", f"s3://{bucket}"], env)

        wholly(s3, bucket)
        back = tmp_path / "back"
        back.mkdir()
        ran([*common, "get", "--recursive", f"s3://{bucket}", str(back)], env)
        assert (back / NAMES[2]).read_text() == NAMES[2]
        assert (back / "large.bin").read_bytes() == LARGE
        ran([*common, "info", f"s3://{bucket}/{NAMES[1]}"], env)
        ran([*common, "del", "--recursive", "--force", f"s3://{bucket}"], env)
    assert stored(s3, bucket) == {}


def test_s3fs_fuse(served: Archive, s3: S3, bucket: str, tree: Path, tmp_path: Path) -> None:
    if not Path("/dev/fuse").exists() or shutil.which("fusermount") is None:
        missing("FUSE")
    keys, mount = tmp_path / "keys", tmp_path / "mount"
    keys.write_text(f"{MAIN.key}:{MAIN.secret}")
    keys.chmod(0o600)
    mount.mkdir()
    options = f"url={served.url},use_path_request_style,passwd_file={keys},endpoint=us-east-1"
    with told(tmp_path) as env:
        ran(["s3fs", bucket, str(mount), "-o", options], env)
        try:
            _mounted(mount)
            for name in (*NAMES, "large.bin"):
                (mount / name).parent.mkdir(exist_ok=True)
                shutil.copyfile(tree / name, mount / name)
            names = {str(path.relative_to(mount)) for path in mount.rglob("*") if path.is_file()}
            assert names == {*NAMES, "large.bin"}
            assert (mount / "large.bin").read_bytes() == LARGE
            (mount / NAMES[0]).rename(mount / "moved")
            (mount / "large.bin").unlink()
        finally:
            ran(["fusermount", "-u", str(mount)], env)
    assert set(stored(s3, bucket)) == {"moved", NAMES[1], "ünïcödé/", NAMES[2]}


def _mounted(mount: Path) -> None:
    ends = time.monotonic() + 20
    while not os.path.ismount(mount):
        assert time.monotonic() < ends, "s3fs did not mount"
        time.sleep(0.1)
