"""What lets nothing leave in clear: as values, as a script for a boot, and what is gone of it."""

import subprocess
from ipaddress import ip_network
from pathlib import Path

import pytest

from dayfly.tunnel.changes import Change, changes, missing, script
from dayfly.tunnel.way import gone
from gateways import need_strongswan

THEIRS = (ip_network("10.2.0.0/16"), ip_network("fd00:2::/48"), ip_network("192.0.2.9/32"))
RULES = "table inet dayfly_tunnel {\n  chain leaving { }\n}\n"


def wanted(rules: Path = Path("/x.nft")) -> tuple[Change, ...]:
    return changes(THEIRS, rules)


def test_a_shell_puts_all_of_it_in_place_again_and_again(tmp_path: Path) -> None:
    need_strongswan()
    rules, closed = tmp_path / "a b.nft", tmp_path / "closed.sh"
    rules.write_text(RULES)
    closed.write_text(script(wanted(rules)))
    shows = {change.show: " ".join(change.show) for change in wanted()}
    story = f"ip link set lo up; for i in 1 2; do sh '{closed}' || exit; done"
    seen = [
        subprocess.run(
            ["unshare", "--net", "sh", "-c", f"{story}; {show}"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for show in shows.values()
    ]

    assert missing(wanted(), dict(zip(shows, seen, strict=True))) == []


def test_what_is_not_shown_is_gone() -> None:
    listings = {change.show: "" for change in wanted()}
    listings["ip", "-4", "rule", "show", "priority", "2"] = "2: from all to 10.2.0.0/16 blackhole"

    assert [each.what for each in missing(wanted(), listings)] == [
        "the firewall's table of the tunnel",
        "the blackhole route of 10.2.0.0/16",
        "the blackhole route of fd00:2::/48",
        "the blackhole route of 192.0.2.9/32",
        "the blackhole rule of fd00:2::/48",
        "the blackhole rule of 192.0.2.9/32",
    ]


ONE, OTHER = "10.2.0.0/16 dev ipsec0 src 10.1.0.1", "10.3.0.0/16 dev ipsec0 src 10.1.0.1"


@pytest.mark.parametrize(
    ("before", "there", "expected"),
    [
        ("", ONE, []),
        (ONE, ONE, []),
        (f"{ONE}\n{OTHER}", ONE, [OTHER]),
        (ONE, "", [ONE]),
        (ONE, "10.2.0.0/16 dev ipsec0 src 10.1.0.77", []),  # another way was meant
    ],
)
def test_a_route_is_gone_when_its_network_has_none(
    before: str, there: str, expected: list[str]
) -> None:
    assert gone(before, there) == expected
