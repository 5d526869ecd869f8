"""A key of the operator's, for all buckets."""

import json

import pytest

from archive import ALT, MAIN, S3, Archive, Put, Who
from dayfly.files.credentials import CredentialError, create, keys


def operator(served: Archive, **more: object) -> S3:
    file = served.folder.parent / "accounts.json"
    known = dict(keys(file))
    key = known.get("backup") or create(file, "backup", operator=True)

    return served.client(Who("backup", "", key.access_key_id, key.secret_access_key), **more)


def test_an_operator_may_do_all_in_all_buckets(
    served: Archive, s3: S3, bucket: str, put: Put
) -> None:
    put("a", b"1")
    nobody = {"Effect": "Deny", "Principal": "*", "Action": "s3:*"}
    nobody["Resource"] = f"arn:aws:s3:::{bucket}/*"
    s3.put_bucket_policy(
        Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [nobody]})
    )
    client = operator(served)

    assert bucket in {each["Name"] for each in client.list_buckets()["Buckets"]}
    assert client.get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"
    client.put_object(Bucket=bucket, Key="b", Body=b"2")
    client.delete_object(Bucket=bucket, Key="a")
    s3.delete_bucket_policy(Bucket=bucket)
    (left,) = s3.list_objects_v2(Bucket=bucket, FetchOwner=True)["Contents"]
    assert (left["Key"], left["Owner"]["ID"]) == ("b", MAIN.id)
    assert s3.get_object(Bucket=bucket, Key="b")["Body"].read() == b"2"


def test_an_operator_reads_with_nothing_but_a_signature(
    served: Archive, s3: S3, bucket: str, put: Put
) -> None:
    """As rclone, curl and most SDKs do; that of boto3 asks for a checksum unless told not to."""
    put("a", b"1")
    client = operator(served, response_checksum_validation="when_required")
    here = {"Bucket": bucket, "Key": "a"}

    assert client.get_object(**here)["Body"].read() == b"1"
    assert client.head_object(**here)["ContentLength"] == 1
    alien = served.client(ALT, response_checksum_validation="when_required")
    with pytest.raises(alien.exceptions.ClientError, match="AccessDenied"):
        alien.get_object(**here)


def test_no_account_becomes_an_operator(served: Archive) -> None:
    with pytest.raises(CredentialError, match="is an account already, and no operator"):
        create(served.folder.parent / "accounts.json", ALT.id, operator=True)
