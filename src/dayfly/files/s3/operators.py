"""The conditions of bucket policies: how a value is compared with those that are told."""

import fnmatch
import ipaddress
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

Compare = Callable[[str, str], bool]


def _like(told: str, found: str) -> bool:
    return re.fullmatch(fnmatch.translate(told.replace("[", "[[]")), found) is not None


def _number(compare: Callable[[float, float], bool]) -> Compare:
    def compared(told: str, found: str) -> bool:
        try:
            return compare(float(found), float(told))
        except ValueError:
            return False

    return compared


def _date(compare: Callable[[float, float], bool]) -> Compare:
    def compared(told: str, found: str) -> bool:
        try:
            return compare(_instant(found), _instant(told))
        except ValueError:
            return False

    return compared


def _instant(text: str) -> float:
    if text.isdecimal():
        return float(text)
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _inside(told: str, found: str) -> bool:
    try:
        return ipaddress.ip_address(found) in ipaddress.ip_network(told, strict=False)
    except ValueError:
        return False


def _is_number(told: str) -> bool:
    try:
        return math.isfinite(float(told))
    except ValueError:
        return False


def _is_date(told: str) -> bool:
    try:
        return math.isfinite(_instant(told))
    except (ValueError, OverflowError):
        return False


def _is_network(told: str) -> bool:
    try:
        ipaddress.ip_network(told, strict=False)
    except ValueError:
        return False
    return True


def _is_bool(told: str) -> bool:
    return told.lower() in ("true", "false")


# What a policy may compare with; a text may be any.
_VALUES: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "Numeric": (_is_number, "a number"),
    "Date": (_is_date, "a time, as 2030-01-31T00:00:00Z or in seconds since 1970"),
    "IpAddress": (_is_network, "an address or a network, as 203.0.113.0/24"),
    "NotIpAddress": (_is_network, "an address or a network, as 203.0.113.0/24"),
    "Bool": (_is_bool, "true or false"),
    "Null": (_is_bool, "true or false"),
}
QUANTIFIERS = ("", "ForAnyValue:", "ForAllValues:")


# Each with whether it is a denial: then no told value may be met.
OPERATORS: Mapping[str, tuple[Compare, bool]] = {
    "StringEquals": (str.__eq__, False),
    "StringNotEquals": (str.__eq__, True),
    "StringEqualsIgnoreCase": (lambda told, found: told.lower() == found.lower(), False),
    "StringNotEqualsIgnoreCase": (lambda told, found: told.lower() == found.lower(), True),
    "StringLike": (_like, False),
    "StringNotLike": (_like, True),
    "NumericEquals": (_number(float.__eq__), False),
    "NumericNotEquals": (_number(float.__eq__), True),
    "NumericLessThan": (_number(float.__lt__), False),
    "NumericLessThanEquals": (_number(float.__le__), False),
    "NumericGreaterThan": (_number(float.__gt__), False),
    "NumericGreaterThanEquals": (_number(float.__ge__), False),
    "DateEquals": (_date(float.__eq__), False),
    "DateNotEquals": (_date(float.__eq__), True),
    "DateLessThan": (_date(float.__lt__), False),
    "DateLessThanEquals": (_date(float.__le__), False),
    "DateGreaterThan": (_date(float.__gt__), False),
    "DateGreaterThanEquals": (_date(float.__ge__), False),
    "Bool": (lambda told, found: told.lower() == found.lower(), False),
    "IpAddress": (_inside, False),
    "NotIpAddress": (_inside, True),
    "Null": (str.__eq__, False),
}


def fault(operator: str, told: Sequence[str]) -> str:
    """What is wrong with one line of a condition; empty where it can be evaluated."""
    before, colon, name = operator.rpartition(":")
    plain = name.removesuffix("IfExists")
    if plain not in OPERATORS or before + colon not in QUANTIFIERS or name == "NullIfExists":
        return f"The condition {operator[:80]!r} is not known."
    for kind, (fits, allowed) in _VALUES.items():
        wrong = [each for each in told if not fits(each)] if plain.startswith(kind) else []
        if wrong:
            return f"The condition {operator[:80]!r} has {wrong[0][:80]!r}; allowed is {allowed}."
    return ""


def holds(
    operator: str, key: str, told: Sequence[str], values: Mapping[str, tuple[str, ...]]
) -> bool:
    """Whether one line of a condition is met by what is asked."""
    quantifier, _, name = operator.rpartition(":")
    optional = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    found = values.get(key)
    if name == "Null":
        return any(each.lower() == str(found is None).lower() for each in told)
    compare, denies = OPERATORS[name]
    if found is None:
        return optional or denies or quantifier == "ForAllValues"
    met = [any(compare(each, value) for each in told) != denies for value in found]
    return any(met) if quantifier == "ForAnyValue" else all(met)
