"""Tokens for those who send records from elsewhere."""

from dayfly.cli.commands import Commands
from dayfly.cli.output import cleaned, say, say_json, table
from dayfly.cli.session import Session
from dayfly.client import part

SCOPES = ("logs:write",)  # as `logs.tokens` knows them


def declare(commands: Commands) -> None:
    token = commands.add_group("token", "Who may send records.")
    create_ = token.add("create", create, "Print a token that is told this once.")
    create_.add_argument("name", metavar="NAME", help="of whoever will use it")
    create_.add_argument(
        "--scope", required=True, choices=SCOPES, help="logs:write: send records, ask nothing"
    )
    token.add_reader("ls", listed, "Names and scopes; tokens are never shown.")
    revoke_ = token.add("revoke", revoke, "Take a token back, at once.")
    revoke_.add_argument("name", metavar="NAME")


def create(session: Session, *, name: str, scope: str) -> int:
    made = session.client().post("/api/tokens", {"name": name, "scope": scope})
    say(*cleaned([made["token"]]))
    return 0


def listed(session: Session, *, json: bool) -> int:
    found = session.client().get("/api/tokens")
    if json:
        say_json(found)
    elif found:
        rows = [(each["name"], each["scope"], each["created"]) for each in cleaned(found)]
        say(*table(rows, head=("name", "scope", "created")))
    return 0


def revoke(session: Session, *, name: str) -> int:
    session.client().delete(f"/api/tokens/{part(name)}")
    say(*cleaned([f"{name} is revoked."]))
    return 0
