"""What programs do with boto3, and what lies on disk afterwards."""

import base64
import hashlib
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from botocore import UNSIGNED
from botocore.exceptions import ClientError

from archive import ALT, APP, S3, Archive, Put

MB = 1024**2
http = requests.Session()
http.trust_env = False
ODD = [
    "a b", "ü/ñ/日本", "plus+and&amp", "tab\there", "100%", "%41", "?q=1", "#", "a//b", "x'\"<>",
    "..", "a/../b", "/lead", "trail/", " ", "\U0001f600", "-", "a\\b", "COM1", "new\nline",
]  # fmt: skip


def code_of(refused: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as told:
        refused()
    return str(told.value.response["Error"]["Code"])


def body_of(answer: S3) -> bytes:
    return bytes(answer["Body"].read())


def test_an_object_is_a_plain_file(s3: S3, bucket: str, put: Put, on_disk: Path) -> None:
    put("pictures/one.txt", b"hello", ContentType="text/plain", Metadata={"mood": "good"})

    assert (on_disk / "pictures/one.txt").read_bytes() == b"hello"
    found = s3.get_object(Bucket=bucket, Key="pictures/one.txt")
    assert body_of(found) == b"hello"
    assert found["ContentType"] == "text/plain"
    assert found["Metadata"] == {"mood": "good"}
    assert found["ETag"] == f'"{hashlib.md5(b"hello").hexdigest()}"'


def test_what_was_changed_by_hand_is_read(s3: S3, bucket: str, put: Put, on_disk: Path) -> None:
    put("a.txt", b"before")
    (on_disk / "a.txt").write_bytes(b"by hand")

    assert body_of(s3.get_object(Bucket=bucket, Key="a.txt")) == b"by hand"


def test_odd_keys_come_back_as_they_were(s3: S3, bucket: str, put: Put) -> None:
    for number, key in enumerate(ODD):
        put(key, str(number).encode())

    listed = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert sorted(each["Key"] for each in listed) == sorted(ODD)
    assert [body_of(s3.get_object(Bucket=bucket, Key=key)) for key in ODD] == [
        str(number).encode() for number in range(len(ODD))
    ]
    gone = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in ODD]})
    assert sorted(each["Key"] for each in gone["Deleted"]) == sorted(ODD)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 3_000_000])
def test_sizes_and_ranges(s3: S3, bucket: str, put: Put, size: int) -> None:
    body = bytes(number * 7 % 251 for number in range(size))
    put("k", body)

    assert body_of(s3.get_object(Bucket=bucket, Key="k")) == body
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == size
    if size > 10:
        part = s3.get_object(Bucket=bucket, Key="k", Range=f"bytes=5-{size - 2}")
        assert body_of(part) == body[5:-1]
        assert part["ContentRange"] == f"bytes 5-{size - 2}/{size}"
        assert body_of(s3.get_object(Bucket=bucket, Key="k", Range="bytes=-3")) == body[-3:]
    beyond = {"Bucket": bucket, "Key": "k", "Range": f"bytes={size}-"}
    assert code_of(lambda: s3.get_object(**beyond)) == "InvalidRange"


@pytest.mark.parametrize("size", [9, 70_000])
def test_the_rest_of_another_state_is_sent_whole(s3: S3, bucket: str, put: Put, size: int) -> None:
    etag = put("k", b"x" * size)["ETag"]
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})

    def rest(if_range: str) -> tuple[int, int]:
        answer = http.get(url, headers={"Range": "bytes=2-", "If-Range": if_range})
        return answer.status_code, len(answer.content)

    assert rest(etag) == (206, size - 2)
    put("k", b"y" * size)
    assert rest(etag) == (200, size)


def test_conditions_of_reads(s3: S3, bucket: str, put: Put) -> None:
    etag = put("k", b"1")["ETag"]
    here = {"Bucket": bucket, "Key": "k"}

    assert body_of(s3.get_object(**here, IfMatch=etag)) == b"1"
    assert code_of(lambda: s3.get_object(**here, IfMatch='"no"')) == "PreconditionFailed"
    assert code_of(lambda: s3.get_object(**here, IfNoneMatch=etag)) == "304"
    later = datetime.now(UTC) + timedelta(hours=1)
    assert code_of(lambda: s3.get_object(**here, IfModifiedSince=later)) == "304"


def test_conditions_of_writes(s3: S3, bucket: str, put: Put) -> None:
    assert code_of(lambda: put("k", IfMatch='"no"')) == "NoSuchKey"
    etag = put("k", b"1", IfNoneMatch="*")["ETag"]
    assert code_of(lambda: put("k", b"2", IfNoneMatch="*")) == "PreconditionFailed"
    assert code_of(lambda: put("k", b"2", IfMatch='"no"')) == "PreconditionFailed"
    put("k", b"2", IfMatch=etag)
    refused = {"Bucket": bucket, "Key": "k", "IfMatch": etag}
    assert code_of(lambda: s3.delete_object(**refused)) == "PreconditionFailed"
    assert body_of(s3.get_object(Bucket=bucket, Key="k")) == b"2"


def test_versions_and_delete_markers(s3: S3, bucket: str, put: Put) -> None:
    put("k", b"null")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = put("k", b"1")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert marker["DeleteMarker"]
    here = {"Bucket": bucket, "Key": "k"}

    assert code_of(lambda: s3.get_object(**here)) == "NoSuchKey"
    assert body_of(s3.get_object(**here, VersionId=first)) == b"1"
    assert body_of(s3.get_object(**here, VersionId="null")) == b"null"
    refused = {**here, "VersionId": marker["VersionId"]}
    assert code_of(lambda: s3.get_object(**refused)) == "MethodNotAllowed"
    listed = s3.list_object_versions(Bucket=bucket)
    assert [each["VersionId"] for each in listed["Versions"]] == [first, "null"]
    assert [each["IsLatest"] for each in listed["DeleteMarkers"]] == [True]
    s3.delete_object(**here, VersionId=marker["VersionId"])
    assert body_of(s3.get_object(**here)) == b"1"


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_checksums(s3: S3, bucket: str, put: Put, algorithm: str) -> None:
    name = f"Checksum{algorithm}"
    told = put("k", b"some bytes", ChecksumAlgorithm=algorithm)[name]

    found = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert found[name] == told
    assert code_of(lambda: put("k", b"other bytes", **{name: told})) == "BadDigest"
    assert body_of(s3.get_object(Bucket=bucket, Key="k")) == b"some bytes"


def test_a_body_that_is_not_the_announced_one_leaves_nothing(s3: S3, bucket: str, put: Put) -> None:
    md5 = base64.b64encode(hashlib.md5(b"other").digest()).decode()

    assert code_of(lambda: put("k", b"some", ContentMD5=md5)) == "BadDigest"
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_an_upload_in_parts(s3: S3, bucket: str, put: Put) -> None:
    put("source", b"s" * 100)
    here = {"Bucket": bucket, "Key": "big"}
    upload = s3.create_multipart_upload(**here, ContentType="x/y")["UploadId"]
    first = s3.upload_part(**here, UploadId=upload, PartNumber=1, Body=b"a" * 5 * 1024**2)
    second = s3.upload_part_copy(
        **here, UploadId=upload, PartNumber=7, CopySource=f"{bucket}/source",
        CopySourceRange="bytes=0-9",
    )  # fmt: skip
    assert len(s3.list_parts(**here, UploadId=upload)["Parts"]) == 2
    assert [each["UploadId"] for each in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [
        upload
    ]
    parts = [
        {"PartNumber": 1, "ETag": first["ETag"]},
        {"PartNumber": 7, "ETag": second["CopyPartResult"]["ETag"]},
    ]
    done = s3.complete_multipart_upload(**here, UploadId=upload, MultipartUpload={"Parts": parts})

    assert done["ETag"].endswith('-2"')
    assert done["Location"] == f"{s3.meta.endpoint_url}/{bucket}/big"
    found = s3.get_object(**here)
    assert found["ContentType"] == "x/y"
    assert body_of(found) == b"a" * 5 * 1024**2 + b"s" * 10
    assert body_of(s3.get_object(**here, PartNumber=2)) == b"s" * 10
    for told in ({}, {"IfNoneMatch": "*"}):  # its answer got lost
        again = s3.complete_multipart_upload(
            **here, UploadId=upload, MultipartUpload={"Parts": parts}, **told
        )
        assert again["ETag"] == done["ETag"]
    other = [{**parts[0], "ETag": '"0"'}, parts[1]]
    for code, these, told in (
        ("InvalidPart", other, {}),
        ("InvalidPart", parts[:1], {}),
        ("InvalidRequest", parts, {"MpuObjectSize": 5}),
    ):
        once_more = {**here, "UploadId": upload, "MultipartUpload": {"Parts": these}, **told}
        assert code_of(lambda more=once_more: s3.complete_multipart_upload(**more)) == code
    s3.put_object(**here, Body=b"another writer's")
    once_more = {**here, "UploadId": upload, "MultipartUpload": {"Parts": parts}}
    assert code_of(lambda: s3.complete_multipart_upload(**once_more)) == "NoSuchUpload"


@pytest.mark.parametrize("kind", ["COMPOSITE", "FULL_OBJECT"])
def test_a_checksum_type_is_that_of_the_upload(s3: S3, bucket: str, kind: str) -> None:
    here = {"Bucket": bucket, "Key": "k"}
    upload = s3.create_multipart_upload(**here, ChecksumAlgorithm="CRC32", ChecksumType=kind)
    here["UploadId"] = upload["UploadId"]
    part = s3.upload_part(**here, PartNumber=1, Body=b"a", ChecksumAlgorithm="CRC32")
    named = {name: part[name] for name in ("ETag", "ChecksumCRC32")}
    done = {**here, "MultipartUpload": {"Parts": [{"PartNumber": 1, **named}]}}
    (other,) = {"COMPOSITE", "FULL_OBJECT"} - {kind}
    for _ in ("first", "again"):
        wrong = {**done, "ChecksumType": other}
        assert code_of(lambda more=wrong: s3.complete_multipart_upload(**more)) == "BadDigest"
        assert s3.complete_multipart_upload(**done, ChecksumType=kind)["ChecksumType"] == kind


def test_an_aborted_upload_is_gone(s3: S3, bucket: str) -> None:
    here = {"Bucket": bucket, "Key": "big"}
    upload = s3.create_multipart_upload(**here)["UploadId"]
    s3.abort_multipart_upload(**here, UploadId=upload)

    assert code_of(lambda: s3.list_parts(**here, UploadId=upload)) == "NoSuchUpload"


def test_copies(s3: S3, bucket: str, put: Put) -> None:
    put("a b+c", b"1", Metadata={"m": "1"}, ContentType="x/y")
    source = {"Bucket": bucket, "Key": "a b+c"}
    s3.copy_object(Bucket=bucket, Key="same", CopySource=source)
    s3.copy_object(
        Bucket=bucket, Key="new", CopySource=source, MetadataDirective="REPLACE",
        Metadata={"m": "2"},
    )  # fmt: skip

    assert s3.head_object(Bucket=bucket, Key="same")["Metadata"] == {"m": "1"}
    assert s3.head_object(Bucket=bucket, Key="new")["Metadata"] == {"m": "2"}
    to_itself = {**source, "CopySource": source}
    assert code_of(lambda: s3.copy_object(**to_itself)) == "InvalidRequest"


def test_lists_in_pages(s3: S3, bucket: str, put: Put) -> None:
    for number in range(7):
        put(f"d{number % 2}/{number}")
    put("top")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, PaginationConfig={"PageSize": 3}
    )
    first = s3.get_paginator("list_objects").paginate(
        Bucket=bucket, PaginationConfig={"PageSize": 3}
    )
    folders = s3.list_objects_v2(Bucket=bucket, Delimiter="/")

    expected = ["d0/0", "d0/2", "d0/4", "d0/6", "d1/1", "d1/3", "d1/5", "top"]
    assert [each["Key"] for page in pages for each in page["Contents"]] == expected
    assert [each["Key"] for page in first for each in page["Contents"]] == expected
    assert [each["Prefix"] for each in folders["CommonPrefixes"]] == ["d0/", "d1/"]
    assert [each["Key"] for each in folders["Contents"]] == ["top"]
    inside = s3.list_objects_v2(Bucket=bucket, Prefix="d0/", StartAfter="d0/2")
    assert [each["Key"] for each in inside["Contents"]] == ["d0/4", "d0/6"]


def test_tags_and_who_may_see_them(s3: S3, bucket: str, put: Put) -> None:
    put("k", Tagging="team=blue&x=")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [
        {"Key": "team", "Value": "blue"},
        {"Key": "x", "Value": ""},
    ]
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    assert s3.get_object(Bucket=bucket, Key="k")["TagCount"] == 1
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []


def test_others_see_nothing_unless_they_are_let_in(
    served: Archive, s3: S3, bucket: str, put: Put
) -> None:
    put("k", b"1")
    here = {"Bucket": bucket, "Key": "k"}
    others = (served.client(ALT), served.client(signature_version=UNSIGNED))

    for other in others:
        assert code_of(lambda it=other: it.get_object(**here)) == "AccessDenied"  # type: ignore[misc]
        assert code_of(lambda it=other: it.list_objects(Bucket=bucket)) == "AccessDenied"  # type: ignore[misc]
        assert code_of(lambda it=other: it.put_object(**here)) == "AccessDenied"  # type: ignore[misc]
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                 "Resource": f"arn:aws:s3:::{bucket}/*"}  # fmt: skip
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": [statement]}))
    for other in others:
        assert body_of(other.get_object(**here)) == b"1"
        assert code_of(lambda it=other: it.put_object(**here)) == "AccessDenied"  # type: ignore[misc]
    s3.delete_bucket_policy(Bucket=bucket)
    s3.put_object_acl(**here, ACL="public-read")
    untold = {"Effect": "Deny", "Principal": "*", "Resource": f"arn:aws:s3:::{bucket}/*",
              "Action": ["s3:PutObjectAcl", "s3:PutObjectTagging"]}  # fmt: skip
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": [untold]}))
    put("plain")
    assert code_of(lambda: put("k", ACL="public-read")) == "AccessDenied"
    assert code_of(lambda: put("k", Tagging="team=blue")) == "AccessDenied"
    assert body_of(others[1].get_object(**here)) == b"1"


@pytest.mark.parametrize("signature", ["s3", "s3v4"])
def test_presigned_urls(served: Archive, bucket: str, signature: str) -> None:
    s3 = served.client(signature_version=signature)
    s3.create_bucket(Bucket=bucket)
    here = {"Bucket": bucket, "Key": "ü b"}
    upload = s3.generate_presigned_url("put_object", here, ExpiresIn=60)
    assert http.put(upload, data=b"by url").status_code == 200
    download = s3.generate_presigned_url(
        "get_object", {**here, "ResponseContentType": "text/x"}, ExpiresIn=60
    )
    answer = http.get(download)
    assert (answer.content, answer.headers["content-type"]) == (b"by url", "text/x")
    assert http.get(download.replace("text", "tex_")).status_code == 403
    assert http.get(f"{served.url}/{bucket}/x").status_code == 403
    short = s3.generate_presigned_url("get_object", here, ExpiresIn=1)
    time.sleep(2.1)
    assert "expired" in http.get(short).text


def test_a_form_of_a_browser(served: Archive, s3: S3, bucket: str) -> None:
    form = s3.generate_presigned_post(
        bucket, "up/${filename}", Conditions=[["content-length-range", 1, 100]], ExpiresIn=60
    )
    url = f"{served.url}/{bucket}"
    as_browsers_say_it = {"file": ("a.txt", b"posted", "text/html")}
    sent = http.post(url, data=form["fields"], files=as_browsers_say_it)
    assert sent.status_code == 204
    found = s3.get_object(Bucket=bucket, Key="up/a.txt")
    assert (body_of(found), found["ContentType"]) == (b"posted", "binary/octet-stream")
    extra = {**form["fields"], "Content-Type": "text/html"}
    assert "content-type" in http.post(url, data=extra, files=as_browsers_say_it).text
    large = http.post(url, data=form["fields"], files={"file": ("b.txt", b"x" * 101)})
    assert "EntityTooLarge" in large.text
    forged = {**form["fields"], "key": "elsewhere"}
    assert http.post(url, data=forged, files={"file": ("a", b"x")}).status_code == 403


def test_parts_are_counted_when_they_are_read_whatever_their_numbers_were(
    s3: S3, bucket: str
) -> None:
    here = {"Bucket": bucket, "Key": "k"}
    upload = s3.create_multipart_upload(**here, ChecksumAlgorithm="CRC32")
    here_too, parts = {**here, "UploadId": upload["UploadId"]}, []
    for number, body in ((2, b"a" * 5 * MB), (7, b"b")):
        made = s3.upload_part(**here_too, PartNumber=number, Body=body, ChecksumAlgorithm="CRC32")
        parts.append({"PartNumber": number, **{k: made[k] for k in ("ETag", "ChecksumCRC32")}})
    s3.complete_multipart_upload(**here_too, MultipartUpload={"Parts": parts})

    last = s3.get_object(**here, PartNumber=2, ChecksumMode="ENABLED")
    assert (body_of(last), last["ChecksumCRC32"]) == (b"b", parts[1]["ChecksumCRC32"])
    assert s3.head_object(**here, PartNumber=1)["ContentLength"] == 5 * MB
    assert code_of(lambda: s3.get_object(**here, PartNumber=7)) == "InvalidPart"


def test_a_page_of_another_origin(served: Archive, s3: S3, bucket: str, put: Put) -> None:
    put("k", b"1", ACL="public-read")
    rule = {"AllowedOrigins": ["https://*.example.org"], "AllowedMethods": ["GET"]}
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    url, good = f"{served.url}/{bucket}/k", {"Origin": "https://a.example.org"}

    allowed = http.get(url, headers=good).headers
    assert allowed["access-control-allow-origin"] == "https://a.example.org"
    assert (
        "access-control-allow-origin" not in http.get(url, headers={"Origin": "http://x"}).headers
    )
    asks = {**good, "Access-Control-Request-Method": "GET"}
    assert http.request("OPTIONS", url, headers=asks).status_code == 200
    asks = {**good, "Access-Control-Request-Method": "PUT"}
    assert http.request("OPTIONS", url, headers=asks).status_code == 403


def test_virtual_hosts(served: Archive, s3: S3, bucket: str, put: Put) -> None:
    put("k", b"1", ACL="public-read")

    answer = http.get(f"{served.url}/k", headers={"Host": f"{bucket}.s3.test"})
    assert answer.content == b"1"
    form = s3.generate_presigned_post(bucket, "a b", Fields={"success_action_status": "201"},
                                      Conditions=[{"success_action_status": "201"}])  # fmt: skip
    for url, host, place in (
        (served.url, f"{bucket}.s3.test", f"http://{bucket}.s3.test/a%20b"),
        (f"{served.url}/{bucket}", "s3.test:80", f"http://s3.test:80/{bucket}/a%20b"),
    ):
        files, headers = {"file": ("a", b"x")}, {"Host": host}
        posted = http.post(url, data=form["fields"], files=files, headers=headers)
        assert posted.headers["location"] == place
        assert f"<Location>{place}</Location>" in posted.text


def test_what_is_locked_stays(s3: S3, served: Archive) -> None:
    s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    until = datetime.now(UTC) + timedelta(seconds=5)
    here = {"Bucket": "locked", "Key": "k"}
    version = s3.put_object(
        **here, Body=b"1", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=until
    )["VersionId"]
    one = {**here, "VersionId": version}

    assert code_of(lambda: s3.delete_object(**one)) == "AccessDenied"
    s3.put_object_legal_hold(**one, LegalHold={"Status": "ON"})
    held = {**one, "BypassGovernanceRetention": True}
    assert code_of(lambda: s3.delete_object(**held)) == "AccessDenied"
    s3.put_object_legal_hold(**one, LegalHold={"Status": "OFF"})
    assert s3.get_object_retention(**one)["Retention"]["Mode"] == "GOVERNANCE"
    s3.delete_object(**held)
    assert code_of(lambda: s3.get_object(**one)) == "NoSuchVersion"


def test_a_default_that_is_too_long_is_refused_and_no_put_fails_of_it(s3: S3, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})

    def default(**period: int) -> None:
        rule = {"DefaultRetention": {"Mode": "GOVERNANCE", **period}}
        told = {"ObjectLockEnabled": "Enabled", "Rule": rule}
        s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=told)

    default(Years=100)
    for period in ({"Years": 8_000}, {"Days": 4_000_000}):
        assert code_of(lambda told=period: default(**told)) == "InvalidRetentionPeriod"
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    kept = s3.head_object(Bucket=bucket, Key="k")["ObjectLockRetainUntilDate"]
    assert kept - datetime.now(UTC) > timedelta(days=36_499)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("put_object", {"Key": "k", "ServerSideEncryption": "AES256"}),
        ("copy_object", {"Key": "k", "CopySource": "b/k", "StorageClass": "GLACIER"}),
        ("put_object", {"Key": "k", "WebsiteRedirectLocation": "/elsewhere"}),
        (
            "put_bucket_website",
            {"WebsiteConfiguration": {"IndexDocument": {"Suffix": "i"}}},
        ),
        ("get_bucket_encryption", {}),
        ("get_bucket_replication", {}),
        ("get_bucket_logging", {}),
        (
            "put_bucket_accelerate_configuration",
            {"AccelerateConfiguration": {"Status": "Enabled"}},
        ),
        ("restore_object", {"Key": "k", "RestoreRequest": {"Days": 1}}),
    ],
)
def test_what_is_not_there_says_so(s3: S3, bucket: str, name: str, more: dict[str, object]) -> None:
    ask = getattr(s3, name)

    assert code_of(lambda: ask(Bucket=bucket, **more)) == "NotImplemented"


def test_settings_of_a_bucket_come_back(s3: S3, bucket: str) -> None:
    rule = {
        "ID": "one",
        "Status": "Enabled",
        "Filter": {"Prefix": "tmp/"},
        "Expiration": {"Days": 3},
    }
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    block = {"BlockPublicAcls": True, "IgnorePublicAcls": False, "BlockPublicPolicy": True,
             "RestrictPublicBuckets": False}  # fmt: skip
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)

    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == [rule]
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "a", "Value": "b"}]
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == block
    refused = {"Bucket": bucket, "ACL": "public-read"}
    assert code_of(lambda: s3.put_bucket_acl(**refused)) == "AccessDenied"
    s3.delete_bucket_lifecycle(Bucket=bucket)
    missing = code_of(lambda: s3.get_bucket_lifecycle_configuration(Bucket=bucket))
    assert missing == "NoSuchLifecycleConfiguration"


def test_buckets(served: Archive, s3: S3, bucket: str, put: Put) -> None:
    put("k")
    assert bucket in [each["Name"] for each in s3.list_buckets()["Buckets"]]
    assert code_of(lambda: s3.delete_bucket(Bucket=bucket)) == "BucketNotEmpty"
    other = served.client(ALT)
    assert code_of(lambda: other.create_bucket(Bucket=bucket)) == "BucketAlreadyExists"
    s3.create_bucket(Bucket=bucket)  # its owner may say it again
    s3.delete_object(Bucket=bucket, Key="k")
    s3.delete_bucket(Bucket=bucket)
    assert code_of(lambda: s3.list_objects(Bucket=bucket)) == "NoSuchBucket"
    app = served.client(APP)
    for name in ("keeper", "keeper", "keeper.thumbs"):
        app.create_bucket(Bucket=name)
    assert code_of(lambda: app.create_bucket(Bucket="victim")) == "AccessDenied"
