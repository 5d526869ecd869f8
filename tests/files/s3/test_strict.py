"""Documents that say more than is read are refused: what would be ignored might have mattered."""

import re

import pytest
import requests
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from archive import MAIN, REGION, S3, Archive, Put

http = requests.Session()
http.trust_env = False


def answered(served: Archive, method: str, path: str, body: str) -> str:
    """The code of the refusal."""
    request = AWSRequest(method, served.url + path, data=body.encode())
    S3SigV4Auth(Credentials(MAIN.key, MAIN.secret), "s3", REGION).add_auth(request)
    answer = http.request(method, request.url, data=body.encode(), headers=dict(request.headers))
    found = re.search("<Code>(.*)</Code>", answer.text)
    return found[1] if found else ""


@pytest.mark.parametrize(
    "inside",
    [
        "<Object><Key>a</Key><Key>b</Key></Object>",
        "<Object><Key>b</Key></Object><Object><Key>a</Key><VersionID>1</VersionID></Object>",
        "<Object><Key>a</Key><VersionId>1</VersionId><VersionId>2</VersionId></Object>",
        "<Object><Key>a<Key>b</Key></Key></Object>",
        "<Object><Key>b</Key></Object><Object><Key>a<Key>b</Key></Key></Object>",
        "<Object><Key>b</Key></Object><Object><Key>a</Key><VersionId>1<x/></VersionId></Object>",
        "<Object><Key>b</Key></Object><Object><Key>a</Key><Size>1<x/></Size></Object>",
        "<Object><Key>b</Key></Object><Object><VersionId>1</VersionId></Object>",
        "<Object><Key>a</Key><IfMatch>x</IfMatch></Object>",
        "<Object><Key>a</Key></Object><object><Key>b</Key></object>",
        "<Quiet>perhaps</Quiet><Object><Key>a</Key></Object>",
        "<Quiet>true</Quiet><Quiet>false</Quiet><Object><Key>a</Key></Object>",
    ],
)
def test_nothing_is_deleted_by_a_document_that_says_more_than_is_read(
    served: Archive, s3: S3, bucket: str, put: Put, inside: str
) -> None:
    for key in "ab":
        put(key, b"1")

    code = answered(served, "POST", f"/{bucket}?delete=", f"<Delete>{inside}</Delete>")

    assert code == "MalformedXML"
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["a", "b"]


GRANT = "<Grantee><ID>main-id</ID><ID>alt-id</ID></Grantee><Permission>READ</Permission>"
OWNED = "<Rule><ObjectOwnership>{}</ObjectOwnership></Rule>"
READ = "<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin>"
TAGGED = "<Tag><Key>a</Key><Key>b</Key><Value>1</Value></Tag>"
SETTINGS = {  # the parameter, the root and what is in it
    "a default that is not known": (
        *("object-lock", "ObjectLockConfiguration"),
        "<ObjectLockEnabled>Enabled</ObjectLockEnabled><rule/>",
    ),
    "two grantees in one": (
        *("acl", "AccessControlPolicy"),
        f"<Owner/><AccessControlList><Grant>{GRANT}</Grant></AccessControlList>",
    ),
    "a block that is not known": (
        *("publicAccessBlock", "PublicAccessBlockConfiguration"),
        "<BlockPublicACLs>true</BlockPublicACLs>",
    ),
    "a block that is neither on nor off": (
        *("publicAccessBlock", "PublicAccessBlockConfiguration"),
        "<BlockPublicAcls>yes</BlockPublicAcls>",
    ),
    "two owners": (
        *("ownershipControls", "OwnershipControls"),
        OWNED.format("ObjectWriter") + OWNED.format("BucketOwnerEnforced"),
    ),
    "two states": (
        *("versioning", "VersioningConfiguration"),
        "<Status>Suspended</Status><Status>Enabled</Status>",
    ),
    "a tag with two keys": ("tagging", "Tagging", f"<TagSet>{TAGGED}</TagSet>"),
    "a limit of pages that is not known": (
        *("cors", "CORSConfiguration"),
        f"<CORSRule>{READ}<Without>Cookies</Without></CORSRule>",
    ),
    "a filter by a tag with two keys": (
        *("lifecycle", "LifecycleConfiguration"),
        (
            f"<Rule><Status>Enabled</Status><Filter>{TAGGED}</Filter>"
            "<Expiration><Days>1</Days></Expiration></Rule>"
        ),
    ),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_a_bucket_is_not_set_by_a_document_that_says_more_than_is_read(
    served: Archive, bucket: str, case: str
) -> None:
    name, root, inside = SETTINGS[case]
    body = f"<{root}>{inside}</{root}>"

    assert answered(served, "PUT", f"/{bucket}?{name}=", body) == "MalformedXML"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ('<ETag>"2"</ETag>', "MalformedXML"),
        ("<Number>2</Number>", "MalformedXML"),
        ("<ChecksumSHA512>2</ChecksumSHA512>", "NotImplemented"),
    ],
)
def test_no_part_is_chosen_by_half_of_what_names_it(
    served: Archive, s3: S3, bucket: str, more: str, code: str
) -> None:
    here = {"Bucket": bucket, "Key": "k"}
    upload = s3.create_multipart_upload(**here)["UploadId"]
    etag = s3.upload_part(**here, UploadId=upload, PartNumber=1, Body=b"1")["ETag"]
    part = f"<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag>{more}</Part>"
    body = f"<CompleteMultipartUpload>{part}</CompleteMultipartUpload>"

    assert answered(served, "POST", f"/{bucket}/k?uploadId={upload}", body) == code
