"""Make an environment elsewhere known: its address, its token, and who signs its certificate."""

import getpass
import sys
from urllib.parse import urlsplit

from dayfly.cli.commands import Commands
from dayfly.cli.output import ask, clean, is_terminal, say
from dayfly.cli.session import Session
from dayfly.client import Client, authority_at
from dayfly.errors import DayflyError, UsageError

CHARACTERS = 16  # of a fingerprint that a person has to compare at least


def declare(commands: Commands) -> None:
    login_ = commands.add(
        "login", login, "Keep the address and token of an environment elsewhere, for -e NAME."
    )
    login_.add_argument(
        "address",
        nargs="?",
        metavar="ADDRESS",
        help="like https://10.2.0.10:8081; without it: what to type elsewhere to reach this one",
    )
    login_.add_argument(
        "--fingerprint", metavar="HEX", help="of the CA, as the operator of the environment tells"
    )


def login(session: Session, *, address: str | None, fingerprint: str | None) -> int:
    """The token is read from standard input, and sent only to who proved the right one."""
    from dayfly.config.contexts import Context, contexts_file, remember  # noqa: PLC0415

    if address is None:
        return _offer(session)
    address = address.rstrip("/")
    scheme = urlsplit(address).scheme
    if scheme not in {"http", "https"}:
        raise UsageError(f"{address}: an address looks like https://10.2.0.10:8081")
    ca = _trusted(address, fingerprint) if scheme == "https" else ""
    token = _token()
    found = Client(address, token, environment="", called="The server", ca=ca).get("/api/status")
    name = str(found["environment"])
    remember(Context(name=name, address=address, token=token, ca=ca), contexts_file())
    say(f"{clean(name)} is known: `dayfly -e {clean(name)} status`.")
    return 0


def _offer(session: Session) -> int:
    """On the machine of the environment itself."""
    from dayfly.config.contexts import own_context  # noqa: PLC0415
    from dayfly.tunnel.authority import fingerprint  # noqa: PLC0415

    own, home = own_context(session.home()), session.home()
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
