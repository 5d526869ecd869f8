"""Why a tunnel is not there, in plain words, from what the IKE daemon logged."""

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """What is said of a line of the log that has these words; {0}, {1} … are its groups."""

    words: str
    says: str
    weight: int = 2  # of an attempt's reasons the one that says more is told


BLOCKED = "UDP 500 and 4500 may be blocked on the way, or its tunnel is not up"
REASONS = (
    Reason(
        r"received NO_PROPOSAL_CHOSEN|no acceptable proposal found|no matching proposal found"
        r"|received INVALID_KE_PAYLOAD|no acceptable DIFFIE_HELLMAN_GROUP found",
        "the two sides have no proposal in common: the other one offers other ciphers",
    ),
    Reason(
        r"subject certificate invalid \(valid from (.+?) to (.+?)\)",
        "a certificate is not valid now: it holds from {0} to {1}",
    ),
    Reason(r"certificate was revoked on ([^,]+)", "the certificate was revoked on {0}"),
    Reason(
        r"no trusted .* public key found for '([^']*)'",
        "the certificate of {0} is not signed by the CA that is trusted here",
        weight=1,
    ),
    Reason(
        r'no issuer certificate found for "(?:.*CN=)?([^",]*)',
        "the certificate of {0} is not signed by the CA that is trusted here",
    ),
    Reason(
        r"constraint check failed: identity '([^']*)' required",
        "wrong identity: {0} was expected, the other side calls itself something else",
    ),
    Reason(
        r"no private key found for '([^']*)'",
        "there is no private key for the own identity {0}",
    ),
    Reason(
        r"no shared key found for '([^']*)' - '([^']*)'",
        "there is no pre-shared key for {0} and {1}: an identity is not the expected one",
    ),
    Reason(
        r"tried \d+ shared keys? for '([^']*)' - '([^']*)', but MAC mismatched",
        "the pre-shared key of the two sides is not the same",
    ),
    Reason(
        r"no matching peer config found|no IKE config found|looking for peer configs .* failed",
        "the other side shows an identity that is not expected here",
        weight=0,
    ),
    Reason(
        r"received TS_UNACCEPTABLE|traffic selectors .* unacceptable|no matching CHILD_SA config",
        "the two sides name other networks: both need the same `networks`",
    ),
    Reason(
        r"received AUTHENTICATION_FAILED",
        "the other side refuses: to it our key, certificate or identity is wrong",
    ),
    Reason(r"received DELETE for IKE_SA", "the other gateway has ended the tunnel"),
    Reason(
        r"unable to resolve ([^,\s]+)|error resolving '([^']*)'",
        "the name of the other gateway, {0}, can't be resolved",
    ),
    Reason(
        r"(?:peer not responding|giving up after \d+ retransmits)",
        f"the other gateway does not answer: {BLOCKED}",
    ),
    Reason(
        r"error writing to socket: (Network is unreachable|No route to host)",
        "there is no way to the other gateway: {0}",
    ),
)
_COMPILED = tuple((re.compile(reason.words), reason) for reason in REASONS)
_ATTEMPT = re.compile(r"initiating IKE_SA|is initiating an IKE_SA")
# What was before is over: a tunnel stands, or the daemon has just begun.
_BEGINS = re.compile(r"CHILD_SA \S+ established with SPIs|spawning \d+ worker threads")


def why(lines: Iterable[str]) -> str:
    """The reason of the last attempt since a tunnel stood; empty where none is known."""
    said, weight, attempt = "", 0, False
    for line in lines:
        if _BEGINS.search(line):
            said, weight, attempt = "", 0, False
            continue
        attempt = attempt or bool(_ATTEMPT.search(line))
        found = _found(line)
        if found and (attempt or found[1] >= weight):
            said, weight, attempt = *found, False
    return said


def _found(line: str) -> tuple[str, int] | None:
    """What a line says, and how much that is."""
    for pattern, reason in _COMPILED:
        if match := pattern.search(line):
            return reason.says.format(*(group or "" for group in match.groups())), reason.weight
    return None
