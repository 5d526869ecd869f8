"""Which machine wrote an object, whatever client it used."""

import urllib.request
from contextlib import closing
from io import BytesIO

import pytest
import requests
from minio import Minio

from archive import MAIN, S3, Archive, Who
from dayfly.files.objects import Asked, Provenance
from dayfly.files.repository import Repository
from dayfly.files.s3.origin import key_of, origin_of, parted

MACHINE = f"{MAIN.id}-7-web-1"


@pytest.mark.parametrize(
    ("account", "sender", "release", "machine", "job"),
    [
        ("orders", "orders-7-web-1", "7", "orders-7-web-1", ""),
        ("orders", "job-orders-7-night-export-12", "7", "orders-7-night-export-12", "night-export"),
        ("my-app", "my-app-7-web-1", "7", "my-app-7-web-1", ""),
        ("orders.trial", "job-orders-7-test-1", "7", "orders-7-test-1", "test"),
        ("job", "job-7-web-1", "7", "job-7-web-1", ""),
        ("job", "job-job-7-night-1", "7", "job-7-night-1", "night"),
        ("orders", "billing-7-web-1", "", "", ""),
        ("orders", "orders-web-1", "", "", ""),
        ("orders", "orders-7-web", "", "", ""),
        ("orders", "orders", "", "", ""),
        ("orders", "", "", "", ""),
        (None, "orders-7-web-1", "", "", ""),
    ],
)
def test_a_machine_is_known_by_its_name(
    account: str | None, sender: str, release: str, machine: str, job: str
) -> None:
    who = account or "anonymous"

    assert origin_of(account, sender) == Provenance(
        who=who, release=release, machine=machine, job=job
    )


@pytest.mark.parametrize("job", [False, True])
def test_the_key_of_a_machine_is_that_of_its_app(job: bool) -> None:
    key, sender = parted(key_of("AKIDEXAMPLE", "my-app-7-web-1", job=job))

    assert key == "AKIDEXAMPLE"
    assert origin_of("my-app", sender).machine == "my-app-7-web-1"


def machine_of(served: Archive, *, job: bool = False) -> Who:
    return Who(MAIN.id, "", key_of(MAIN.key, MACHINE, job=job), MAIN.secret)


def test_what_machines_write_and_delete_names_them(served: Archive, s3: S3, bucket: str) -> None:
    machine = machine_of(served)
    client = served.client(machine)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    client.put_object(Bucket=bucket, Key="boto3", Body=b"1")
    client.copy_object(Bucket=bucket, Key="copied", CopySource=f"{bucket}/boto3")
    client.delete_object(Bucket=bucket, Key="boto3")
    Minio(
        f"127.0.0.1:{served.port}",
        access_key=machine.key,
        secret_key=machine.secret,
        secure=False,
    ).put_object(bucket, "minio", BytesIO(b"2"), 1)
    job = served.client(machine_of(served, job=True), signature_version="s3v4")
    put = job.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "presigned"})
    urllib.request.urlopen(urllib.request.Request(put, b"3", method="PUT"), timeout=20).close()
    form = client.generate_presigned_post(bucket, "posted")
    posted = {name: (None, text) for name, text in form["fields"].items()}
    requests.post(form["url"], files={**posted, "file": b"5"}, timeout=20).raise_for_status()
    s3.put_object(Bucket=bucket, Key="by a person", Body=b"4")

    with closing(Repository(served.folder, served.folder / ".dayfly/index")) as repository:
        found = {
            (entry.key, entry.marker): repository.head(
                bucket, entry.key, entry.id
            ).description.provenance
            for entry in repository.list_versions(bucket, Asked()).entries
        }
    by_machine = Provenance(who=MAIN.id, release="7", machine=MACHINE)
    assert found == {
        ("boto3", False): by_machine,
        ("boto3", True): by_machine,
        ("copied", False): by_machine,
        ("minio", False): by_machine,
        ("posted", False): by_machine,
        ("presigned", False): Provenance(who=MAIN.id, release="7", machine=MACHINE, job="web"),
        ("by a person", False): Provenance(who=MAIN.id),
    }


def test_a_writer_tells_where_it_has_the_bytes_from(served: Archive, s3: S3, bucket: str) -> None:
    def tell(request: object, **_: object) -> None:
        request.headers["x-dayfly-source"] = "https://feeds.example/rates.csv"  # type: ignore[attr-defined]

    s3.meta.events.register("before-sign.s3.PutObject", tell)
    s3.put_object(Bucket=bucket, Key="rates.csv", Body=b"1")

    here = {"Bucket": bucket, "Key": "forged.csv"}
    link = served.client(signature_version="s3v4").generate_presigned_url("put_object", here)
    requests.put(
        link, data=b"2", timeout=20, headers={"x-dayfly-source": "http://evil/"}
    ).raise_for_status()

    with closing(Repository(served.folder, served.folder / ".dayfly/index")) as repository:
        told = repository.head(bucket, "rates.csv").description.provenance
        forged = repository.head(bucket, "forged.csv").description.provenance
    assert told == Provenance(who=MAIN.id, source="https://feeds.example/rates.csv")
    assert forged == Provenance(who=MAIN.id)
