"""Which pages of other origins a browser lets read and write a bucket."""

import re
from collections.abc import Mapping, Sequence

import msgspec

from dayfly.files.s3.problem import S3Error
from dayfly.files.s3.xmlread import Element, element_of, malformed
from dayfly.files.s3.xmlwrite import around, document, tag, tags

METHODS = frozenset(("GET", "HEAD", "PUT", "POST", "DELETE"))
MOST_RULES = 100
_LISTS = ("AllowedOrigin", "AllowedMethod", "AllowedHeader", "ExposeHeader")
Headers = list[tuple[str, str]]


class Rule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    seconds: int | None = None
    id: str | None = None


def of_xml(body: bytes) -> tuple[Rule, ...]:
    root = element_of(body, "CORSConfiguration").only(many=("CORSRule",))
    rules = tuple(_rule(each) for each in root.all("CORSRule"))
    if not 0 < len(rules) <= MOST_RULES:
        raise malformed(f"There must be 1 to {MOST_RULES} <CORSRule>.")
    return rules


def xml_of(rules: Sequence[Rule]) -> bytes:
    return document("CORSConfiguration", *map(_written, rules))


def allowing(rules: Sequence[Rule], origin: str, method: str) -> Rule | None:
    return next(
        (
            rule
            for rule in rules
            if method in rule.methods and any(_like(each, origin) for each in rule.origins)
        ),
        None,
    )


def preflight(rules: Sequence[Rule], headers: Mapping[str, str]) -> Headers:
    """The answer to OPTIONS; S3Error where the browser is not to go on."""
    origin = headers.get("origin", "")
    method = headers.get("access-control-request-method", "")
    if not origin or method not in METHODS:
        raise S3Error("InvalidRequest", "Insufficient information: Origin and method are needed.")
    asked = headers.get("access-control-request-headers", "")
    names = [each.strip().lower() for each in asked.split(",") if each.strip()]
    for rule in rules:
        if allowing((rule,), origin, method) and all(_permits(rule, name) for name in names):
            return _told(rule, origin) + _told_of_preflight(rule, names)
    raise S3Error("AccessDenied", "CORSResponse: this CORS request is not allowed.")


def told(rules: Sequence[Rule], headers: Mapping[str, str], method: str) -> Headers:
    """What an answer, also a refusal, tells the browser; nothing without a rule for its page."""
    origin = headers.get("origin", "")
    method = headers.get("access-control-request-method", "") or method
    rule = allowing(rules, origin, method) if origin else None
    return _told(rule, origin) if rule else []


def _told(rule: Rule, origin: str) -> Headers:
    any_page = "*" in rule.origins
    found = [
        ("access-control-allow-origin", "*" if any_page else origin),
        ("access-control-allow-methods", ", ".join(rule.methods)),
        ("vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"),
    ]
    if not any_page:
        found.append(("access-control-allow-credentials", "true"))
    if rule.exposed:
        found.append(("access-control-expose-headers", ", ".join(rule.exposed)))
    return found


def _told_of_preflight(rule: Rule, names: Sequence[str]) -> Headers:
    found = [("access-control-allow-headers", ", ".join(names))] if names else []
    if rule.seconds is not None:
        found.append(("access-control-max-age", str(rule.seconds)))
    return found


def _permits(rule: Rule, header: str) -> bool:
    return any(_like(each.lower(), header) for each in rule.headers)


def _like(pattern: str, text: str) -> bool:
    begin, star, end = pattern.partition("*")
    if not star:
        return pattern == text
    return len(text) >= len(begin) + len(end) and text.startswith(begin) and text.endswith(end)


def _rule(told: Element) -> Rule:
    def texts(name: str) -> tuple[str, ...]:
        return tuple(each.plain.strip() for each in told.all(name))

    told.only("ID", "MaxAgeSeconds", many=_LISTS)
    rule = Rule(
        origins=texts("AllowedOrigin"),
        methods=texts("AllowedMethod"),
        headers=texts("AllowedHeader"),
        exposed=texts("ExposeHeader"),
        seconds=_seconds(told.said("MaxAgeSeconds")),
        id=told.said("ID"),
    )
    if not rule.origins or not rule.methods:
        raise malformed("A <CORSRule> needs <AllowedOrigin> and <AllowedMethod>.")
    for method in rule.methods:
        if method not in METHODS:
            raise S3Error("InvalidRequest", f"Found unsupported HTTP method in CORS: {method[:20]}")
    for each in (*rule.origins, *rule.headers):
        if each.count("*") > 1:
            raise S3Error("InvalidRequest", f"{each[:100]!r} has more than one *.")
    return rule


def _seconds(text: str | None) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise malformed("<MaxAgeSeconds> must be a number.")
    return int(text)


def _written(rule: Rule) -> str:
    return around(
        "CORSRule",
        tags(ID=rule.id),
        *(tag("AllowedMethod", each) for each in rule.methods),
        *(tag("AllowedOrigin", each) for each in rule.origins),
        *(tag("AllowedHeader", each) for each in rule.headers),
        *(tag("ExposeHeader", each) for each in rule.exposed),
        tags(MaxAgeSeconds=rule.seconds),
    )
