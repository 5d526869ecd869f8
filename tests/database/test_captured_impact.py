"""From a real migration tool to the verdict, in one go."""

import tomllib
from pathlib import Path

import pytest

from dayfly.database.answer import of_command
from dayfly.database.capture import CaptureError, Run, capture
from dayfly.database.copy import copy_of
from dayfly.database.impact.assess import Impact, gathered, judged
from dayfly.database.impact.questions import asker
from dayfly.database.question import Question
from migrating import alembic_project, asked, django_project
from migrating.alembic_project import alembic, upgrade
from migrating.django_project import django, migrate

pytestmark = pytest.mark.postgres

SHOP = ("shop_order", "shop_item", "shop_setting")
STATE = """
    from django.db import migrations, models

    def close(apps, editor):
        for order in apps.get_model("shop", "Order").objects.filter(reference="of long ago"):
            order.delete()

    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [migrations.RunPython(close)]
"""

MORE = """
    from django.db import migrations, models

    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [
            migrations.CreateModel("Setting", [
                ("id", models.BigAutoField(primary_key=True)),
                ("key", models.CharField(max_length=20, unique=True)),
            ]),
            migrations.CreateModel("Item", [
                ("id", models.BigAutoField(primary_key=True)),
                ("note", models.TextField(default="")),
                ("hint", models.TextField(null=True)),
                ("order", models.ForeignKey("Order", models.CASCADE)),
            ]),
        ]
"""
ROWS = b"""
    INSERT INTO shop_order (reference) VALUES ('new');
    INSERT INTO shop_item (note, order_id) SELECT 'gone', id FROM shop_order
"""
CODE = """
    from django.contrib.contenttypes.models import ContentType
    from django.db import migrations, models

    def forward(apps, editor):
        Order, Item, Setting = (apps.get_model("shop", n) for n in ("Order", "Item", "Setting"))
        exec({code!r})

    class Migration(migrations.Migration):
        dependencies = [("shop", "0002_more")]
        operations = [{first}migrations.RunPython(forward)]
"""
PROGRAMS = tomllib.loads((Path(__file__).parent / "programs.toml").read_text())["case"]


def verdicts(production: str, scratch: Path, run: Run, table: str) -> list[str]:
    with copy_of(production, folder=scratch) as copies:
        captured = capture(copies, run)
        evidence = gathered(copies.fresh(), captured)
    impacts = [judged(evidence, rows={table: rows}, budget=1.0) for rows in (500, 10_000_000)]
    return [impact.verdict for impact in impacts]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("0002_code", django_project.SECOND, ["online", "downtime"]),
        ("0002_state", STATE, ["downtime", "downtime"]),
    ],
)
def test_django(
    production: str, scratch: Path, tmp_path: Path, name: str, text: str, expected: list[str]
) -> None:
    project = django(tmp_path)
    assert migrate(project)(production) == 0
    django_project.add(project, name, text)
    assert verdicts(production, scratch, migrate(project), "shop_order") == expected


@pytest.mark.sampled(5)
@pytest.mark.parametrize("case", PROGRAMS, ids=lambda case: case["name"])
def test_a_program_that_reads_rows(
    production: str, scratch: Path, tmp_path: Path, case: dict[str, str]
) -> None:
    project = django(tmp_path)
    django_project.add(project, "0002_more", MORE)
    assert migrate(project)(production) == 0
    asked(production, ROWS)
    text = CODE.format(code=case["code"], first=case.get("first", ""))
    django_project.add(project, "0003_code", text)
    impact = answered(production, scratch, migrate(project), dict.fromkeys(SHOP, 500))
    told = [f"{finding.message} [{finding.statement}]" for finding in impact.findings]
    assert impact.verdict == case["verdict"], told


LABELLED = "migrations.AddField('Item', 'label', models.TextField(null=True)), "
UPPER = """
for item in Item.objects.all():
    item.label = item.hint.upper()
    item.save(update_fields=["label"])
"""


def test_a_program_fails_on_a_null_only_where_production_has_one(
    production: str, scratch: Path, tmp_path: Path
) -> None:
    project = django(tmp_path)
    django_project.add(project, "0002_more", MORE)
    assert migrate(project)(production) == 0
    asked(production, ROWS)
    django_project.add(project, "0003_code", CODE.format(code=UPPER, first=LABELLED))
    question = Question(url=production, folder=scratch, budget=1.0)

    with pytest.raises(CaptureError, match="failed on the scratch copy"):
        of_command(question, migrate(project))
    asked(production, b"UPDATE shop_item SET hint = 'x'")
    answer = of_command(question, migrate(project))
    assert answer.impact.verdict == "online", answer.impact.findings
    assert "it fails where shop_item.hint is NULL; production has none today" in answer.notes


def answered(production: str, scratch: Path, run: Run, rows: dict[str, int]) -> Impact:
    with copy_of(production, folder=scratch) as copies:
        captured = capture(copies, run)
        with asker(production, seconds=5) as ask:
            return judged(gathered(copies.fresh(), captured), rows=rows, budget=1.0, ask=ask)


def test_alembic(production: str, scratch: Path, tmp_path: Path) -> None:
    project = alembic(tmp_path, each_alone=True)
    assert upgrade(project)(production) == 0
    asked(production, b"INSERT INTO shops SELECT generate_series(1, 5)")
    work = "op.add_column('shops', sa.Column('name', sa.Text, server_default='x', nullable=False))"
    alembic_project.add(project, "b2", "a1", work)
    fill = "op.execute(\"UPDATE shops SET name = 'shop ' || id\")"
    alembic_project.add(project, "c3", "b2", fill)
    assert verdicts(production, scratch, upgrade(project), "shops") == ["online", "downtime"]
