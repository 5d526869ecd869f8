"""`dayfly impact`: what pending migrations would do to a live database."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from dayfly.cli.commands import Commands, for_app
from dayfly.cli.output import clean, error, paint, say, say_json, working
from dayfly.cli.session import Session, app_of
from dayfly.config.home import cache_folder
from dayfly.errors import DayflyError, UsageError

if TYPE_CHECKING:
    from dayfly.database.question import Answer, Question

VERDICTS = ("none", "online", "staged", "downtime")
STYLES = {"none": "good", "online": "good", "staged": "warn", "downtime": "bad"}
COMMAND_SECONDS = 600.0
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
        "--database", metavar="URL", help="ask without an environment: it is only read"
    )
    what = impact_.add_mutually_exclusive_group()
    what.add_argument(
        "--migrations",
        metavar="DIR",
        type=Path,
        help="plain or Flyway-named SQL (default: what is recognised in this folder)",
    )
    what.add_argument(
        "--migrate", metavar="COMMAND", help="any tool's; DATABASE_URL leads it to a copy"
    )
    impact_.add_argument(
        "--replica", metavar="URL", help="read this replica of the database where it keeps up"
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
        "--budget": budget,
        "--statements": statements,
        "--drift": drift or None,
    }
    if database is None:
        _refuse(alone, "belongs to --database URL; an environment reads dayfly.toml")
        answer = _of_commit(session, commit or "HEAD", quiet=json)
    else:
        _refuse({"COMMIT": commit}, "is asked of an environment, without --database")
        question = _question(session, database, replica or "", budget or "1s", statements)
        with working() as tell:
            question = replace(question, drift=drift, tell=tell)
            asked = _asked(session.folder, question, migrations, migrate)
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


def _question(
    session: Session, url: str, replica: str, budget: str, statements: Path | None
) -> "Question":
    # Late, as all that only this command needs: the database's driver alone takes 0.1 s.
    from dayfly.config.units import Duration, UnitError  # noqa: PLC0415
    from dayfly.database.question import Question  # noqa: PLC0415
    from dayfly.database.recorded import recorded_statements  # noqa: PLC0415

    try:
        seconds = Duration.parse(budget)
    except UnitError as unit:
        raise UsageError(f"--budget {budget}: {unit}") from unit
    folder, postgresql, scratch_url = _of_environment(session)
    return Question(
        url=url,
        folder=folder,
        budget=seconds,
        statements=recorded_statements(statements, str(statements)) if statements else (),
        postgresql=postgresql,
        replica=replica,
        scratch_url=scratch_url,
    )


def _of_commit(session: Session, ref: str, *, quiet: bool) -> Json:
    """The environment builds the commit and asks; nothing else becomes of it."""
    from dayfly.cli import follow  # noqa: PLC0415 - see `_question`
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


def _of_environment(session: Session) -> tuple[Path, str | None, str]:
    """Where copies are kept, PostgreSQL's programs, and `scratch_url`: of the one that is here."""
    from dayfly.config.load import settings_of  # noqa: PLC0415 - see `impact`

    home = session.home()
    if not home.environment_toml.exists():
        return cache_folder() / "scratch", None, ""
    settings = settings_of(home)
    return home.scratch, settings.postgresql, settings.scratch_url or ""


def _at_least(verdict: str, limit: str) -> bool:
    return VERDICTS.index(verdict) >= VERDICTS.index(limit)


def _asked(
    source: Path, question: "Question", migrations: Path | None, migrate: str | None
) -> "Answer":
    from dayfly.database import answer  # noqa: PLC0415 - see `impact`
    from dayfly.database.pending import pending_migrations  # noqa: PLC0415
    from dayfly.database.tools import UNKNOWN, tool_of  # noqa: PLC0415

    if migrations is not None:
        return answer.of_files(question, source / migrations)
    if migrate is not None:
        return answer.of_command(question, _command(migrate))
    tool = tool_of(source)
    if tool == UNKNOWN:
        raise UsageError(
            f"No migrations are recognised in {source.absolute()}.",
            hint="Name them: --migrations DIR for SQL, or --migrate COMMAND for any tool.",
        )
    if not tool.command:
        return answer.of_files(question, source / tool.place)
    names = pending_migrations(tool, source, question.url)
    return answer.of_command(question, _command(tool.command), names or ())


def _command(words: str) -> Callable[[str], int]:
    """Runs it with a database's URL where tools look for one."""
    from dayfly.command import Setting, run  # noqa: PLC0415 - see `impact`
    from dayfly.config.inherited import inherited_with  # noqa: PLC0415
    from dayfly.database.jdbc import ALONE, for_flyway  # noqa: PLC0415
    from dayfly.database.problems import missed_network  # noqa: PLC0415

    def migrate(url: str) -> int:
        named = {"DATABASE_URL": url, **for_flyway(url, options=ALONE)}
        setting = Setting(env=inherited_with(**named))
        argv = ["/bin/sh", "-c", words]
        done = run(argv, setting=setting, seconds=COMMAND_SECONDS, check=False)
        if done.status:
            told = done.output.strip() or "nothing"
            error(f"`{words}` said", "\n".join(filter(None, (told, missed_network(told)))))
        return done.status

    return migrate


def lines(value: Json) -> list[str]:
    """The answer for a person, worst finding first."""
    pending, findings = value["pending"], value["findings"]
    left = value.get("contract") or ()
    waits = [f"  left out until nothing older runs: {clean(', '.join(left))}"] if left else []
    if pending == []:
        nothing = f"{paint('good', 'none')}  nothing is pending  ({value['seconds']:g} s)"
        return [nothing, *(line for finding in findings for line in _finding(finding)), *waits]
    many = "" if pending is None else f"{len(pending)} pending, "
    told = paint(STYLES[value["verdict"]], value["verdict"])
    head = f"{told}  {many}{_counted(len(findings))}  ({value['seconds']:g} s)"
    each = (line for finding in findings for line in _finding(finding))
    return [head, *each, *_rest(value), *waits]


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
    name = ["    the safe form:" if finding["statement"] else "    details:"] if remedy else []
    return [*told, *name, *(f"      {paint('accent', clean(line))}" for line in remedy)]


def _one_line(statement: str) -> str:
    return shorten(statement, _WIDTH, placeholder=" …")


def _brought_back(restored: Json) -> str:
    if not restored["why"]:
        return "what it takes away can be brought back: tried on a copy"
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
    told += [f"  {clean(note)}" for note in value.get("notes", ())]
    if value["unfilled"]:
        told.append(f"  no row could be made up for: {clean(', '.join(value['unfilled']))}")
    return told
