"""Access control lists: canned ones, those of headers, those of XML; who may do what by them."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

import msgspec

from dayfly.files.s3.accounts import Accounts
from dayfly.files.s3.problem import S3Error, invalid, not_implemented
from dayfly.files.s3.xmlread import Element, element_of
from dayfly.files.s3.xmlwrite import INSTANCE, around, document, tag, tags

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
GROUPS = frozenset((ALL_USERS, AUTHENTICATED))
FULL = "FULL_CONTROL"
PERMISSIONS = ("READ", "WRITE", "READ_ACP", "WRITE_ACP", FULL)
_CANNED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "private": (),
    "public-read": ((ALL_USERS, "READ"),),
    "public-read-write": ((ALL_USERS, "READ"), (ALL_USERS, "WRITE")),
    "authenticated-read": ((AUTHENTICATED, "READ"),),
    "bucket-owner-read": (("bucket owner", "READ"),),
    "bucket-owner-full-control": (("bucket owner", FULL),),
}
_HEADERS = {
    "x-amz-grant-read": "READ",
    "x-amz-grant-write": "WRITE",
    "x-amz-grant-read-acp": "READ_ACP",
    "x-amz-grant-write-acp": "WRITE_ACP",
    "x-amz-grant-full-control": FULL,
}


class Grant(msgspec.Struct, frozen=True):
    """`to` is the id of an account, or the address of a group."""

    to: str
    permission: str


class Acl(msgspec.Struct, frozen=True):
    owner: str
    grants: tuple[Grant, ...]

    def permits(self, account: str | None, permission: str, *, public: bool = True) -> bool:
        """`public`: whether grants to groups count."""
        asked = (permission, FULL)
        return any(
            grant.permission in asked and _is(grant.to, account, public=public)
            for grant in self.grants
        )

    @property
    def is_public(self) -> bool:
        return any(grant.to in GROUPS for grant in self.grants)


@lru_cache(maxsize=256)
def private(owner: str) -> Acl:
    return Acl(owner, (Grant(owner, FULL),))


def canned(name: str, owner: str, bucket_owner: str) -> Acl:
    if name in ("aws-exec-read", "log-delivery-write"):
        raise not_implemented(f"The canned ACL {name}")
    if name not in _CANNED:
        raise invalid("x-amz-acl", name, ", ".join(_CANNED))
    more = (
        Grant(bucket_owner if to == "bucket owner" else to, permission)
        for to, permission in _CANNED[name]
    )
    grants = (Grant(owner, FULL), *more)
    return Acl(owner, tuple(dict.fromkeys(grants)))


def of_headers(
    headers: Mapping[str, str], owner: str, bucket_owner: str, accounts: Accounts
) -> Acl | None:
    """None where they say nothing."""
    name = headers.get("x-amz-acl", "")
    granting = [each for each in _HEADERS if each in headers]
    if name and granting:
        raise S3Error(
            "InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed"
        )
    if name:
        return canned(name, owner, bucket_owner)
    if not granting:
        return None
    grants = (
        Grant(_grantee(one, accounts), _HEADERS[each])
        for each in granting
        for one in headers[each].split(",")
    )
    return Acl(owner, tuple(grants))


def of_xml(body: bytes, owner: str, accounts: Accounts) -> Acl:
    """The owner can't be changed by it."""
    root = element_of(body, "AccessControlPolicy").only("Owner", "AccessControlList")
    told = root.first("Owner")
    if told is None or (root.first("AccessControlList")) is None:
        raise S3Error("MalformedACLError")
    if told.said("ID") not in (owner, None):
        raise S3Error("AccessDenied")
    found = (root.first("AccessControlList") or root).only(many=("Grant",))
    return Acl(owner, tuple(_grant(each, accounts) for each in found.all("Grant")))


def xml_of(acl: Acl, accounts: Accounts) -> bytes:
    grants = (
        around("Grant", _grantee_written(each.to, accounts), tag("Permission", each.permission))
        for each in sorted(acl.grants, key=lambda each: each.to not in GROUPS)
    )
    return document(
        "AccessControlPolicy",
        around("Owner", tags(ID=acl.owner, DisplayName=accounts.name_of(acl.owner))),
        around("AccessControlList", *grants),
    )


def _is(to: str, account: str | None, *, public: bool) -> bool:
    if to == ALL_USERS:
        return public
    if to == AUTHENTICATED:
        return public and account is not None
    return account is not None and to == account


def _grantee(text: str, accounts: Accounts) -> str:
    kind, _, value = text.strip().partition("=")
    return _known(kind.strip().lower(), value.strip().strip('"'), accounts)


def _grant(told: Element, accounts: Accounts) -> Grant:
    told.only("Grantee", "Permission")
    grantee, permission = told.first("Grantee"), told.said("Permission")
    if grantee is None or permission not in PERMISSIONS:
        raise S3Error("MalformedACLError")
    grantee.only("ID", "DisplayName", "URI", "EmailAddress")
    kinds = (("id", "ID"), ("uri", "URI"), ("emailaddress", "EmailAddress"))
    found = [(kind, said) for kind, name in kinds if (said := grantee.said(name))]
    if not found:
        raise S3Error("MalformedACLError")
    return Grant(_known(*found[0], accounts), permission)


def _known(kind: str, value: str, accounts: Accounts) -> str:
    if kind == "emailaddress":
        account = accounts.of_email(value)
        if account is None:
            raise S3Error("UnresolvableGrantByEmailAddress")
        return account.id
    known: Iterable[str] = {"id": accounts.by_id, "uri": GROUPS}.get(kind, ())
    if value not in known:
        raise invalid("The grantee", value or kind, "the id of an account, or one of the groups")
    return value


def _grantee_written(to: str, accounts: Accounts) -> str:
    kind = "Group" if to in GROUPS else "CanonicalUser"
    inside = tag("URI", to) if to in GROUPS else tags(ID=to, DisplayName=accounts.name_of(to))
    return f'<Grantee xmlns:xsi="{INSTANCE}" xsi:type="{kind}">{inside}</Grantee>'
