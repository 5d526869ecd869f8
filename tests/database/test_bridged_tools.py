"""The outgoing release inserts all the time while real tools migrate, and never fails."""

from pathlib import Path

import psycopg
import pytest

from bridges import dropped, guarded, inserting, kept
from dayfly.database.answer import of_files
from dayfly.database.bridge import Bridge
from dayfly.database.capture import Run, capture
from dayfly.database.copy import copy_of
from dayfly.database.impact.assess import Impact, assess
from dayfly.database.question import Question
from migrating import alembic_project, applying, asked, django_project, write
from migrating.alembic_project import alembic, upgrade
from migrating.django_project import django, migrate

pytestmark = pytest.mark.postgres


def impact_of(production: str, scratch: Path, run: Run) -> Impact:
    with copy_of(production, folder=scratch) as copies:
        done = capture(copies, run)
        return assess(
            copies.fresh(),
            done,
            rows=dict.fromkeys(("t", "shops", "shop_order"), 100),
            budget=1.0,
            role=copies.production.user,
            again=copies.fresh,
        )


def without_a_failure(url: str, bridges: list[Bridge], run: Run, insert: str) -> None:
    with inserting(url, insert) as load:
        for step in (guarded, lambda url, _: run(url), kept):
            step(url, bridges)
            load.more()
    assert load.failed == []
    dropped(url, bridges)


def test_django(production: str, scratch: Path, tmp_path: Path) -> None:
    project = django(tmp_path)
    run = migrate(project)
    assert run(production) == 0
    asked(production, b"INSERT INTO shop_order (reference) SELECT generate_series(1, 5)")
    django_project.add(
        project,
        "0002_more",
        """
        from django.db import migrations, models

        class Migration(migrations.Migration):
            dependencies = [("shop", "0001_initial")]
            operations = [
                migrations.AddField(
                    "Order", "code", models.CharField(max_length=9, default="it's")
                ),
                migrations.AddField("Order", "tags", models.JSONField(default=list)),
                migrations.CreateModel("Item", [("id", models.BigAutoField(primary_key=True))]),
            ]
        """,
    )
    impact = impact_of(production, scratch, run)
    assert (impact.verdict, [b.column for b in impact.bridges]) == ("online", ["code", "tags"])
    insert = "INSERT INTO shop_order (reference) VALUES (gen_random_uuid()::text)"
    without_a_failure(production, list(impact.bridges), run, insert)
    assert asked(production, b"SELECT count(DISTINCT (code, tags)) FROM shop_order") == 1
    with pytest.raises(psycopg.errors.NotNullViolation):
        asked(production, insert.encode())


def test_alembic(production: str, scratch: Path, tmp_path: Path) -> None:
    project = alembic(tmp_path, each_alone=True)
    run = upgrade(project)
    assert run(production) == 0
    work = (
        "kind = sa.Enum('small', 'large', name='size')\n"
        "kind.create(op.get_bind())\n"
        "op.add_column('shops', sa.Column('size', kind, server_default='small', nullable=False))"
    )
    alembic_project.add(project, "b2", "a1", work)
    drop_it = "op.alter_column('shops', 'size', server_default=None)"
    alembic_project.add(project, "c3", "b2", drop_it)
    impact = impact_of(production, scratch, run)
    assert impact.verdict == "online"
    assert [b.default for b in impact.bridges] == ["'small'::public.size"]
    without_a_failure(production, list(impact.bridges), run, "INSERT INTO shops DEFAULT VALUES")
    assert asked(production, b"SELECT string_agg(DISTINCT size::text, ',') FROM shops") == "small"


def test_sql_files_without_a_transaction(production: str, scratch: Path, tmp_path: Path) -> None:
    first = "CREATE TABLE t (id serial PRIMARY KEY, v text NOT NULL DEFAULT 'of old');"
    write(tmp_path, {"001_a.sql": first})
    run = applying(tmp_path)
    run(production)
    write(tmp_path, {
        "002_b.sql": "ALTER TABLE t ADD x timestamptz NOT NULL DEFAULT now();"
        "ALTER TABLE t ALTER x DROP DEFAULT;",
        "003_c.sql": "CREATE INDEX CONCURRENTLY i ON t (x);",
        "004_d.sql": "ALTER TABLE t ALTER v DROP DEFAULT;",
        "005_e.sql": "ALTER TABLE t ADD y bigint NOT NULL DEFAULT nextval('t_id_seq');"
        "ALTER TABLE t ALTER y DROP DEFAULT;",
    })  # fmt: skip
    impact = impact_of(production, scratch, run)
    assert (impact.verdict, len(impact.bridges)) == ("online", 3)
    without_a_failure(production, list(impact.bridges), run, "INSERT INTO t DEFAULT VALUES")
    assert asked(production, b"SELECT string_agg(DISTINCT v, ',') FROM t") == "of old"
    assert asked(production, b"SELECT count(*) - count(DISTINCT y) FROM t") == 0, "volatile"


@pytest.mark.parametrize(("builds", "verdict"), [(True, "online"), (False, "staged")])
def test_the_verdict_depends_on_who_migrates(
    production: str, scratch: Path, tmp_path: Path, builds: bool, verdict: str
) -> None:
    asked(production, b"CREATE TABLE t (id serial PRIMARY KEY, v int NOT NULL DEFAULT 1)")
    write(tmp_path, {"001_a.sql": "ALTER TABLE t ALTER v DROP DEFAULT;"})
    question = Question(url=production, folder=scratch, budget=1.0, builds=builds)
    answer = of_files(question, tmp_path)
    assert answer.impact.verdict == verdict
    assert len(answer.impact.bridges) == builds
