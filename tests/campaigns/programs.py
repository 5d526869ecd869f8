"""Data migrations in Python, labelled by hand, run by the real Django and Alembic."""

import re
import tempfile
import textwrap
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from campaigns.verdicts import BUDGET, CASES, Answer, Verdict
from dayfly.database.answer import of_command
from dayfly.database.capture import CaptureError, Run
from dayfly.database.impact.assess import Impact
from dayfly.database.impact.finding import unassessable
from dayfly.database.python_migrations import program_texts
from dayfly.database.question import Question
from dayfly.database.scratch import ScratchServer
from migrating import alembic_project, asked, django_project
from migrating.alembic_project import alembic, upgrade
from migrating.django_project import django, migrate

_MODELS = """
    from django.db import migrations, models

    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [{operations}]
"""
_PROGRAM = """
from django.db import migrations, models


def forward(apps, editor):
    {names}
{code}

class Migration(migrations.Migration):
    dependencies = [("shop", "0002_before")]
    operations = [{first} migrations.RunPython(forward, migrations.RunPython.noop), {last}]
"""


@dataclass(frozen=True, kw_only=True)
class Program(Verdict):
    """A data migration, what was there before it, and what a person says of it."""

    models: tuple[str, ...] = ()
    schema: str = ""
    rows: str
    first: str = ""
    code: str
    last: str = ""


def programs() -> list[Program]:
    found: list[Program] = []
    for path in sorted((CASES / "programs").glob("*.toml")):
        data = tomllib.loads(path.read_text())
        found += [_program(data["tool"], each) for each in data["case"]]
    return found


def _program(tool: str, data: Mapping[str, object]) -> Program:
    told = {key: value for key, value in data.items() if key not in ("from", "models")}
    models = tuple(map(str, data.get("models", ())))  # type: ignore[call-overload]
    return Program(tool=tool, origin=str(data["from"]), models=models, **told)  # type: ignore[arg-type]


def answered(server: ScratchServer, scratch: Path, case: Program) -> Answer:
    with (
        server.database() as production,
        tempfile.TemporaryDirectory(prefix="dayfly-program-") as place,
    ):
        run = (_django if case.tool == "django" else _alembic)(case, production, Path(place))
        asked(production, case.rows.encode())
        asked(production, b"ANALYZE")
        began = time.monotonic()
        impact = _impact(production, scratch, Path(place), run)
        return Answer(
            case=case,
            verdict=impact.verdict,
            findings=tuple(f"{found.verdict}: {found.message}" for found in impact.findings),
            seconds=time.monotonic() - began,
        )


def _impact(production: str, scratch: Path, source: Path, run: Run) -> Impact:
    """What fails on the copy is an answer too, as for `dayfly impact`."""
    question = Question(
        url=production,
        folder=scratch,
        budget=BUDGET,
        builds=True,
        texts=program_texts(source),
    )
    try:
        return of_command(question, run).impact
    except CaptureError as error:
        return Impact(findings=(unassessable(error.message, error.hint or ""),))


def _django(case: Program, production: str, place: Path) -> Run:
    project = django(place)
    operations = _MODELS.format(operations=", ".join(_created(case)))
    django_project.add(project, "0002_before", operations)
    assert migrate(project)(production) == 0
    names = re.findall(r'CreateModel\("(\w+)"', f"{operations} {case.first}")
    got = "; ".join(f'{name} = apps.get_model("shop", "{name}")' for name in names)
    code = textwrap.indent(case.code, "    ")
    text = _PROGRAM.format(names=got, code=code, first=case.first, last=case.last)
    django_project.add(project, "0003_program", text)
    return migrate(project)


def _created(case: Program) -> list[str]:
    fields: dict[str, list[str]] = {}
    for line in case.models:
        name, _, field = line.partition(" ")
        model, _, column = name.partition(".")
        fields.setdefault(model, []).append(f'("{column}", models.{field})')
    key = '("id", models.BigAutoField(primary_key=True))'
    return [
        f'migrations.CreateModel("{model}", [{key}, {", ".join(columns)}])'
        for model, columns in fields.items()
    ]


def _alembic(case: Program, production: str, place: Path) -> Run:
    project = alembic(place, each_alone=True)
    asked(production, case.schema.encode())
    assert upgrade(project)(production) == 0
    alembic_project.add(project, "b2", "a1", f"bind = op.get_bind()\n{case.code.strip()}")
    return upgrade(project)
