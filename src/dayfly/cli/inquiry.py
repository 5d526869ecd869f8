"""`dayfly impact --database`: asked of a database alone, without a server of ours."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from dayfly.cli.session import Session
from dayfly.command import Setting, run
from dayfly.config.home import cache_folder
from dayfly.config.inherited import inherited_with
from dayfly.config.load import settings_of
from dayfly.config.units import Duration, UnitError
from dayfly.database import answer
from dayfly.database.capture import CaptureError
from dayfly.database.failing import failing
from dayfly.database.impact.assess import Impact
from dayfly.database.pending import pending_migrations
from dayfly.database.python_migrations import program_texts
from dayfly.database.question import Answer, Question
from dayfly.database.recorded import recorded_statements
from dayfly.database.redirected import to_copy
from dayfly.database.tools import UNKNOWN, tool_of
from dayfly.errors import UsageError

COMMAND_SECONDS = 600.0


def question(
    session: Session, url: str, replica: str, budget: str, statements: Path | None
) -> Question:
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


def _of_environment(session: Session) -> tuple[Path, str | None, str]:
    """Where copies are kept, PostgreSQL's programs, and `scratch_url`: of the one that is here."""
    home = session.home()
    if not home.environment_toml.exists():
        return cache_folder() / "scratch", None, ""
    settings = settings_of(home)
    return home.scratch, settings.postgresql, settings.scratch_url or ""


def asked(source: Path, question: Question, migrations: Path | None, migrate: str | None) -> Answer:
    """What fails on the copy can't be assessed, and that is an answer too."""
    began, said = time.monotonic(), list[str]()
    try:
        return _answer(source, question, migrations, migrate, said.append)
    except CaptureError as error:
        found = Impact(findings=(failing(error, "".join(said[-1:]), question.url),))
        seconds = time.monotonic() - began
        return Answer(impact=found, seconds=seconds, pending=None, whole=False)


def _answer(
    source: Path,
    question: Question,
    migrations: Path | None,
    migrate: str | None,
    say: Callable[[str], None],
) -> Answer:
    if migrations is not None:
        return answer.of_files(question, source / migrations)
    question = replace(question, texts=program_texts(source))
    if migrate is not None:
        return answer.of_command(question, _command(migrate, question, say))
    tool = tool_of(source)
    if tool == UNKNOWN:
        raise UsageError(
            f"No migrations are recognised in {source.absolute()}.",
            hint="Name them: --migrations DIR for SQL, or --migrate COMMAND for any tool.",
        )
    if not tool.command:
        return answer.of_files(question, source / tool.place)
    names = pending_migrations(tool, source, question.url)
    return answer.of_command(question, _command(tool.command, question, say), names or ())


def _command(words: str, question: Question, say: Callable[[str], None]) -> Callable[[str], int]:
    """Runs it with a copy's URL where tools look for one, and nothing that leads to production."""
    fenced = not question.scratch_url

    def migrate(url: str) -> int:
        known = [question.url, question.app_url]
        env = to_copy(inherited_with(), known, url, url="DATABASE_URL", fenced=fenced)
        argv = ["/bin/sh", "-c", words]
        done = run(argv, setting=Setting(env=env), seconds=COMMAND_SECONDS, check=False)
        if done.status:
            say(done.output.strip() or f"`{words}` said nothing.")
        return done.status

    return migrate
