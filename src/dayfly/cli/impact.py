"""`dayfly impact`: what pending migrations would do to a live database."""

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from textwrap import shorten
from typing import Any

from dayfly.cli.commands import Commands, for_app
from dayfly.cli.output import clean, paint, say, say_json, working
from dayfly.cli.session import Session, app_of
from dayfly.errors import DayflyError, UsageError
from dayfly.shown import later

VERDICTS = ("none", "online", "staged", "downtime")
STYLES = {"none": "good", "online": "good", "staged": "warn", "downtime": "bad"}
Json = dict[str, Any]
_SHOWN, _WIDTH = 5, 80  # of statements that tell nothing


def declare(commands: Commands) -> None:
    impact_ = commands.add_reader(
        "impact", impact, "What pending migrations would do to a live database, before they run."
    )
    impact_.add_argument(
        "commit", nargs="?", metavar="COMMIT", help="asked of the environment (HEAD)"
    )
    for_app(impact_)
    impact_.add_argument(
        "--database", metavar="URL", help="ask without an environment; Dayfly only reads it"
    )
    what = impact_.add_mutually_exclusive_group()
    what.add_argument(
        "--migrations",
        metavar="DIR",
        type=Path,
        help="plain or Flyway-named SQL (default: what is recognised in this folder)",
    )
    what.add_argument(
        "--migrate",
        metavar="COMMAND",
        help="any tool's that takes its database from DATABASE_URL, which leads it to a copy",
    )
    impact_.add_argument(
        "--replica", metavar="URL", help="read this replica of the database where it keeps up"
    )
    impact_.add_argument(
        "--app-database",
        metavar="URL",
        help="the same database as the application enters it, whose role's rights count",
    )
    impact_.add_argument("--budget", metavar="TIME", help="longest blocking that is online (1s)")
    impact_.add_argument(
        "--statements",
        metavar="FILE",
        type=Path,
        help="SQL that the app sends, one a line or each with ;",
    )
    impact_.add_argument(
        "--drift",
        action="store_true",
        help="compare production with what its migrations make, also where nothing is pending "
        "or a tool has to make all of it",
    )
    impact_.add_argument(
        "--fail-on",
        metavar="VERDICT",
        choices=VERDICTS,
        help=f"exit 1 from this verdict on: {', '.join(VERDICTS)}",
    )


def impact(  # noqa: PLR0913 - the options of the command
    session: Session,
    *,
    commit: str | None,
    database: str | None,
    migrations: Path | None,
    migrate: str | None,
    replica: str | None,
    app_database: str | None,
    budget: str | None,
    statements: Path | None,
    drift: bool,
    fail_on: str | None,
    json: bool,
) -> int:
    alone = {
        "--migrations": migrations,
        "--migrate": migrate,
        "--replica": replica,
        "--app-database": app_database,
        "--budget": budget,
        "--statements": statements,
        "--drift": drift or None,
    }
    if database is None:
        _refuse(alone, "belongs to --database URL; an environment reads dayfly.toml")
        answer = _of_commit(session, commit or "HEAD", quiet=json)
    else:
        _refuse({"COMMIT": commit}, "is asked of an environment, without --database")
        from dayfly.cli import inquiry  # noqa: PLC0415 - the driver alone takes 0.1 s

        question = inquiry.question(session, database, replica or "", budget or "1s", statements)
        with working() as tell:
            question = replace(question, drift=drift, tell=tell, app_url=app_database or "")
            asked = inquiry.asked(session.folder, question, migrations, migrate)
        answer = {"commit": None, **asked.as_json()}
    if json:
        say_json(answer)
    else:
        say(*lines(answer))
    return int(fail_on is not None and _at_least(str(answer["verdict"]), fail_on))


def _refuse(options: Mapping[str, object], why: str) -> None:
    for name, value in options.items():
        if value is not None:
            raise UsageError(f"{name} {why}.")


def _of_commit(session: Session, ref: str, *, quiet: bool) -> Json:
    """The environment builds the commit and asks; nothing else becomes of it."""
    from dayfly.cli import follow  # noqa: PLC0415 - see `impact`
    from dayfly.cli.release import sent, who  # noqa: PLC0415

    client, checkout = session.client(), session.checkout()
    app = app_of(checkout)
    commit = sent(client, app, checkout, ref, dirty=False)
    order = {"app": app, "commit": commit, "who": who(), "question": True}
    number = int(client.post("/api/releases", order)["release"])
    if not quiet:
        follow.follow(client, number, who=who())
    else:
        deque(client.events(f"/api/releases/{number}/events", 0), maxlen=0)
    record: Json = client.get(f"/api/releases/{number}")
    if record["outcome"] != "assessed":
        raise DayflyError(record["reason"], hint="\n".join(record["detail"]))
    if not record["impact"]:
        raise DayflyError(
            "dayfly.toml names no migrations, so nobody can tell.",
            hint='[database] has `migrations = "DIR"` or `migrate = "COMMAND"`.',
        )
    return {"commit": commit, "verdict": record["verdict"], **record["impact"]}


def _at_least(verdict: str, limit: str) -> bool:
    return VERDICTS.index(verdict) >= VERDICTS.index(limit)


def lines(value: Json) -> list[str]:
    """The answer for a person, worst finding first."""
    pending, findings = value["pending"], value["findings"]
    waits = _waits(value)
    if pending == []:
        nothing = f"{paint('good', 'none')}  nothing is pending  ({value['seconds']:g} s)"
        each = (line for finding in findings for line in _finding(finding))
        return [nothing, *each, *_notes(value), *waits]
    many = "" if pending is None else f"{len(pending)} pending, "
    told = paint(STYLES[value["verdict"]], value["verdict"])
    head = f"{told}  {many}{_counted(len(findings))}  ({value['seconds']:g} s)"
    each = (line for finding in findings for line in _finding(finding))
    return [head, *each, *_rest(value), *waits]


def _waits(value: Json) -> list[str]:
    """What is left out, and what will come of it."""
    if not (left := value.get("contract")):
        return []
    told = [f"  left out until nothing older runs: {clean(', '.join(left))}"]
    if said := later(value):
        findings = [clean(each["message"]) for each in value["later"]["findings"][:_SHOWN]]
        told += [f"    then {clean(said)}", *(f"    - {each}" for each in findings)]
    return told


def _counted(findings: int) -> str:
    return "1 finding" if findings == 1 else f"{findings} findings"


def _finding(finding: Json) -> list[str]:
    rows = "" if finding["rows"] is None else f" (about {finding['rows']:,} rows)"
    where = f"{clean(finding['table'])}{rows}: " if finding["table"] else ""
    told = [f"  {where}{paint('strong', clean(finding['message']))}"]
    if finding["blocks"]:
        lasts = finding["blocked_ms"]
        long = "for how long nobody knows" if lasts is None else f"for about {lasts:,} ms"
        told.append(f"    blocks {finding['blocks']} {long} ({finding['lock']})")
    told += [
        f"    {paint('dim', f'{name}: {clean(finding[name])}')}"
        for name in ("migration", "statement", "evidence")
        if finding[name]
    ]
    remedy = finding["remedy"].splitlines()
    safe = finding["statement"] and finding["kind"] != "unknown"
    name = ["    the safe form:" if safe else "    details:"] if remedy else []
    return [*told, *name, *(f"      {paint('accent', clean(line))}" for line in remedy)]


def _one_line(statement: str) -> str:
    return shorten(statement, _WIDTH, placeholder=" …")


def _brought_back(restored: Json) -> str:
    if not restored["why"]:
        but = "".join(f", but {each}" for each in restored.get("unlike", ()))
        return f"what it takes away can be brought back{clean(but)}: tried on a copy"
    not_all = (
        "not all of it may come back" if restored.get("partly") else "it cannot be brought back"
    )
    return f"{not_all}: {clean(restored['why'])}"


def _rest(value: Json) -> list[str]:
    back, checked = value["rollback"], value["statements"]
    covered = (
        f": tried with rows in {clean(', '.join(back['covered']))}" if back.get("covered") else ""
    )
    loses = f": it would lose {clean(', '.join(back['loses']))}" if back["loses"] else ""
    told = [f"  way back: {back['state']}{covered}{loses}"]
    if restored := value.get("restoration"):
        told.append(f"  {_brought_back(restored)}")
    elif back.get("why"):
        told.append(f"  not proven: {clean(back['why'])}")
    if checked["checked"] or checked["unassessable"]:
        told.append(
            f"  statements: {checked['checked']} checked, {checked['broken']} broken, "
            f"{checked['unassessable']} can't be assessed"
        )
    told += [
        f"    {clean(_one_line(one['statement']))}: {clean(one['why'])}"
        for one in checked.get("which", ())[:_SHOWN]
    ]
    told += _notes(value)
    if value["unfilled"]:
        told.append(f"  no row could be made up for: {clean(', '.join(value['unfilled']))}")
    return told


def _notes(value: Json) -> list[str]:
    return [f"  {clean(note)}" for note in value.get("notes", ())]
