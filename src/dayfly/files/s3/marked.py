"""What can be changed of a version that is there: its ACL and its tags."""

from collections.abc import Mapping

from dayfly.files.condition import Condition
from dayfly.files.errors import NoSuchKeyError
from dayfly.files.objects import Bucket, Version
from dayfly.files.s3 import acl as acls
from dayfly.files.s3 import rights, settings
from dayfly.files.s3.answer import Answer, xml
from dayfly.files.s3.configured import check_acl
from dayfly.files.s3.problem import S3Error
from dayfly.files.s3.reading import version_headers
from dayfly.files.s3.request import Request
from dayfly.files.s3.tagging import tags_of_xml, xml_of_tags
from dayfly.files.s3.writes import token_of


def found(
    request: Request, kind: str, values: rights.Values | None = None
) -> tuple[Bucket, Version]:
    """`kind` is the action for a current version, such as GetObjectAcl."""
    bucket = request.bucket()
    key = request.address.key
    named = kind.replace("Object", "ObjectVersion", 1) if request.version else kind
    action = f"s3:{named if named in _VERSIONED else kind}"
    try:
        version = request.repository.head(bucket.name, key, request.version)
    except NoSuchKeyError as error:
        if not rights.may(request, bucket, "s3:ListBucket", more={"s3:prefix": (key,)}):
            raise S3Error("AccessDenied") from error
        raise
    rights.check(request, bucket, action, key=key, version=version, more=values)
    if version.marker:
        raise S3Error("MethodNotAllowed", "The version is a delete marker.")
    return bucket, version


_VERSIONED = frozenset(
    (
        "GetObjectVersionAcl", "PutObjectVersionAcl", "GetObjectVersionTagging",
        "PutObjectVersionTagging", "DeleteObjectVersionTagging",
    )
)  # fmt: skip


def get_acl(request: Request, _: bytes) -> Answer:
    bucket, version = found(request, "GetObjectAcl")
    acl = settings.object_acl(version, bucket)
    headers = version_headers(bucket, version)
    return xml(acls.xml_of(acl, request.service.accounts), headers=headers)


def put_acl(request: Request, body: bytes) -> Answer:
    bucket, version = found(request, "PutObjectAcl")
    owner = settings.object_acl(version, bucket).owner
    accounts = request.service.accounts
    acl = acls.of_headers(request.headers, owner, bucket.owner, accounts)
    if acl is None:
        acl = acls.of_xml(body, owner, accounts)
    check_acl(bucket, acl)
    text = settings.written(acl)
    by = Condition(token=token_of(request.headers))
    version = request.repository.set_acl(bucket.name, version.key, request.version, text, by)
    return Answer(headers=version_headers(bucket, version))


def get_tags(request: Request, _: bytes) -> Answer:
    bucket, version = found(request, "GetObjectTagging")
    return xml(xml_of_tags(version.description.tags), headers=version_headers(bucket, version))


def put_tags(request: Request, body: bytes) -> Answer:
    told = tags_of_xml(body)
    bucket, version = found(request, "PutObjectTagging", rights.of_tags(told))
    version = _tagged(request, version, told)
    return Answer(headers=version_headers(bucket, version))


def delete_tags(request: Request, _: bytes) -> Answer:
    bucket, version = found(request, "DeleteObjectTagging")
    version = _tagged(request, version, {})
    return Answer(status=204, headers=version_headers(bucket, version))


def _tagged(request: Request, version: Version, tags: Mapping[str, str]) -> Version:
    by = Condition(token=token_of(request.headers))
    where = (version.bucket, version.key, request.version)
    return request.repository.set_tags(*where, tags, by)
