"""What strongSwan logs, in plain words."""

import pytest

from dayfly.tunnel.reasons import why

ESTABLISHED = "10[IKE] <production|1> CHILD_SA production{1} established with SPIs c1_i c2_o"
NO_ANSWER = "01[IKE] <production|1> giving up after 4 retransmits"
OURS = "01[IKE] <dev|1> initiating IKE_SA dev[1] to 192.0.2.99"
THEIRS = "16[IKE] <14> 198.51.100.2 is initiating an IKE_SA"
REFUSED = "05[IKE] <production|13> received AUTHENTICATION_FAILED notify error"
OTHER_KEY = "05[IKE] <p|2> tried 1 shared key for 'production' - 'dev', but MAC mismatched"
UNKNOWN = [OURS, "no IKE config found for 198.51.100.2...192.0.2.2, sending NO_PROPOSAL_CHOSEN"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (
            "received NO_PROPOSAL_CHOSEN notify error",
            "it knows none at this address, or has no proposal in common",
        ),
        (
            "received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built",
            "the two sides have no proposal in common",
        ),
        ("received proposals unacceptable", "the two sides have no proposal in common"),
        (
            "no IKE config found for 198.51.100.2...192.0.2.2, sending NO_PROPOSAL_CHOSEN",
            "a gateway calls from 192.0.2.2, which is not the address of the other site here",
        ),
        ("received AUTHENTICATION_FAILED notify error", "the other side refuses"),
        (
            "tried 1 shared key for 'production' - 'dev', but MAC mismatched",
            "the pre-shared key of the two sides is not the same",
        ),
        (
            "subject certificate invalid (valid from Nov 01 10:00:00 2020 to Nov 01 10:00:00 2021)",
            "it holds from Nov 01 10:00:00 2020 to Nov 01 10:00:00 2021",
        ),
        (
            "certificate was revoked on Nov 27 13:46:07 UTC 2026, reason: unspecified",
            "the certificate was revoked on Nov 27 13:46:07 UTC 2026",
        ),
        (
            "no trusted ECDSA public key found for 'production'",
            "the certificate of production is not signed by the CA",
        ),
        (
            'no issuer certificate found for "C=AT, CN=dev"',
            "the certificate of dev is not signed by the CA",
        ),
        (
            "constraint check failed: identity 'production' required ",
            "wrong identity: production was expected",
        ),
        ("received TS_UNACCEPTABLE notify, no CHILD_SA built", "name other networks"),
        (
            "error installing route with policy 10.77.0.0/16 === 10.1.0.0/16 out",
            "no way into the tunnel could be made for 10.77.0.0/16",
        ),
        ("giving up after 4 retransmits", "does not answer: UDP 500 and 4500 may be blocked"),
        ("peer not responding, trying again (2/0)", "does not answer"),
        ("error writing to socket: Network is unreachable", "no way to the other gateway"),
        ("received DELETE for IKE_SA production[1]", "the other gateway has ended the tunnel"),
        ("no matching peer config found", "an identity that is not expected here"),
        ("something that nobody knows", ""),
    ],
)
def test_a_line_says_why(line: str, says: str) -> None:
    found = why([f"2026-11-27T13:46:07+0000 10[CFG] <production|1> {line}"], certificates=True)

    assert says in found if says else found == ""


@pytest.mark.parametrize(
    ("line", "keys", "certificates"),
    [
        (
            "no shared key found for 'a' - 'b'",
            "there is no pre-shared key for a and b",
            "the other side has a pre-shared key, and this one a certificate",
        ),
        (
            "no trusted ECDSA public key found for 'b'",
            "the other side shows a certificate, and this one has a pre-shared key",
            "the certificate of b is not signed by the CA",
        ),
    ],
)
def test_what_a_line_says_depends_on_what_is_shown_here(
    line: str, keys: str, certificates: str
) -> None:
    assert keys in why([line], certificates=False)
    assert certificates in why([line], certificates=True)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([NO_ANSWER, ESTABLISHED], ""),
        ([NO_ANSWER, "00[JOB] spawning 16 worker threads"], ""),
        ([ESTABLISHED, NO_ANSWER], "does not answer"),
        ([NO_ANSWER, "received NO_PROPOSAL_CHOSEN notify error"], "no proposal in common"),
        ([*UNKNOWN, OURS, NO_ANSWER, OURS, NO_ANSWER], "a gateway calls from 192.0.2.2"),
        ([*UNKNOWN, *[OURS, NO_ANSWER] * 7], "does not answer"),
        ([REFUSED, THEIRS, OTHER_KEY, OURS, REFUSED], "pre-shared key of the two sides"),
        ([THEIRS, OTHER_KEY, *UNKNOWN], "a gateway calls from 192.0.2.2"),
        (
            ["no trusted RSA public key found for 'x'", "no matching peer config found"],
            "the certificate of x is not signed",
        ),
    ],
)
def test_the_last_word_counts_that_says_something(lines: list[str], says: str) -> None:
    found = why(lines, certificates=True)

    assert says in found if says else found == ""
