"""Many writers at once, over two server processes: exactly one of them is the one."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from archive import S3, Archive

WRITERS = 32
TRIALS = 10  # a hundred in the campaign
MB = 1024**2


def raced(served: Archive, ask: Callable[[S3, int], Any]) -> Counter[int]:
    """The statuses that all of them got, who began at the same moment."""
    clients = [served.client(max_pool_connections=1) for _ in range(WRITERS)]
    begin, statuses = threading.Barrier(WRITERS), list[int]()

    def write(number: int) -> None:
        begin.wait()
        try:
            answer = ask(clients[number], number)
        except ClientError as error:
            answer = error.response
        statuses.append(answer["ResponseMetadata"]["HTTPStatusCode"])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return Counter(statuses)


@pytest.mark.parametrize("call", ["put", "copy", "complete", "replace", "delete"])
def test_one_writer_wins(served: Archive, s3: S3, bucket: str, call: str) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=b"s")
    for trial in range(TRIALS):
        here = {"Bucket": bucket, "Key": f"{call}-{trial}"}
        ask = _CALLS[call](s3, here)
        found = raced(served, ask)
        won = 204 if call == "delete" else 200
        assert found == {won: 1, 412: WRITERS - 1}, f"{call} in trial {trial}"


Ask = Callable[[S3, int], Any]


def _put(_: S3, here: dict[str, str]) -> Ask:
    return lambda s3, number: s3.put_object(**here, Body=str(number).encode(), IfNoneMatch="*")


def _copy(_: S3, here: dict[str, str]) -> Ask:
    source = {"Bucket": here["Bucket"], "Key": "source"}
    return lambda s3, _: s3.copy_object(**here, CopySource=source, IfNoneMatch="*")


def _replace(s3: S3, here: dict[str, str]) -> Ask:
    etag = s3.put_object(**here, Body=b"before")["ETag"]
    return lambda s3, number: s3.put_object(**here, Body=str(number).encode(), IfMatch=etag)


def _delete(s3: S3, here: dict[str, str]) -> Ask:
    """In a bucket with versions, where there is something else afterwards: a delete marker."""
    s3.put_bucket_versioning(Bucket=here["Bucket"], VersioningConfiguration={"Status": "Enabled"})
    etag = s3.put_object(**here, Body=b"before")["ETag"]
    return lambda s3, _: s3.delete_object(**here, IfMatch=etag)


def _complete(s3: S3, here: dict[str, str]) -> Ask:
    uploads = []
    for number in range(WRITERS):
        upload = s3.create_multipart_upload(**here)["UploadId"]
        part = s3.upload_part(**here, UploadId=upload, PartNumber=1, Body=str(number).encode())
        uploads.append((upload, part["ETag"]))

    def ask(s3: S3, number: int) -> S3:
        upload, etag = uploads[number]
        parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
        return s3.complete_multipart_upload(
            **here, UploadId=upload, MultipartUpload=parts, IfNoneMatch="*"
        )

    return ask


_CALLS: dict[str, Callable[[S3, dict[str, str]], Ask]] = {
    "put": _put,
    "copy": _copy,
    "complete": _complete,
    "replace": _replace,
    "delete": _delete,
}
