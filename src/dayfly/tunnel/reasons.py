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
    vague: bool = False  # what the other side answers or does not; what is seen here says more
    certificates: bool | None = None  # only where these, or pre-shared keys, are what is shown


BLOCKED = "UDP 500 and 4500 may be blocked on the way, or its tunnel is not up"
REASONS = (
    Reason(
        r"received NO_PROPOSAL_CHOSEN notify error",
        "the other gateway refuses the first message: it knows none at this address, or has no"
        " proposal in common",
        vague=True,
    ),
    Reason(
        r"received NO_PROPOSAL_CHOSEN|no acceptable proposal found|no matching proposal found"
        r"|received proposals (?:un|in)acceptable|received INVALID_KE_PAYLOAD"
        r"|no acceptable DIFFIE_HELLMAN_GROUP found",
        "the two sides have no proposal in common: the other one offers other ciphers",
    ),
    Reason(
        r"no IKE config found for \S+?\.\.\.([^,\s]+)",
        "a gateway calls from {0}, which is not the address of the other site here",
    ),
    Reason(
        r"subject certificate invalid \(valid from (.+?) to (.+?)\)",
        "a certificate is not valid now: it holds from {0} to {1}",
    ),
    Reason(r"certificate was revoked on ([^,]+)", "the certificate was revoked on {0}"),
    Reason(
        r"no trusted .* public key found for '([^']*)'",
        "the other side shows a certificate, and this one has a pre-shared key",
        certificates=False,
    ),
    Reason(
        r"no shared key found for '([^']*)' - '([^']*)'",
        "the other side has a pre-shared key, and this one a certificate",
        certificates=True,
    ),
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
        r"no matching peer config found|looking for peer configs .* failed",
        "the other side shows an identity that is not expected here",
        weight=0,
    ),
    Reason(
        r"received TS_UNACCEPTABLE|traffic selectors .* unacceptable|no matching CHILD_SA config",
        "the two sides name other networks: both need the same `networks`",
    ),
    Reason(
        r"error installing route with policy (\S+) ===",
        "no way into the tunnel could be made for {0}: this gateway has no address in it",
    ),
    Reason(
        r"received AUTHENTICATION_FAILED",
        "the other side refuses: to it our key, certificate or identity is wrong",
        vague=True,
    ),
    Reason(r"received DELETE for IKE_SA", "the other gateway has ended the tunnel", vague=True),
    Reason(
        r"(?:peer not responding|giving up after \d+ retransmits)",
        f"the other gateway does not answer: {BLOCKED}",
        vague=True,
    ),
    Reason(
        r"error writing to socket: (Network is unreachable|No route to host)",
        "there is no way to the other gateway: {0}",
    ),
)
OUTLASTS = 6  # attempts: the other side calls every ten seconds at least
_COMPILED = tuple((re.compile(reason.words), reason) for reason in REASONS)
_ATTEMPT = re.compile(r"initiating IKE_SA|is initiating an IKE_SA")
# What was before is over: a tunnel stands, or the daemon has just begun.
_BEGINS = re.compile(r"CHILD_SA \S+ established with SPIs|spawning \d+ worker threads")


def why(lines: Iterable[str], *, certificates: bool) -> str:
    """The reason of the last attempt since a tunnel stood; empty where none is known.

    Both sides try in turn: what is seen here of the other one's attempts outlasts what it answers
    to ours, for a while. `certificates`: they are shown, not pre-shared keys.
    """
    said: Reason | None = None
    text, attempt, attempts = "", False, 0
    for line in lines:
        if _BEGINS.search(line):
            said, text, attempt, attempts = None, "", False, 0
        elif _ATTEMPT.search(line):
            attempt, attempts = True, attempts + 1
        elif found := _found(line, certificates=certificates):
            known = said is not None and not said.vague and attempts <= OUTLASTS
            if said is None or _tells_more(found[0], said, attempt=attempt, known=known):
                (said, text), attempt, attempts = found, False, 0
    return text


def _tells_more(found: Reason, said: Reason, *, attempt: bool, known: bool) -> bool:
    if found.vague and known:
        return False
    return attempt or found.weight >= said.weight


def _found(line: str, *, certificates: bool) -> tuple[Reason, str] | None:
    """What a line says."""
    for pattern, reason in _COMPILED:
        if reason.certificates in {None, certificates} and (match := pattern.search(line)):
            return reason, reason.says.format(*(group or "" for group in match.groups()))
    return None
