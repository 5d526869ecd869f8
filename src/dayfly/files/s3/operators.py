"""The conditions of bucket policies: how a value is compared with those that are told."""

import fnmatch
import ipaddress
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
