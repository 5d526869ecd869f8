"""What clients write as XML and JSON: read strictly, written back as it was meant."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.files.s3 import acl, cors, lifecycle, lifecyclexml, lock, rights
from dayfly.files.s3.accounts import Account, Accounts
from dayfly.files.s3.actions import is_known
from dayfly.files.s3.policy import Asked, policy_of
from dayfly.files.s3.problem import S3Error
from dayfly.files.s3.xmlread import element_of
from dayfly.files.s3.xmlwrite import document, iso, tag

BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><Delete>&b;</Delete>"""


def code_of(read: Callable[..., object], *told: object) -> str:
    try:
        read(*told)
    except S3Error as error:
        return error.code
    return ""


@pytest.mark.parametrize(
    "body",
    [
        b"", b"text", b"<a>", b"<a></b>", b"<a/><b/>", BOMB, b"<Other/>",
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><Delete/>',
        b"<Delete>" * 20 + b"</Delete>" * 20,
        b"<Delete>" + b"<a/>" * 60_000 + b"</Delete>",
        b'<?xml version="1.0" encoding="nonsense"?><Delete/>',
        b"<Delete>\xff</Delete>",
    ],
)  # fmt: skip
def test_xml_that_is_refused(body: bytes) -> None:
    assert code_of(element_of, body, "Delete") == "MalformedXML"


def test_names_are_read_without_their_namespace() -> None:
    found = element_of(b'<Delete xmlns="http://s3/"><Object><Key> a </Key></Object></Delete>')

    assert found.name == "Delete"
    assert found.children[0].said("Key") == "a"


@given(st.text(st.characters(exclude_categories=["Cs"], min_codepoint=32)))
def test_what_is_written_is_read_again(text: str) -> None:
    text = "".join(each for each in text if each not in "\x7f\ufffe\uffff")

    assert element_of(document("A", tag("B", text))).children[0].text == text


def test_times_have_milliseconds() -> None:
    assert iso(1_793_577_600_123_456_789) == "2026-11-02T00:00:00.123Z"


# CORS

RULE = cors.Rule(origins=("https://*.example.org",), methods=("GET",), headers=("x-*",), seconds=60)


def test_cors_are_written_as_they_were_read() -> None:
    rules = (RULE, cors.Rule(origins=("*",), methods=("PUT", "POST"), exposed=("ETag",), id="one"))

    assert cors.of_xml(cors.xml_of(rules)) == rules


@pytest.mark.parametrize(
    ("origin", "method", "allowed"),
    [
        ("https://a.example.org", "GET", "https://a.example.org"),
        ("https://a.example.org", "PUT", None),
        ("https://example.org", "GET", None),
        ("https://a.example.org.evil", "GET", None),
    ],
)
def test_which_pages_may_read(origin: str, method: str, allowed: str | None) -> None:
    told = dict(cors.told([RULE], {"origin": origin}, method))

    assert told.get("access-control-allow-origin") == allowed


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"origin": "https://a.example.org", "access-control-request-method": "GET"}, ""),
        ({"origin": "https://evil", "access-control-request-method": "GET"}, "AccessDenied"),
        ({"origin": "https://a.example.org"}, "InvalidRequest"),
        ({"access-control-request-method": "GET"}, "InvalidRequest"),
        (
            {
                "origin": "https://a.example.org",
                "access-control-request-method": "GET",
                "access-control-request-headers": "x-one, other",
            },
            "AccessDenied",
        ),
    ],
)
def test_what_a_browser_asks_before(headers: dict[str, str], code: str) -> None:
    assert code_of(cors.preflight, [RULE], headers) == code


# Lifecycle

EXPIRE = "<Expiration><Days>1</Days></Expiration>"
LONE = "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"
ABORT = (
    "<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation>"
    "</AbortIncompleteMultipartUpload>"
)
TAG = "<Tag><Key>k</Key><Value>v</Value></Tag>"


def rules_of(inside: str) -> tuple[lifecycle.Rule, ...]:
    text = f"<LifecycleConfiguration><Rule>{inside}</Rule></LifecycleConfiguration>"
    return lifecyclexml.of_xml(text.encode())


@pytest.mark.parametrize(
    "inside",
    [
        f"<ID>a</ID><Prefix>x/</Prefix><Status>Enabled</Status>{EXPIRE}",
        f"<ID>a</ID><Filter/><Status>Disabled</Status>{EXPIRE}",
        (
            "<ID>a</ID><Filter><And><Prefix>p</Prefix><Tag><Key>k</Key><Value>v</Value></Tag>"
            "<ObjectSizeGreaterThan>5</ObjectSizeGreaterThan></And></Filter><Status>Enabled</Status>"
            "<NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays>"
            "<NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionExpiration>"
        ),
        f"<ID>a</ID><Filter><Prefix>p</Prefix></Filter><Status>Enabled</Status>{ABORT}",
        f"<ID>a</ID><Filter>{TAG}<Prefix>p</Prefix></Filter><Status>Enabled</Status>{EXPIRE}",
        (
            "<ID>a</ID><Filter><Prefix>p</Prefix></Filter><Status>Enabled</Status>"
            "<Expiration><Date>2030-01-01T00:00:00Z</Date></Expiration>"
        ),
        (
            "<ID>a</ID><Filter><Prefix>p</Prefix></Filter><Status>Enabled</Status>"
            "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"
        ),
    ],
)
def test_lifecycle_rules_are_written_as_they_were_read(inside: str) -> None:
    rules = rules_of(inside)

    assert lifecyclexml.of_xml(lifecyclexml.xml_of(rules)) == rules


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        (EXPIRE, "MalformedXML"),
        (f"<Status>enabled</Status>{EXPIRE}", "MalformedXML"),
        ("<Status>Enabled</Status>", "MalformedXML"),
        (f"<ID>{'i' * 256}</ID><Status>Enabled</Status>{EXPIRE}", "InvalidArgument"),
        (
            "<Status>Enabled</Status><Expiration><Days>0</Days></Expiration>",
            "InvalidArgument",
        ),
        ("<Status>Enabled</Status><Expiration><Date>20200101</Date></Expiration>", "MalformedXML"),
        (
            "<Status>Enabled</Status><Expiration><Date>2020-13-01</Date></Expiration>",
            "MalformedXML",
        ),
        (
            (
                "<Status>Enabled</Status><Transition><Days>1</Days>"
                "<StorageClass>GLACIER</StorageClass></Transition>"
            ),
            "NotImplemented",
        ),
        *(
            (f"<Filter>{narrow}</Filter><Status>Enabled</Status>{action}", "InvalidRequest")
            for action in (LONE, ABORT)
            for narrow in (
                TAG,
                f"<And><Prefix>p</Prefix>{TAG}</And>",
                "<ObjectSizeGreaterThan>0</ObjectSizeGreaterThan>",
                "<ObjectSizeLessThan>9</ObjectSizeLessThan>",
            )
        ),
    ],
)
def test_lifecycle_rules_that_are_refused(inside: str, code: str) -> None:
    assert code_of(rules_of, inside) == code


WHOLE = "<Filter/><Status>Enabled</Status>"


@pytest.mark.parametrize(
    "inside",
    [
        f"<Filter><prefix>logs/</prefix></Filter><Status>Enabled</Status>{EXPIRE}",
        f"<Filter><StorageClass>STANDARD</StorageClass></Filter><Status>Enabled</Status>{EXPIRE}",
        f"<Status>Enabled</Status>{EXPIRE}",
        f"<Prefix>a</Prefix>{WHOLE}{EXPIRE}",
        f"<prefix>a</prefix>{WHOLE}{EXPIRE}",
        f"<Filter><Prefix>a</Prefix></Filter>{WHOLE}{EXPIRE}",
        (
            "<Filter><Prefix>a</Prefix><And><Prefix>b</Prefix></And></Filter>"
            f"<Status>Enabled</Status>{EXPIRE}"
        ),
        (
            "<Filter><And><Prefix>a</Prefix><tag><Key>k</Key><Value>v</Value></tag></And></Filter>"
            f"<Status>Enabled</Status>{EXPIRE}"
        ),
        f"{WHOLE}<Expiration><Days>1</Days><Date>2030-01-01</Date></Expiration>",
        f"{WHOLE}<Expiration><Days>1</Days><Hours>1</Hours></Expiration>",
        (
            f"{WHOLE}<Expiration><ExpiredObjectDeleteMarker>1</ExpiredObjectDeleteMarker>"
            "</Expiration>"
        ),
        f"{WHOLE}{EXPIRE}{EXPIRE}",
        f"<Filter><And/></Filter><Status>Enabled</Status>{EXPIRE}",
        f"{WHOLE}{EXPIRE}<NoncurrentVersionExpiration/>",
        (
            f"{WHOLE}<NoncurrentVersionExpiration><NewerNoncurrentVersions>2"
            "</NewerNoncurrentVersions></NoncurrentVersionExpiration>"
        ),
    ],
)
def test_a_lifecycle_rule_that_could_mean_less_than_was_read_is_refused(inside: str) -> None:
    assert code_of(rules_of, inside) == "MalformedXML"


def test_days_without_an_end() -> None:
    many = EXPIRE.replace("1", "999999999999")
    assert code_of(rules_of, f"{WHOLE}{many}") == "InvalidArgument"
    rules = rules_of(f"{WHOLE}{EXPIRE.replace('1', '2147483647')}")

    assert lifecycle.expires(rules, "k", 0, {}, 0) is None  # beyond the calendar


def test_days_count_from_the_midnight_after_the_writing() -> None:
    rules = rules_of(f"<ID>a</ID><Prefix>x/</Prefix><Status>Enabled</Status>{EXPIRE}")
    written = round(datetime(2026, 1, 1, 15, tzinfo=UTC).timestamp()) * 10**9

    assert lifecycle.expires(rules, "x/1", 0, {}, written) == (
        datetime(2026, 1, 3, tzinfo=UTC),
        "a",
    )
    assert lifecycle.expires(rules, "y/1", 0, {}, written) is None


# Object lock


def locked(inside: str) -> lock.Default:
    return lock.default_of(f"<ObjectLockConfiguration>{inside}</ObjectLockConfiguration>".encode())


ON = "<ObjectLockEnabled>Enabled</ObjectLockEnabled>"


def retained(inside: str) -> str:
    return f"{ON}<Rule><DefaultRetention>{inside}</DefaultRetention></Rule>"


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        (ON, ""),
        (retained("<Mode>GOVERNANCE</Mode><Days>1</Days>"), ""),
        (retained("<Mode>COMPLIANCE</Mode><Years>2</Years>"), ""),
        (retained("<Mode>COMPLIANCE</Mode><Years>2</Years><Days>1</Days>"), "MalformedXML"),
        (retained("<Mode>COMPLIANCE</Mode>"), "MalformedXML"),
        (retained("<Mode>governance</Mode><Days>1</Days>"), "MalformedXML"),
        (retained("<Mode>GOVERNANCE</Mode><Days>0</Days>"), "InvalidRetentionPeriod"),
        (retained("<Mode>GOVERNANCE</Mode><Years>-1</Years>"), "InvalidRetentionPeriod"),
        (retained("<Mode>GOVERNANCE</Mode><Years>100</Years>"), ""),
        (retained("<Mode>GOVERNANCE</Mode><Years>101</Years>"), "InvalidRetentionPeriod"),
        (retained("<Mode>GOVERNANCE</Mode><Days>36500</Days>"), ""),
        (retained("<Mode>GOVERNANCE</Mode><Days>36501</Days>"), "InvalidRetentionPeriod"),
        (retained("<Mode>GOVERNANCE</Mode><Days>99999999</Days>"), "InvalidRetentionPeriod"),
        ("<ObjectLockEnabled>Disabled</ObjectLockEnabled>", "MalformedXML"),
    ],
)
def test_the_lock_of_a_bucket(inside: str, code: str) -> None:
    assert code_of(locked, inside) == code


def test_the_lock_of_a_bucket_is_written_as_it_was_read() -> None:
    default = lock.Default(mode="GOVERNANCE", days=3)

    assert lock.default_of(lock.default_xml(default)) == default


def test_a_default_that_was_told_before_it_was_checked_ends_with_the_calendar() -> None:
    now = round(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 10**9

    for default in (lock.Default(mode="GOVERNANCE", years=100_000), lock.Default(days=4_000_000)):
        assert iso(default.until(now)) == "9999-12-31T23:59:59.000Z"
    assert iso(lock.Default(days=36_500).until(now)) == "2125-12-08T00:00:00.000Z"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2030-01-01T00:00:00+14:00", ""),
        ("9999-12-31T23:59:59Z", ""),
        ("9999-12-31T23:59:59-14:00", "InvalidArgument"),
        ("9999-12-31T23:59:59.999Z", "InvalidArgument"),
        ("10000-01-01T00:00:00Z", "InvalidArgument"),
        ("soon", "InvalidArgument"),
    ],
)
def test_until_when_a_version_is_retained(text: str, code: str) -> None:
    assert code_of(lambda: iso(lock.instant(text))) == code


def test_the_retention_of_a_version() -> None:
    until = "<RetainUntilDate>2030-01-01T00:00:00Z</RetainUntilDate>"
    body = f"<Retention><Mode>COMPLIANCE</Mode>{until}</Retention>".encode()

    assert lock.retention_of(body) == ("COMPLIANCE", 1_893_456_000 * 10**9)
    assert lock.retention_of(b"<Retention/>") == ("", 0)


# ACLs

ACCOUNTS = Accounts(
    (
        Account(id="main", display_name="Main & Co", email="main@example.org"),
        Account(id="alt", display_name="Alt"),
    )
)


@pytest.mark.parametrize(
    ("name", "account", "permission", "permitted"),
    [
        ("private", "main", "WRITE_ACP", True),
        ("private", "alt", "READ", False),
        ("private", None, "READ", False),
        ("public-read", None, "READ", True),
        ("public-read", None, "WRITE", False),
        ("public-read-write", None, "WRITE", True),
        ("authenticated-read", None, "READ", False),
        ("authenticated-read", "alt", "READ", True),
        ("bucket-owner-full-control", "alt", "WRITE_ACP", True),
        ("bucket-owner-read", "alt", "WRITE_ACP", False),
    ],
)
def test_who_may_do_what_by_a_canned_acl(
    name: str, account: str | None, permission: str, permitted: bool
) -> None:
    assert acl.canned(name, "main", "alt").permits(account, permission) == permitted


def test_grants_to_everybody_may_be_ignored() -> None:
    public = acl.canned("public-read", "main", "main")

    assert not public.permits(None, "READ", public=False)
    assert public.permits("main", "READ", public=False)


def test_an_acl_is_written_as_it_was_read() -> None:
    headers = {
        "x-amz-grant-read": f'id="alt", uri="{acl.ALL_USERS}"',
        "x-amz-grant-full-control": "emailAddress=main@example.org",
    }
    found = acl.of_headers(headers, "main", "main", ACCOUNTS)
    assert found

    read = acl.of_xml(acl.xml_of(found, ACCOUNTS), "main", ACCOUNTS)
    assert set(read.grants) == set(found.grants)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"x-amz-acl": "public"}, "InvalidArgument"),
        ({"x-amz-acl": "log-delivery-write"}, "NotImplemented"),
        ({"x-amz-grant-read": "id=nobody"}, "InvalidArgument"),
        ({"x-amz-grant-read": "uri=http://evil"}, "InvalidArgument"),
        ({"x-amz-grant-read": "emailAddress=x@y"}, "UnresolvableGrantByEmailAddress"),
        ({"x-amz-acl": "private", "x-amz-grant-read": "id=alt"}, "InvalidRequest"),
    ],
)
def test_acls_that_are_refused(headers: dict[str, str], code: str) -> None:
    assert code_of(acl.of_headers, headers, "main", "main", ACCOUNTS) == code


# Policies


def statement(**more: object) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::b/*",
    } | more


def policy(*statements: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"Version": "2012-10-17", "Statement": list(statements)})


DENY = {"Effect": "Deny"}


@pytest.mark.parametrize(
    ("statements", "asked", "expected"),
    [
        ([{}], {}, "allow"),
        ([{}], {"account": None}, "allow"),
        ([{}], {"action": "s3:PutObject"}, ""),
        ([{}], {"resource": "b"}, ""),
        ([{"Action": "s3:Get*"}], {}, "allow"),
        ([{"Action": "*"}], {}, "allow"),
        ([{"Action": ["s3:PutObject", "s3:getobject"]}], {}, "allow"),
        ([{"NotAction": "s3:PutObject", "Action": None}], {}, "allow"),
        ([{"Resource": "arn:aws:s3:::b/k?y"}], {"resource": "b/key"}, "allow"),
        ([{"Resource": "arn:aws:s3:::b/x*"}], {}, ""),
        ([{}, DENY], {}, "deny"),
        ([{}, {**DENY, "Principal": {"AWS": "alt"}}], {}, "allow"),
        ([{"Principal": {"AWS": "arn:aws:iam::main:root"}}], {}, "allow"),
        ([{"Principal": {"AWS": ["arn:aws:iam:::user/main"]}}], {}, "allow"),
        ([{"Principal": {"CanonicalUser": "main"}}], {}, "allow"),
        ([{"Principal": {"AWS": "arn:aws:iam::alt:root"}}], {}, ""),
        ([{"Condition": {"StringEquals": {"s3:prefix": "a"}}}], {"s3:prefix": "a"}, "allow"),
        ([{"Condition": {"StringEquals": {"s3:prefix": "a"}}}], {"s3:prefix": "b"}, ""),
        ([{"Condition": {"StringEquals": {"s3:prefix": "a"}}}], {}, ""),
        ([{"Condition": {"StringEqualsIfExists": {"s3:prefix": "a"}}}], {}, "allow"),
        ([{"Condition": {"StringNotEquals": {"s3:prefix": "a"}}}], {"s3:prefix": "b"}, "allow"),
        ([{"Condition": {"StringLike": {"aws:Referer": "http://x/*"}}}],
         {"aws:referer": "http://x/y"}, "allow"),
        ([{"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}],
         {"aws:sourceip": "10.1.2.3"}, "allow"),
        ([{"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}],
         {"aws:sourceip": "11.1.2.3"}, ""),
        ([{"Condition": {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}],
         {"aws:sourceip": "11.1.2.3"}, "allow"),
        ([{"Condition": {"Bool": {"aws:SecureTransport": False}}}],
         {"aws:securetransport": "false"}, "allow"),
        ([{"Condition": {"NumericLessThan": {"s3:max-keys": "10"}}}],
         {"s3:max-keys": "5"}, "allow"),
        ([{"Condition": {"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}}],
         {"aws:currenttime": "2026-01-01T00:00:00+00:00"}, "allow"),
        ([{"Condition": {"Null": {"s3:x-amz-acl": "true"}}}], {}, "allow"),
        ([{"Condition": {"StringEquals": {"s3:ExistingObjectTag/Team": ["x", "y"]}}}],
         {"s3:existingobjecttag/Team": "y"}, "allow"),
    ],
)  # fmt: skip
def test_what_a_policy_decides(
    statements: list[dict[str, Any]], asked: dict[str, Any], expected: str
) -> None:
    made = [{k: v for k, v in statement(**each).items() if v is not None} for each in statements]
    values = {key: (value,) for key, value in asked.items() if ":" in key}
    found = policy_of(policy(*made), "b").decides(
        Asked(
            action=asked.get("action", "s3:GetObject"),
            resource=asked.get("resource", "b/k"),
            account=asked.get("account", "main"),
            values=values,
        )
    )

    assert found == expected


@pytest.mark.parametrize(
    "change",
    [
        {"Effect": "Maybe"},
        {"Action": "ec2:Run"},
        {"Resource": "arn:aws:s3:::other/*"},
        {"Resource": "*"},
        {"Condition": {"StringSounds": {"s3:prefix": "a"}}},
        {"Condition": {"StringEquals": {"s3:moon": "full"}}},
        {"Condition": {"StringSounds": {}}},
        {"Condition": {"ForNoValue:StringEquals": {"s3:prefix": "a"}}},
        {"Condition": {"NullIfExists": {"s3:prefix": "true"}}},
        {"Condition": {"Null": {"s3:prefix": "yes"}}},
        {"Condition": {"Bool": {"aws:SecureTransport": ["true", "perhaps"]}}},
        {"Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.1/33"}}},
        {"Condition": {"NotIpAddress": {"aws:SourceIp": "localhost"}}},
        {"Condition": {"DateLessThan": {"aws:CurrentTime": "garbage"}}},
        {"Condition": {"NumericNotEqualsIfExists": {"s3:max-keys": "many"}}},
        {"Condition": {"NumericLessThan": {"s3:max-keys": "nan"}}},
        {"NotPrincipal": {"AWS": "x"}},
        {"Surprise": 1},
        {"NotAction": "s3:GetObject"},
        {"Action": ["s3:GetObject", "s3:GetObjekt"]},
        {"Action": "s3:GetObjekt*"},
        {"Action": "s3GetObject"},
        {"Principal": "main"},
        {"Principal": {"Aws": "main"}},
        {"Resource": "arn:aws:s3:::b/${aws:username}/*"},
        {"Condition": {"StringLike": {"s3:prefix": "${aws:username}/*"}}},
    ],
)
def test_a_policy_that_can_not_be_evaluated_is_refused(change: dict[str, Any]) -> None:
    assert code_of(policy_of, policy(statement(**change)), "b") == "MalformedPolicy"


@pytest.mark.parametrize(
    ("once", "twice"),
    [
        (b'"Deny"', b'"Deny", "Effect": "Allow"'),
        (b'"b"]}}', b'"b"]}, "StringEquals": {}}'),
        (b'"s3:prefix"', b'"s3:prefix": "x", "s3:prefix"'),
        (b'"arn:aws:s3:::b/$(x)"', b'"arn:aws:s3:::b/\\u0024{aws:username}"'),
    ],
)
def test_what_json_would_pass_over_is_refused(once: bytes, twice: bytes) -> None:
    told = policy(
        statement(
            Effect="Deny",
            Resource=["arn:aws:s3:::b/$(x)"],
            Condition={"StringEquals": {"s3:prefix": ["a", "b"]}},
        )
    )
    assert policy_of(told, "b").statements
    assert told.count(once) == 1

    assert code_of(policy_of, told.replace(once, twice), "b") == "MalformedPolicy"


@pytest.mark.parametrize("action", ["s3:*", "*", "s3:getobject", "s3:Get?bject*", "s3:Restore*"])
def test_actions_of_amazon_are_known(action: str) -> None:
    assert policy_of(policy(statement(Action=action)), "b").statements


def test_every_action_that_is_asked_for_is_known() -> None:
    asked = {*rights.OF_BUCKET, *rights.OF_OBJECT} | {
        found
        for file in Path(rights.__file__).parent.glob("*.py")
        for found in re.findall(r'"(s3:[A-Z][A-Za-z]+)"', file.read_text())
    }

    assert [each for each in asked if not is_known(each, str.__eq__)] == []


@pytest.mark.parametrize("body", [b"", b"[]", b'{"Statement": 1}', b" " * 30_000, b"[" * 10_000])
def test_a_body_that_is_no_policy(body: bytes) -> None:
    assert code_of(policy_of, body, "b") == "MalformedPolicy"


@pytest.mark.parametrize(
    ("change", "public"),
    [
        ({}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"AWS": "main"}}, False),
        ({"Effect": "Deny"}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/32"}}}, False),
    ],
)
def test_whether_a_policy_is_for_all_the_world(change: dict[str, Any], public: bool) -> None:
    assert policy_of(policy(statement(**change)), "b").is_public == public
