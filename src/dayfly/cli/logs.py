"""Commands for logs: search and follow, what they take, and the parts of the store alone."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from json import dumps
from pathlib import Path
from typing import Any

from dayfly.cli.commands import Commands, between, release_number, words
from dayfly.cli.output import clean, cleaned, remark, say, say_json
from dayfly.cli.session import Session
from dayfly.client import Client
from dayfly.config.inherited import logs_token
from dayfly.errors import UsageError
from dayfly.logs.most import MOST_AROUND, MOST_RECORDS

FEW = 200
ANSWER_SECONDS = 90.0  # a search is cut by the store after 60
TOKEN = "DAYFLY_LOGS_TOKEN"  # noqa: S105 - the name of a variable
FOLLOW = "go on with what comes, oldest first; what comes more than 30 s late is not shown"
DSL = "print the search in Elasticsearch's query DSL, the body of a _search, and ask nobody"
SEARCH = "Search the records of all releases, also of machines that are gone."


def declare(commands: Commands) -> None:
    parser = commands.add("logs", logs, SEARCH)
    parser.add_argument(
        "query", nargs="?", metavar="QUERY", help="such as 'level:error \"timed out\" app:orders'"
    )
    parser.add_argument("--since", metavar="TIME", help="from then on: a time, or how long ago: 2h")
    parser.add_argument("--until", metavar="TIME", help="before then")
    parser.add_argument(
        "-n", type=between(1, MOST_RECORDS), dest="limit", metavar="N", help=f"how many ({FEW})"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--follow", action="store_true", help=FOLLOW)
    parser.add_argument(
        "--context",
        type=between(0, MOST_AROUND),
        metavar="N",
        help="with N lines of the same stream around each",
    )
    parser.add_argument(
        "--compare",
        nargs=2,
        type=release_number,
        metavar=("A", "B"),
        help="error patterns of release B that release A never had",
    )
    parser.add_argument("--dsl", action="store_true", help=DSL)
    parser.add_argument("--app", type=words, metavar="APP", help="only of this application")
    parser.add_argument(
        "--release",
        type=release_number,
        metavar="N",
        help="only of this release; with nothing else, all output that is kept of it",
    )
    parser.add_argument("--machine", type=words, metavar="NAME", help="only of this machine")
    parser.add_argument(
        "--source",
        type=words,
        metavar="SOURCE",
        help="of a release's kept output only this: build, test, migrate, smoke, or a log file",
    )
    _to_store(parser)
    usage_ = commands.add_reader("logs usage", usage, "What records take, by app and day.")
    _to_store(usage_)
    _declare_parts(commands)


def _declare_parts(commands: Commands) -> None:
    """What belongs to an environment, and the parts that also run alone."""
    commands.add_reader("logs alerts", alerts, "The alerts of environment.toml, and which stand.")
    feeds_ = commands.add_reader("logs feeds", feeds, "Where records go on to, and how far.")
    _to_store(feeds_)
    serve_ = commands.add("logs serve", serve, "Run a log store alone, in the foreground.")
    serve_.add_argument("folder", metavar="DIR", help="of the records; its file `token`, if any")
    serve_.add_argument(
        "--listen", default="127.0.0.1:8082", metavar="ADDR", help="HOST:PORT (127.0.0.1:8082)"
    )
    forwarder_ = commands.add("forwarder", forwarder, "Send files that grow to a log store.")
    forwarder_.add_argument("files", nargs="+", metavar="FILE", help="with * and ? for several")
    forwarder_.add_argument("--to", required=True, metavar="URL", help=f"token in ${TOKEN}")
    forwarder_.add_argument("--spool", metavar="DIR", help="what is known of files, and waits")
    for name in ("app", "host", "process", "stream"):
        forwarder_.add_argument(
            f"--{name}", dest=f"as_{name}", default="", metavar="NAME", help="of every record"
        )


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What was typed."""

    query: str | None
    app: str | None
    release: int | None
    machine: str | None
    url: str | None
    since: str | None
    until: str | None
    limit: int | None
    compare: list[int] | None
    context: int | None
    follow: bool
    dsl: bool
    json: bool

    @property
    def searches(self) -> bool:
        """Whether more is said than which release's output is wanted."""
        other = replace(self, release=None, machine=None, follow=False, dsl=False, json=False)
        said = any(value is not None for value in vars(other).values() if value is not False)
        return not self.release or said or self.follow or self.dsl or self.json


def logs(session: Session, *, source: str | None, **typed: Any) -> int:  # noqa: ANN401 - options
    wish = Wish(app=session.named_app, **typed)
    if not wish.searches:
        return _kept(session, wish, source)
    if source:
        raise UsageError("--source is of the kept output of a release", hint="Name its --release.")
    from dayfly.cli.searching import Remark  # noqa: PLC0415 - see `_lines`

    for line in _lines(session, wish):
        (remark if isinstance(line, Remark) else say)(line)
    return 0


def usage(session: Session, *, url: str | None, json: bool) -> int:
    from dayfly.cli.searching import usage_lines  # noqa: PLC0415 - see `_lines`

    client, prefix = _store(session, url)
    found = client.get(f"{prefix}/usage")
    if json:
        say_json(found)
    else:
        say(*usage_lines(found))
    return 0


def feeds(session: Session, *, url: str | None, json: bool) -> int:
    from dayfly.cli.searching import feed_lines  # noqa: PLC0415 - see `_lines`

    client, prefix = _store(session, url)
    found = client.get(f"{prefix}/feeds")
    if json:
        say_json(found)
    else:
        say(*feed_lines(cleaned(found)))
    return 0


def alerts(session: Session, *, json: bool) -> int:
    from dayfly.cli.alerts import alert_lines  # noqa: PLC0415 - only this command needs it

    found = session.client().get("/api/alerts")
    if json:
        say_json(found)
    else:
        say(*alert_lines(cleaned(found)))
    return 0


def serve(_: Session, *, folder: str, listen: str) -> int:
    from dayfly.logs.__main__ import serve as run  # noqa: PLC0415 - loads polars
    from dayfly.logs.starting import Serving  # noqa: PLC0415

    path = Path(folder).absolute()
    told = f"The log store in {clean(str(path))} takes records at http://{clean(listen)}"
    run(path, Serving(listen=listen), open_here=True, ready=lambda: say(told))
    return 0


def forwarder(_: Session, *, files: list[str], to: str, spool: str | None, **stamps: str) -> int:
    from dayfly.cli.forwarding import run  # noqa: PLC0415 - its room is only needed here

    return run(files, to, spool, {name.removeprefix("as_"): text for name, text in stamps.items()})


def _lines(session: Session, wish: Wish) -> Iterator[str]:
    from dayfly.cli import around, dsl, following, searching  # noqa: PLC0415 - the query language, for few commands

    if sum(map(bool, (wish.compare, wish.context is not None, wish.follow, wish.dsl))) > 1:
        raise UsageError("--follow, --context, --compare and --dsl: one of them at a time")
    if wish.follow and wish.until:
        raise UsageError("--until: what is followed has no end; leave it out")
    narrow = {"app": wish.app, "release": wish.release, "machine": wish.machine}
    asked = searching.Asked(
        query=searching.narrowed(wish.query or "", narrow),
        since=wish.since or "",
        until=wish.until or "",
        limit=FEW if wish.limit is None else wish.limit,
        json=wish.json,
    )
    searching.check_time(asked, now := time.time_ns())
    if wish.dsl:
        return iter([dumps(dsl.body_of(asked, now), indent=2)])
    client, prefix = _store(session, wish.url)
    if wish.compare:
        return around.compared(client, asked, wish.compare, path=f"{prefix}/compare")
    if wish.context is not None:
        return around.surrounded(client, asked, wish.context, prefix=prefix)
    path = f"{prefix}/search"
    if wish.follow:
        return following.followed_from(client, asked, now=time.time_ns, path=path)
    return searching.found(client, asked, path=path)


def _kept(session: Session, wish: Wish, source: str | None) -> int:
    """What is kept with a release: also of its build and its tests, without secrets."""
    path = f"/api/releases/{wish.release}/output"
    for line in session.client().lines(path, machine=wish.machine, source=source):
        say(clean(line))
    return 0


def _to_store(parser: Any) -> None:  # noqa: ANN401 - argparse's own
    parser.add_argument(
        "--url", metavar="URL", help=f"of another log store (its token in ${TOKEN})"
    )


def _store(session: Session, url: str | None) -> tuple[Client, str]:
    """Whom to ask, and what its paths begin with."""
    if not url:
        return session.client(seconds=ANSWER_SECONDS), "/api/logs"
    client = Client(url, logs_token(), called="The log store", seconds=ANSWER_SECONDS)
    return client, ""
