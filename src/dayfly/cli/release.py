"""Put a commit into production, watch it go there, go back."""

import getpass
import socket
from pathlib import Path
from typing import Any

from dayfly.cli.commands import Commands, for_app, release_number, words
from dayfly.cli.output import clean, say
from dayfly.cli.session import Session, app_of
from dayfly.client import Client, ClientError, part
from dayfly.errors import DayflyError, UsageError

_SHOWN = 10  # uncommitted paths in a message
_NEWEST = 0  # `--follow` without a number


def declare(commands: Commands) -> None:
    parser = commands.add("release", release, "Put a commit into production on fresh machines.")
    parser.add_argument("ref", nargs="?", default="HEAD", metavar="REF", help="a commit (HEAD)")
    for_app(parser)
    parser.add_argument(
        "--dirty", action="store_true", help="make a commit of uncommitted work and release that"
    )
    parser.add_argument("--queue", action="store_true", help="wait for a release that is under way")
    parser.add_argument(
        "--despite",
        type=words,
        metavar="REASON",
        help="release although the verdict on the database forbids it; the reason is kept",
    )
    downtime = parser.add_mutually_exclusive_group()
    downtime.add_argument(
        "--window",
        type=words,
        metavar="WHEN",
        help='allow downtime, and wait for it: "Sun 02:00-04:00", in the environment\'s time zone',
    )
    downtime.add_argument("--now", action="store_true", help="allow downtime now")
    parser.add_argument("--detach", action="store_true", help="do not wait for the end")
    parser.add_argument(
        "--follow",
        nargs="?",
        type=release_number,
        const=_NEWEST,
        metavar="N",
        help="start nothing: watch release N, or the newest one",
    )
    parser.add_argument(
        "--cancel",
        type=release_number,
        metavar="N",
        help="start nothing: stop release N, also one that waits for its window",
    )
    _declare_rollback(commands)


def _declare_rollback(commands: Commands) -> None:
    back = commands.add("rollback", rollback, "Traffic back to an earlier release.")
    for_app(back)
    back.add_argument(
        "--to", type=release_number, metavar="N", help="to release N (the one before)"
    )
    back.add_argument(
        "--accept-loss",
        type=words,
        metavar="REASON",
        help="go back although the database would lose what is named; the reason is kept",
    )
    back.add_argument("--detach", action="store_true", help="do not wait for the end")


def release(  # noqa: PLR0913 - the options of the command
    session: Session,
    *,
    ref: str,
    dirty: bool,
    queue: bool,
    despite: str | None,
    window: str | None,
    now: bool,
    detach: bool,
    follow: int | None,
    cancel: int | None,
) -> int:
    client = session.client()
    if cancel is not None:
        return _cancel(client, cancel)
    if follow is not None:
        return _follow(client, follow or _newest(client, session.named_app))
    checkout = session.checkout()
    app = app_of(checkout)
    if session.named_app and session.named_app != app:
        raise UsageError(f"This checkout is of {app}, not of {session.named_app}.")
    commit = sent(client, app, checkout, ref, dirty=dirty)
    wanted = {"app": app, "commit": commit, "who": who(), "queue": queue}
    wanted |= {"despite": despite or "", "window": window or "", "now": now}
    return _watched(client, client.post("/api/releases", wanted), detach=detach)


def _cancel(client: Client, number: int) -> int:
    """Followed to its end; 0 when it did not come through."""
    path = f"/api/releases/{number}"
    before = client.get(path)["outcome"]
    answer = client.post(f"{path}/stop", {"who": who(), "reason": ""})
    say(f"Release {number} is being stopped.")
    if before not in {"running", "waiting"}:
        return 0  # it serves: what it had left out is stopped, and no release ends
    _follow(client, number, int(answer.get("after", 0)))
    return int(client.get(path)["outcome"] in {"serving", "waiting"})


def rollback(session: Session, *, to: int | None, accept_loss: str, detach: bool) -> int:
    client = session.client()
    path = f"/api/apps/{part(session.app(client))}/rollback"
    answer = client.post(path, {"to": to, "who": who(), "accept_loss": accept_loss or ""})
    return _watched(client, answer, detach=detach)


def who() -> str:
    """The person, as the journal names them."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def sent(client: Client, app: str, checkout: Path, ref: str, *, dirty: bool) -> str:
    """Bring the commit to the server; returns its full id."""
    import tempfile  # noqa: PLC0415 - 16 ms that only a release has to pay

    from dayfly.images import bundle  # noqa: PLC0415 - only where source is sent

    changed = bundle.uncommitted(checkout)
    if dirty and ref != "HEAD":
        raise UsageError("--dirty releases what lies in the checkout, so it takes no REF.")
    if changed and dirty:
        ref = bundle.commit_dirty(checkout, f"Uncommitted work of {who()}")
    elif changed and ref == "HEAD":
        raise _uncommitted(changed)
    with tempfile.TemporaryDirectory(prefix="dayfly-") as folder:
        file = Path(folder, "source.bundle")
        known = _known(client, app)
        commit: str = bundle.bundle(checkout, ref, known, file)
        if commit not in known:
            client.upload(f"/api/sources/{part(app)}", file)
    return commit


def _known(client: Client, app: str) -> list[str]:
    """Commits that need not be sent again."""
    try:
        return [str(commit) for commit in client.get(f"/api/sources/{part(app)}")["commits"]]
    except ClientError as error:
        if error.status == 404:  # noqa: PLR2004 - its first release
            return []
        raise


def _uncommitted(changed: tuple[str, ...]) -> DayflyError:
    shown = ", ".join(changed[:_SHOWN]) + (" …" if len(changed) > _SHOWN else "")
    return DayflyError(
        f"There is uncommitted work: {shown}",
        hint="Commit it, or release with --dirty, which makes a commit of it beside your branch.",
    )


def _newest(client: Client, app: str | None) -> int:
    entries: list[dict[str, Any]] = client.get("/api/releases", app=app, limit=1)
    if not entries:
        raise DayflyError("There is no release to follow yet.")
    return int(entries[0]["release"])


def _watched(client: Client, answer: Any, *, detach: bool) -> int:  # noqa: ANN401 - JSON
    number = int(answer["release"])
    if detach:
        say(f"Release {number} is under way; `dayfly release --follow {number}` shows it.")
        return 0
    return _follow(client, number, int(answer.get("after", 0)))


def _follow(client: Client, number: int, after: int = 0) -> int:
    from dayfly.cli import follow  # noqa: PLC0415 - draws, which takes a while to load

    return follow.follow(client, number, who=clean(who()), after=after)
