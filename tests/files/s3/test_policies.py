"""Bucket policies as a server carries them out: no condition is taken and not looked at."""

import json
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from archive import S3, Archive, Put
from dayfly.files.s3.accounts import Account, Accounts
from dayfly.files.s3.address import Address
from dayfly.files.s3.call import call_of
from dayfly.files.s3.policy import KEYS
from dayfly.files.s3.request import Caller, Request, Service
from dayfly.files.s3.rights import of_tags, values_of

http = requests.Session()
http.trust_env = False


def deny(s3: S3, bucket: str, action: str, **condition: dict[str, Any]) -> None:
    told = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": condition,
    }
    s3.put_bucket_policy(
        Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [told]})
    )


def test_every_key_of_a_condition_has_a_value_somewhere() -> None:
    names = [key.removeprefix("s3:") for key in KEYS if key.startswith(("s3:x-amz-", "s3:if-"))]
    names += ["user-agent", "referer", "authorization"]
    names += [f"x-amz-{key.removeprefix('s3:')}" for key in KEYS if key.startswith("s3:object-l")]
    query = "prefix=p&delimiter=d&max-keys=1&versionId=v"
    known: Any = None  # nobody asks it anything
    request = Request(
        service=Service(repository=known, known=lambda: Accounts(())),
        call=call_of("PUT", "/b/k", query, [(name, "x") for name in names], client="127.0.0.1"),
        address=Address("b", "k"),
        operation="PutObject",
        caller=Caller(account=Account(id="main"), signed="AWS"),
        now=0,
    )

    assert KEYS - (values_of(request, None) | of_tags({"a": "b"})).keys() == set()


def test_how_a_request_is_signed(s3: S3, served: Archive, bucket: str, put: Put) -> None:
    put("a", b"1")
    here = {"Bucket": bucket, "Key": "a"}
    presigned = served.client(signature_version="s3v4").generate_presigned_url("get_object", here)
    old = served.client(signature_version="s3").generate_presigned_url("get_object", here)

    deny(s3, bucket, "s3:GetObject", StringEquals={"s3:authType": "REST-QUERY-STRING"})
    assert http.get(presigned).status_code == 403
    assert s3.get_object(**here)["Body"].read() == b"1"
    deny(s3, bucket, "s3:GetObject", StringEquals={"s3:signatureversion": "AWS"})
    assert (http.get(old).status_code, http.get(presigned).status_code) == (403, 200)
    deny(s3, bucket, "s3:GetObject", StringEquals={"aws:username": "main-id"})
    assert http.get(presigned).status_code == 403


def test_only_a_condition_may_create(s3: S3, bucket: str, put: Put) -> None:
    """As Amazon's page on it has it: an upload in parts is conditional when it is completed."""
    deny(
        s3, bucket, "s3:PutObject",
        Null={"s3:if-none-match": "true"}, Bool={"s3:ObjectCreationOperation": "true"},
    )  # fmt: skip

    put("a", b"1", IfNoneMatch="*")
    with pytest.raises(ClientError, match="AccessDenied"):
        put("b", b"1")
    assert s3.create_multipart_upload(Bucket=bucket, Key="c")["UploadId"]


def test_a_form_is_held_to_what_its_fields_say(s3: S3, served: Archive, bucket: str) -> None:
    deny(s3, bucket, "s3:PutObject", StringEquals={"s3:x-amz-acl": "public-read"})

    def post(**more: str) -> int:
        conditions = [{name: value} for name, value in more.items()]
        form = s3.generate_presigned_post(bucket, "f", Fields=more, Conditions=conditions)
        url, files = f"{served.url}/{bucket}", {"file": ("f", b"1")}
        headers = {"x-amz-acl": "private"}  # which nobody signed
        return http.post(url, data=form["fields"], files=files, headers=headers).status_code

    assert (post(), post(acl="public-read")) == (204, 403)
    deny(s3, bucket, "s3:PutObject", StringEquals={"s3:authType": "POST"})
    assert post() == 403
