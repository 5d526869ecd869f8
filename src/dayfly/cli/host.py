"""Hosts by configuration management: a bare Debian becomes one, restarts, and is bare again."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dayfly.cli.commands import Commands, words
from dayfly.cli.output import clean, paint, remark, say, say_json
from dayfly.cli.session import Session
from dayfly.cli.ssh import HOST, declare_config, ssh_of
from dayfly.errors import UsageError
from dayfly.shown import duration

if TYPE_CHECKING:
    from dayfly.hosts.making import Made, Person

REBOOT_SECONDS = 600.0


def declare(commands: Commands) -> None:
    host = commands.add_group("host", "Hosts: a bare Debian becomes one, over ssh.")
    add_ = host.add_reader("add", add, "Make a host of a Debian 12 or 13.")
    remove_ = host.add_reader("remove", remove, "Take from a host what `add` brought.")
    reboot_ = host.add("reboot", reboot, "Restart a host, and wait until it is back.")
    for parser in (add_, remove_, reboot_):
        parser.add_argument("address", metavar="[USER@]HOST[:PORT]", help="as ssh reaches it")
        declare_config(parser)
    for parser in (add_, remove_):
        parser.add_argument(
            "--check", action="store_true", help="only tell what would change; exit status 1 if any"
        )
    add_.add_argument(
        "--fingerprint", type=words, metavar="SHA256:…",
        help="of the host's key, which was compared there: it is known from then on",
    )  # fmt: skip
    add_.add_argument(
        "--settings", type=Path, metavar="FILE", help="environment.toml of what it is to run"
    )
    add_.add_argument(
        "--open", dest="ports", action="append", default=[], metavar="PORT[/udp]",
        help="let in by the firewall, besides ssh, 80 and 443",
    )  # fmt: skip
    add_.add_argument(
        "--person", action="append", default=[], metavar="NAME=FILE",
        help="who may log in and become root, with the public key in FILE",
    )  # fmt: skip
    reboot_.add_argument(
        "--downtime", action="store_true", help="although an environment there serves"
    )
    reboot_.add_argument(
        "--seconds", type=float, default=REBOOT_SECONDS, metavar="N",
        help="to wait for it, at most (600)",
    )  # fmt: skip


def add(  # noqa: PLR0913 - each is an option
    _session: Session,
    *,
    address: str,
    ssh_config: Path | None,
    check: bool,
    fingerprint: str | None,
    settings: Path | None,
    ports: Sequence[str],
    person: Sequence[str],
    json: bool,
) -> int:
    from dayfly.hosts import making  # noqa: PLC0415 - heavy, and only needed here
    from dayfly.hosts.address import opening_of  # noqa: PLC0415

    ssh = ssh_of(address, ssh_config, typed=HOST)
    openings = [opening_of(each) for each in ("80", "443", *ports)]
    wanted = making.Wanted(
        openings=list(dict.fromkeys(openings)),
        people=[_person(each) for each in person],
        settings=_settings(settings),
    )
    if fingerprint:
        file = ssh.trust(fingerprint)
        remark(f"the key of {address} is in {file}")
    made = making.add(ssh, wanted, check=check, say=_progress(json=json))
    return _told(made, address, check=check, json=json)


def remove(
    _session: Session, *, address: str, ssh_config: Path | None, check: bool, json: bool
) -> int:
    from dayfly.hosts import making  # noqa: PLC0415

    made = making.remove(
        ssh_of(address, ssh_config, typed=HOST), check=check, say=_progress(json=json)
    )
    return _told(made, address, check=check, json=json)


def reboot(
    _session: Session, *, address: str, ssh_config: Path | None, downtime: bool, seconds: float
) -> int:
    from dayfly.hosts import rebooting  # noqa: PLC0415

    back = rebooting.reboot(
        ssh_of(address, ssh_config, typed=HOST), downtime=downtime, seconds=seconds, say=say
    )
    serves = ", and serves" if back.serves else ""
    say(f"{clean(address)} is back after {duration(back.seconds)}{serves}")
    return 0


def _progress(*, json: bool) -> Callable[[str], None]:
    return remark if json else (lambda line: say(paint("dim", clean(line))))


def _told(made: "Made", address: str, *, check: bool, json: bool) -> int:
    if json:
        say_json({"host": address, "check": check, "changed": made.changed, "notes": made.notes})
        return 1 if check and made.changed else 0
    word = "would change" if check else "changed"
    say(*(f"{word}: {clean(task)}" for task in made.changed))
    if not made.changed:
        say(f"{clean(address)} is as it should be: nothing {word}")
    say(*(f"note: {clean(note)}" for note in made.notes))
    return 1 if check and made.changed else 0


def _settings(file: Path | None) -> Path | None:
    """Read here, so that what is wrong with them is told before the host is touched."""
    from dayfly.config.load import load_environment  # noqa: PLC0415

    if file is None:
        return None
    try:
        load_environment(file.read_text(), file=str(file))
    except OSError as error:
        raise UsageError(f"--settings {file}: {error.strerror}") from error
    return file


def _person(text: str) -> "Person":
    from dayfly.hosts.making import Person, person_problem  # noqa: PLC0415

    name, _, file = text.partition("=")
    try:
        keys = Path(file).read_text() if file else ""
    except OSError as error:
        raise UsageError(f"--person {text}: {error.strerror}") from error
    if says := person_problem(name, keys):
        raise UsageError(f"--person {text}: {says}", hint="Such as ana=ana.pub")
    return Person(name=name, keys=keys)
