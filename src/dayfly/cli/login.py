"""Make an environment elsewhere known: how its server is reached, its token, who signs for it."""

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dayfly.cli.commands import Commands
from dayfly.cli.output import ask, clean, is_terminal, remark, say, say_json
from dayfly.cli.session import Session
from dayfly.cli.ssh import LOGIN, declare_config, ssh_of, way_of
from dayfly.client import Client, authority_at
from dayfly.errors import DayflyError, UsageError

if TYPE_CHECKING:
    from dayfly.config.contexts import Context

CHARACTERS = 16  # of a fingerprint that a person has to compare at least
SSH = "ssh://"
_LOOKS_LIKE = "an address looks like https://10.2.0.10:8081 or ssh://deploy@10.8.0.5"


def declare(commands: Commands) -> None:
    login_ = commands.add_reader(
        "login", login, "Keep the address and token of an environment elsewhere, for -e NAME."
    )
    login_.add_argument(
        "address",
        nargs="?",
        metavar="ADDRESS",
        help="like https://10.2.0.10:8081, or ssh://deploy@10.8.0.5 where only ssh is let in;"
        " without it: what to type elsewhere to reach this one, with --json its token too",
    )
    login_.add_argument(
        "--fingerprint", metavar="HEX",
        help="of the CA, as the operator of the environment tells; with ssh:// SHA256:… of the"
        " host's key, which was compared there",
    )  # fmt: skip
    login_.add_argument(
        "--home", default="", metavar="DIR",
        help="with ssh://: DAYFLY_HOME there, where it is not the usual one",
    )  # fmt: skip
    declare_config(login_)


def login(
    session: Session,
    *,
    address: str | None,
    fingerprint: str | None,
    home: str,
    ssh_config: Path | None,
    json: bool,
) -> int:
    """The token is sent only to who proved the right one."""
    from dayfly.config.contexts import contexts_file, remember  # noqa: PLC0415

    if (home or ssh_config) and not (address or "").startswith(SSH):
        raise UsageError("--home and --ssh-config belong to an address that begins with ssh://")
    if address is None:
        return _offer(session, json=json)
    if address.startswith(SSH):
        found = _by_ssh(address.removeprefix(SSH), fingerprint, home, ssh_config)
    else:
        found = _by_network(address.rstrip("/"), fingerprint)
    remember(found, contexts_file())
    if json:
        say_json({"environment": found.name})
    else:
        say(f"{clean(found.name)} is known: `dayfly -e {clean(found.name)} status`.")
    return 0


def _by_network(address: str, fingerprint: str | None) -> "Context":
    """The token is read from standard input."""
    from dayfly.config.contexts import Context  # noqa: PLC0415

    scheme = urlsplit(address).scheme
    if scheme not in {"http", "https"}:
        raise UsageError(f"{address}: {_LOOKS_LIKE}")
    ca = _trusted(address, fingerprint) if scheme == "https" else ""
    token = _token()
    return Context(name=_name(Client(address, token, called="The server", ca=ca)),
                   address=address, token=token, ca=ca)  # fmt: skip


def _by_ssh(host: str, fingerprint: str | None, home: str, config: Path | None) -> "Context":
    """Its own Dayfly tells address and token, to whoever may read them there."""
    from dayfly.config.contexts import Context  # noqa: PLC0415
    from dayfly.hosts.offer import offer  # noqa: PLC0415

    ssh = ssh_of(host.rstrip("/"), config, typed=LOGIN)
    if fingerprint:
        remark(f"the key of {clean(str(ssh.address))} is in {ssh.trust(fingerprint)}")
    told = offer(ssh, home)
    found = Context(
        name=told.environment, address=told.address, token=told.token, ca=told.ca,
        ssh=str(ssh.address), ssh_config=str(ssh.config or ""),
    )  # fmt: skip
    way = way_of(found)
    _name(Client(found.address, found.token, environment=found.name, ca=found.ca, way=way))
    return found


def _name(client: Client) -> str:
    """By which its server calls the environment."""
    return str(client.get("/api/status")["environment"])


def _offer(session: Session, *, json: bool) -> int:
    """On the machine of the environment itself."""
    from dayfly.config.contexts import own_context  # noqa: PLC0415
    from dayfly.tunnel.authority import fingerprint  # noqa: PLC0415

    own, home = own_context(session.home()), session.home()
    if json:
        told = {"environment": own.name, "address": own.address, "token": own.token, "ca": own.ca}
        say_json(told)
        return 0
    shown = f" --fingerprint {fingerprint(own.ca)}" if own.ca else ""
    say(f"dayfly login {clean(own.address)}{shown} < token", f"The token is in {home.token_file}.")
    return 0


def _trusted(address: str, wanted: str | None) -> str:
    """The CA's certificate; empty where the system knows who signed."""
    from dayfly.tunnel.authority import fingerprint  # noqa: PLC0415 - reads certificates

    ca = authority_at(address)
    if not ca:
        return ""
    try:
        found = fingerprint(ca)
    except ValueError as error:
        raise DayflyError(f"{address}: what answers there is no server of Dayfly") from error
    if wanted is not None:
        given = wanted.replace(":", "").lower()
        if len(given) < CHARACTERS or not found.startswith(given):
            raise DayflyError(
                f"{address}: another CA than expected answers; its fingerprint is {found}",
                hint="Somebody may be in between. `dayfly login` on its own machine tells it.",
            )
        return ca
    if not is_terminal():
        hint = "`dayfly login` on its own machine tells it."
        raise UsageError("Name the fingerprint of its CA with --fingerprint.", hint=hint)
    question = f"The CA of {clean(address)} is {found}. Is it the right one? (yes)"
    if ask(question) != "yes":
        raise DayflyError("Nothing was kept, and no token was sent.")
    return ca


def _token() -> str:
    """Never from the command line, where other users of the machine could read it."""
    if sys.stdin.isatty():
        return getpass.getpass("Token of the environment (not shown): ")
    return sys.stdin.read().strip()
