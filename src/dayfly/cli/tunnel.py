"""The site-to-site tunnel: up, down, how it is, and what signs its certificates."""

import argparse
import getpass
import sys
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

from dayfly.cli.commands import Commands, Run
from dayfly.cli.output import clean, paint, remark, say, say_json
from dayfly.cli.session import Session
from dayfly.errors import DayflyError

if TYPE_CHECKING:
    from dayfly.config.home import Home
    from dayfly.tunnel.observed import Status

LONGEST_CAPTURE = 3600.0


def _told(run: Run) -> Run:
    """The command, for who is not root, too: what only root may is said in a line."""

    @wraps(run)
    def told(session: Session, **arguments: object) -> int:
        from dayfly.cli.tunnelled import as_far_as_allowed  # noqa: PLC0415 - it needs more

        with as_far_as_allowed():
            return run(session, **arguments)

    return told


def declare(commands: Commands) -> None:
    tunnel = commands.add_group("tunnel", "The site-to-site tunnel: IPsec to the other site.")
    up_ = tunnel.add("up", up, "Bring this gateway's side up; it stays up by itself.")
    up_.add_argument("--systemd", action="store_true", help="as a unit of systemd, also at boot")
    down_ = tunnel.add("down", down, "Bring it down: routes and firewall are as they were.")
    down_.add_argument(
        "--closed", action="store_true", help="keep what lets nothing leave for the other site"
    )
    tunnel.add_reader("status", status, "What is established, traffic, round trip; why it is down.")
    tunnel.add_reader("check", check, "Does a packet for the other site really leave encrypted?")
    capture_ = tunnel.add("capture", capture, "Record the tunnel's packets, as pcap.")
    capture_.add_argument("file", metavar="FILE", type=Path)
    capture_.add_argument(
        "--seconds", type=_seconds, default=10.0, metavar="N", help="for so long (10)"
    )
    conf_ = tunnel.add("conf", conf, "Print swanctl.conf, for a peer without Dayfly.")
    conf_.add_argument("site", nargs="?", metavar="SITE", help="of which site (the other one)")
    certificate_ = tunnel.add(
        "certificate", certificate, "Write a site's key and certificate, signed by our own CA."
    )
    revoke_ = tunnel.add("revoke", revoke, "Revoke all certificates of a site, wherever they are.")
    for parser in (certificate_, revoke_):
        parser.add_argument("site", metavar="SITE")
    revoke_.add_argument(
        "--keep-newest", action="store_true", help="all but the one that was written last"
    )
    tunnel.add("key", key, "Store the pre-shared key, which is read from standard input.")


@_told
def up(session: Session, *, systemd: bool) -> int:
    """Exit status 1 when the other site does not answer yet."""
    from dayfly.config.home import create  # noqa: PLC0415 - heavy, and only needed here
    from dayfly.environment import units  # noqa: PLC0415
    from dayfly.environment.gateway import start_keeper  # noqa: PLC0415
    from dayfly.tunnel import lifetime  # noqa: PLC0415
    from dayfly.tunnel.host import require_root  # noqa: PLC0415

    require_root()
    home = session.home()
    if systemd:
        units.require()
    create(home)
    found = lifetime.up(
        home, start=lambda: start_keeper(home, systemd=systemd), unit=systemd, say=say
    )
    if not found.is_up:
        hint = "It goes on trying. `dayfly tunnel status` tells how it is."
        raise DayflyError(f"The tunnel to {found.there} is not up yet: {found.reason}", hint=hint)
    say(*_lines(found))
    return 0


@_told
def down(session: Session, *, closed: bool) -> int:
    from dayfly.environment.gateway import end  # noqa: PLC0415
    from dayfly.tunnel.host import require_root  # noqa: PLC0415

    require_root()
    home = session.home()
    if not end(home, closed=closed):
        say("There is no tunnel to bring down.")
    elif closed:
        say("The tunnel is down. Nothing for the other site leaves this machine.")
    else:
        say("The tunnel is down; routes and firewall are as they were before.")
    return 0


@_told
def status(session: Session, *, json: bool) -> int:
    """Exit status 1 when it is not established."""
    from dayfly.tunnel.place import Place  # noqa: PLC0415
    from dayfly.tunnel.status import status_of  # noqa: PLC0415

    home = session.home()
    found = status_of(home, Place(home.tunnel))
    if json:
        say_json(asdict(found))
    else:
        say(*_lines(found))
    return 0 if found.is_up else 1


@_told
def check(session: Session, *, json: bool) -> int:
    from dayfly.tunnel.check import check as checked  # noqa: PLC0415

    found = checked(session.home())
    if json:
        say_json({**asdict(found), "good": found.good})
    else:
        say(paint("good" if found.good else "bad", clean(found.sentence())))
    return 0 if found.good else 1


@_told
def capture(session: Session, *, file: Path, seconds: float) -> int:
    from dayfly.tunnel.check import capture as captured  # noqa: PLC0415
    from dayfly.tunnel.packets import summary  # noqa: PLC0415

    kinds = captured(session.home(), file, seconds)
    say(f"{clean(str(file))}: {summary(kinds)}")
    return 1 if kinds["clear"] else 0


@_told
def conf(session: Session, *, site: str | None) -> int:
    from dayfly.tunnel.prepared import read_aws_file, tunnel_of  # noqa: PLC0415
    from dayfly.tunnel.written import swanctl  # noqa: PLC0415

    home = session.home()
    declared = tunnel_of(home)
    text = swanctl(declared, site or declared.there, lambda f: read_aws_file(home.path / f))
    say(*text.rstrip("\n").split("\n"))
    return 0


@_told
def certificate(session: Session, *, site: str) -> int:
    from dayfly.durable import write_atomically  # noqa: PLC0415
    from dayfly.tunnel.authority import Authority  # noqa: PLC0415
    from dayfly.tunnel.credentials import today  # noqa: PLC0415
    from dayfly.tunnel.place import Place  # noqa: PLC0415

    home = session.home()
    place, identity = Place(home.tunnel), _identity(home, site)
    place.make()
    authority = Authority(place.authority)
    if not authority.exists:
        remark(f"A new CA is made: {place.authority} stays on this machine, and is worth a backup.")
    pem = authority.issue(identity, site=site, now=today())
    write_atomically(place.credentials(site), pem)
    what = f"the key and certificate of {clean(site)}; nobody else may have it."
    say(f"{place.credentials(site)}: {what}")
    return 0


@_told
def revoke(session: Session, *, site: str, keep_newest: bool) -> int:
    from dayfly.tunnel.authority import Authority  # noqa: PLC0415
    from dayfly.tunnel.credentials import today  # noqa: PLC0415
    from dayfly.tunnel.place import Place  # noqa: PLC0415

    home = session.home()
    place, identity = Place(home.tunnel), _identity(home, site)
    authority = Authority(place.authority)
    if not authority.exists:
        raise DayflyError(f"{place.authority}: there is no CA here that could revoke anything")
    file = place.credentials(site)
    found = authority.issued(site, identity=identity, now=today(), file=file)
    chosen = found[:-1] if keep_newest else found
    place.make()
    authority.revoke([each.serial for each in chosen], place.revoked, now=today())
    if not chosen:
        say(f"{place.revoked}: nothing was added; no other certificate of {clean(site)} holds.")
        return 0
    say(
        f"{place.revoked}: revoked of {clean(site)}:",
        *(f"  the certificate {each.shown}" for each in chosen),
        "Copy it to the other gateway; `dayfly tunnel up` there applies it.",
    )
    return 0


@_told
def key(session: Session) -> int:
    """Never from the command line, where other users of the machine could read it."""
    from dayfly.config.home import create  # noqa: PLC0415
    from dayfly.config.names import OPERATOR  # noqa: PLC0415
    from dayfly.config.secrets import Secrets  # noqa: PLC0415
    from dayfly.tunnel.prepared import tunnel_of  # noqa: PLC0415

    home = session.home()
    name = tunnel_of(home).secret
    if name is None:
        raise DayflyError("[tunnel] names no `secret`: the sites use certificates")
    if sys.stdin.isatty():
        value = getpass.getpass("Pre-shared key (not shown): ")
    else:
        value = sys.stdin.read().removesuffix("\n").removesuffix("\r")
    if len(value) < SHORTEST_KEY:
        raise DayflyError(
            f"a pre-shared key needs {SHORTEST_KEY} characters or more",
            hint="head -c 32 /dev/urandom | base64 | dayfly tunnel key",
        )
    create(home)
    Secrets(home.secrets).set(OPERATOR, name, value)
    say(f"{clean(name)} is set; the other gateway needs the same.")
    return 0


SHORTEST_KEY = 20


def _identity(home: "Home", site: str) -> str:
    from dayfly.tunnel.prepared import tunnel_of  # noqa: PLC0415

    sites = tunnel_of(home).site
    if site not in sites:
        raise DayflyError(f"{site}: no such site; there are {' and '.join(sites)}")
    return sites[site].identity or site


def _lines(found: "Status") -> list[str]:
    from dayfly.cli.tunnelled import status_lines  # noqa: PLC0415

    return status_lines(found)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= LONGEST_CAPTURE:
        raise argparse.ArgumentTypeError(f"{text}: allowed are 1 to {LONGEST_CAPTURE:g} seconds")
    return seconds
