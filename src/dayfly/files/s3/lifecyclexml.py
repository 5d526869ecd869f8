"""Lifecycle rules as XML, read strictly: what is not known could narrow what is to be deleted."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from dayfly.files.s3.lifecycle import Rule
from dayfly.files.s3.problem import S3Error, invalid, not_implemented
from dayfly.files.s3.tagging import tags_in
from dayfly.files.s3.xmlread import Element, element_of, malformed
from dayfly.files.s3.xmlwrite import around, document, tag, tags, yes_or_no

MOST_RULES = 1000
MOST_ID = 255
MOST_DAYS, MOST_SIZE = 2**31 - 1, 2**50
_LIMITS = ("Prefix", "ObjectSizeGreaterThan", "ObjectSizeLessThan")
_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "Expiration": ("Days", "Date", "ExpiredObjectDeleteMarker"),
    "NoncurrentVersionExpiration": ("NoncurrentDays", "NewerNoncurrentVersions"),
    "AbortIncompleteMultipartUpload": ("DaysAfterInitiation",),
}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(T00:00:00(\.0+)?(Z|\+00:00)?)?", re.ASCII)


def of_xml(body: bytes) -> tuple[Rule, ...]:
    root = element_of(body)
    if root.name not in ("LifecycleConfiguration", "BucketLifecycleConfiguration"):
        raise malformed(f"Found <{root.name[:100]}>, allowed is <LifecycleConfiguration>.")
    told = root.only(many=("Rule",)).all("Rule")
    rules = tuple(_rule(each, number) for number, each in enumerate(told))
    if not 0 < len(rules) <= MOST_RULES:
        raise malformed(f"There must be 1 to {MOST_RULES} <Rule>.")
    if len({rule.id for rule in rules}) < len(rules):
        raise S3Error("InvalidArgument", "Rule ID must be unique. Found same ID for two rules.")
    return rules


def xml_of(rules: Sequence[Rule]) -> bytes:
    return document("LifecycleConfiguration", *map(_written, rules))


def _rule(told: Element, number: int) -> Rule:
    told.only(
        "ID", "Prefix", "Filter", "Status", *_ACTIONS,
        many=("Transition", "NoncurrentVersionTransition"),
    )  # fmt: skip
    if told.first("Transition") or told.first("NoncurrentVersionTransition"):
        for each in told.all("Transition"):
            _date(each.said("Date"))
        raise not_implemented("A transition to another storage class")
    status = told.need("Status")
    if status not in ("Enabled", "Disabled"):
        raise malformed(f"<Status> is {status[:40]!r}, allowed are Enabled and Disabled.")
    name = told.said("ID") or f"rule-{number + 1}"
    if len(name) > MOST_ID:
        raise S3Error("InvalidArgument", f"ID length should not exceed {MOST_ID}.")
    plain = told.exactly("Prefix") if told.first("Prefix") else None
    chosen = _Filter(told.first("Filter"))
    rule = Rule(
        id=name,
        enabled=status == "Enabled",
        plain=plain is not None,
        prefix=chosen.prefix if plain is None else plain,
        tags=chosen.tags,
        larger=chosen.larger,
        smaller=chosen.smaller,
    )
    acting = _with_actions(rule, told)
    if acting == rule:
        raise malformed("A <Rule> must say what is to expire.")
    if (told.first("Prefix") is None) == (told.first("Filter") is None):
        raise malformed("A <Rule> has either a <Filter> or a <Prefix>, empty for all objects.")
    chosen.check(acting)
    return acting


class _Filter:
    """Its conditions, all of which have to hold, with or without <And> around them."""

    def __init__(self, told: Element | None) -> None:
        inside = told or Element("Filter", {})
        inside.only(*_LIMITS, "Tag", "And")
        if both := inside.first("And"):
            if len(inside.children) > 1:
                raise malformed("A <Filter> has <And>, and conditions outside of it.")
            if not both.children:
                raise malformed("An <And> without a condition would be for all objects.")
            both.only(*_LIMITS, many=("Tag",))
            inside = both
        self.prefix = inside.exactly("Prefix")
        self.tags = tags_in(inside)
        self.larger = _number(inside, "ObjectSizeGreaterThan", least=0)
        self.smaller = _number(inside, "ObjectSizeLessThan", least=0)

    def check(self, acting: Rule) -> None:
        """A delete marker and an upload have no tags and no size: nothing could be narrowed."""
        told = {"Tag": self.tags, "ObjectSizeGreaterThan": self.larger is not None}
        told["ObjectSizeLessThan"] = self.smaller is not None
        whole = {
            "ExpiredObjectDeleteMarker": acting.expired_marker,
            "AbortIncompleteMultipartUpload": acting.abort_days,
        }
        for name in filter(whole.get, whole):
            for narrow in filter(told.get, told):
                raise S3Error("InvalidRequest", f"{name} cannot be specified with {narrow}.")


def _with_actions(rule: Rule, told: Element) -> Rule:
    none = Element("", {})
    expiration = told.first("Expiration") or none
    noncurrent = told.first("NoncurrentVersionExpiration") or none
    abort = told.first("AbortIncompleteMultipartUpload") or none
    for each, name in (
        (expiration, "Expiration"),
        (noncurrent, "NoncurrentVersionExpiration"),
        (abort, "AbortIncompleteMultipartUpload"),
    ):
        each.only(*_ACTIONS[name])
        if each is not none and not each.children:
            raise malformed(f"<{name}> must say when.")
    if len(expiration.children) > 1:
        raise malformed("An <Expiration> has either <Days>, <Date> or <ExpiredObjectDeleteMarker>.")
    if noncurrent is not none and not noncurrent.first("NoncurrentDays"):
        raise malformed("<NewerNoncurrentVersions> needs <NoncurrentDays>.")
    return msgspec.structs.replace(
        rule,
        days=_number(expiration, "Days"),
        date=_date(expiration.said("Date")),
        expired_marker=expiration.flag("ExpiredObjectDeleteMarker"),
        noncurrent_days=_number(noncurrent, "NoncurrentDays"),
        newer_noncurrent=_number(noncurrent, "NewerNoncurrentVersions"),
        abort_days=_number(abort, "DaysAfterInitiation"),
    )


def _number(told: Element, name: str, least: int = 1) -> int | None:
    """Days have the range that Amazon's have; sizes one of their own."""
    text, most = told.said(name), MOST_SIZE if name in _LIMITS else MOST_DAYS
    if text is None:
        return None
    if not (re.fullmatch(r"\d{1,18}", text, re.ASCII) and least <= int(text) <= most):
        raise invalid(name, text, f"a whole number from {least} to {most}")
    return int(text)


def _date(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        if not _DATE.fullmatch(text):
            raise malformed("<Date> must be a midnight in UTC, as 2030-01-31T00:00:00Z.")
        datetime.fromisoformat(text[:10])
    except ValueError as error:
        raise malformed("<Date> is no day.") from error
    return f"{text[:10]}T00:00:00.000Z"


def _written(rule: Rule) -> str:
    return around(
        "Rule",
        tags(ID=rule.id),
        tag("Prefix", rule.prefix) if rule.plain else _filter_written(rule),
        tag("Status", "Enabled" if rule.enabled else "Disabled"),
        *_actions_written(rule),
    )


def _filter_written(rule: Rule) -> str:
    told = [around("Tag", tags(Key=key, Value=value)) for key, value in rule.tags.items()]
    if rule.larger is not None:
        told.append(tag("ObjectSizeGreaterThan", rule.larger))
    if rule.smaller is not None:
        told.append(tag("ObjectSizeLessThan", rule.smaller))
    if rule.prefix or not told:
        told.insert(0, tag("Prefix", rule.prefix))
    inside = "".join(told)
    return around("Filter", around("And", inside) if len(told) > 1 else inside)


def _actions_written(rule: Rule) -> list[str]:
    marker = yes_or_no(rule.expired_marker) if rule.expired_marker else None
    noncurrent = tags(
        NoncurrentDays=rule.noncurrent_days, NewerNoncurrentVersions=rule.newer_noncurrent
    )
    return [
        around(name, inside)
        for name, inside in (
            ("Expiration", tags(Days=rule.days, Date=rule.date, ExpiredObjectDeleteMarker=marker)),
            ("NoncurrentVersionExpiration", noncurrent),
            ("AbortIncompleteMultipartUpload", tags(DaysAfterInitiation=rule.abort_days)),
        )
        if inside
    ]
