"""What the application may know: values that only its machines see."""

import getpass
import sys
from difflib import get_close_matches

from dayfly.cli.commands import Commands, for_app
from dayfly.cli.output import clean, cleaned, say, say_json
from dayfly.cli.session import Session
from dayfly.client import Client, part
from dayfly.config.names import OPERATOR


def declare(commands: Commands) -> None:
    secret = commands.add_group("secret", "What the application may know.")
    set_ = secret.add("set", put, "Set a secret; its value is read from standard input.")
    set_.add_argument("name", metavar="NAME", help="as machines see it, like DATABASE_URL")
    ls = secret.add_reader("ls", names, "The names; values are never shown.")
    rm = secret.add("rm", remove, "Remove a secret.")
    rm.add_argument("name", metavar="NAME")
    for parser in (set_, ls, rm):
        for_app(parser)


def put(session: Session, *, name: str) -> int:
    """Never from the command line, where other users of the machine could read it."""
    client = session.client()
    path = f"{_path(session, client)}/{part(name)}"
    if sys.stdin.isatty():
        value = getpass.getpass(f"Value of {name} (not shown): ")
    else:
        value = sys.stdin.read().removesuffix("\n")
    client.put(path, value)
    if session.named_app == OPERATOR:
        say(f"{clean(name)} is set, for what environment.toml names it for.")
        return 0
    say(f"{clean(name)} is set; machines of the next release will see it.")
    if session.named_app:
        _note_unknown(client, session.named_app)
    return 0


def names(session: Session, *, json: bool) -> int:
    client = session.client()
    found = client.get(_path(session, client))
    if json:
        say_json(found)
    else:
        say(*cleaned(found))
    return 0


def remove(session: Session, *, name: str) -> int:
    client = session.client()
    client.delete(f"{_path(session, client)}/{part(name)}")
    if session.named_app == OPERATOR:
        say(f"{clean(name)} is removed; what names it in environment.toml misses it.")
        return 0
    say(f"{clean(name)} is removed; machines that run keep it until they are retired.")
    return 0


def _note_unknown(client: Client, app: str) -> None:
    """A secret may come before the first release, or under a name that was mistyped."""
    known = [str(entry["app"]) for entry in client.get("/api/status")["apps"]]
    if app not in known:
        near = get_close_matches(app, known, 1)
        meant = f"; did you mean {near[0]}?" if near else "."
        say(clean(f"note: nothing of {app} has been released yet{meant}"))


def _path(session: Session, client: Client) -> str:
    return f"/api/apps/{part(session.app(client))}/secrets"
