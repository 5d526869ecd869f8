"""Make an environment elsewhere known: how its server is reached, its token, who signs for it."""

import getpass
import re
import sys
from pathlib import Path

from dayfly.cli.output import ask, clean, is_terminal, remark, say, say_json
from dayfly.cli.session import Session
from dayfly.cli.ssh import LOGIN, ssh_of, way_of
from dayfly.client import Client, authority_at
from dayfly.config.contexts import Context, contexts_file, is_server, own_context, remember
from dayfly.errors import DayflyError, UsageError
from dayfly.hosts.offer import offer
from dayfly.tunnel import authority
from dayfly.way import unprotected

CHARACTERS = 16  # of a fingerprint that a person has to compare at least
SSH = "ssh://"
COMPARED = "`dayfly login` on its own machine tells it."
_LOOKS_LIKE = "an address looks like https://10.2.0.10:8081 or ssh://deploy@10.8.0.5"


def login(  # noqa: PLR0913 - the options of one command
    session: Session,
    *,
    address: str | None,
    fingerprint: str | None,
    home: str,
    in_clear: bool,
    ssh_config: Path | None,
    json: bool,
) -> int:
    """The token is sent only to who proved the right one."""
    if (home or ssh_config) and not (address or "").startswith(SSH):
        raise UsageError("--home and --ssh-config belong to an address that begins with ssh://")
    if address is None:
        return _offer(session, json=json)
    if address.startswith(SSH):
        found = _by_ssh(address.removeprefix(SSH), fingerprint, home, ssh_config)
    else:
        found = _by_network(address.rstrip("/"), fingerprint, unencrypted=in_clear)
    remember(found, contexts_file())
    if json:
        say_json({"environment": found.name})
    else:
        say(f"{clean(found.name)} is known: `dayfly -e {clean(found.name)} status`.")
    return 0


def _by_network(address: str, fingerprint: str | None, *, unencrypted: bool) -> Context:
    """The token is read from standard input."""
    if not is_server(address):
        raise UsageError(f"{address}: {_LOOKS_LIKE}")
    if fingerprint is not None:
        fingerprint = fingerprint.replace(":", "").lower()
        if not re.fullmatch(rf"[0-9a-f]{{{CHARACTERS},}}", fingerprint):
            says = "allowed are 16 and more hexadecimal digits of it"
            raise UsageError(f"--fingerprint {fingerprint}: {says}", hint=COMPARED)
    if address.lower().startswith("https:"):
        ca = _trusted(address, fingerprint)
    else:
        _allow_http(address, fingerprint, unencrypted=unencrypted)
        ca = ""
    token = _token()
    return Context(name=_name(Client(address, token, called="The server", ca=ca)),
                   address=address, token=token, ca=ca)  # fmt: skip


def _allow_http(address: str, fingerprint: str | None, *, unencrypted: bool) -> None:
    if fingerprint is not None:
        says = f"{address}: http:// has no certificate that a fingerprint could be compared with"
        raise UsageError(says, hint="`tls = true` in [api] of environment.toml there gives it one.")
    if unprotected(address) and not unencrypted:
        says = f"{address}: the token would go there in clear, now and with every command"
        hint = "`tls = true` in [api] of environment.toml there encrypts it; a network that nobody"
        raise UsageError(says, hint=f"{hint} else is in may have --in-clear.")


def _by_ssh(host: str, fingerprint: str | None, home: str, config: Path | None) -> Context:
    """Its own Dayfly tells address and token, to whoever may read them there."""
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
    own, home = own_context(session.home()), session.home()
    if json:
        told = {"environment": own.name, "address": own.address, "token": own.token, "ca": own.ca}
        say_json(told)
        return 0
    shown = f" --fingerprint {authority.fingerprint(own.ca)}" if own.ca else ""
    shown += " --in-clear" if unprotected(own.address) else ""
    say(f"dayfly login {clean(own.address)}{shown} < token", f"The token is in {home.token_file}.")
    return 0


def _trusted(address: str, wanted: str | None) -> str:
    """The CA's certificate; empty where the system knows who signed, and nothing was to compare."""
    told = authority_at(address)
    if not told.strip():
        if wanted is not None:
            raise DayflyError(
                f"{address}: it tells no CA that --fingerprint could be compared with"
            )
        return ""
    try:
        ca = authority.single(told)
    except ValueError as error:
        raise DayflyError(f"{address}: what answers there is no server of Dayfly") from error
    found = authority.fingerprint(ca)
    if wanted is not None:
        if not found.startswith(wanted):
            raise DayflyError(
                f"{address}: another CA than expected answers; its fingerprint is {found}",
                hint=f"Somebody may be in between. {COMPARED}",
            )
        return ca
    if not is_terminal():
        raise UsageError("Name the fingerprint of its CA with --fingerprint.", hint=COMPARED)
    question = f"The CA of {clean(address)} is {found}. Is it the right one? (yes)"
    if ask(question) != "yes":
        raise DayflyError("Nothing was kept, and no token was sent.")
    return ca


def _token() -> str:
    """Never from the command line, where other users of the machine could read it."""
    if sys.stdin.isatty():
        told = getpass.getpass("Token of the environment (not shown): ")
    else:
        told = sys.stdin.read()
    token = told.strip()
    if not (token.isascii() and token.isprintable()) or len(token.split()) != 1:
        what = "no token" if not token else "something else than one token"
        raise UsageError(f"{what} was given on standard input", hint="The token is one word.")
    return token
