"""Which tool a source tree uses, and what is pending."""

from pathlib import Path

import pytest

from dayfly.database.pending import pending_migrations
from dayfly.database.python_migrations import program_texts
from dayfly.database.tools import UNKNOWN, ToolError, tool_of
from migrating import alembic_project, asked, django_project, write
from migrating.alembic_project import alembic, upgrade
from migrating.django_project import django

RAN = b"""
    CREATE TABLE django_migrations (app text, name text);
    INSERT INTO django_migrations VALUES ('shop', '0001_initial');
"""
EXAMPLE = Path(__file__).parents[2] / "examples" / "orders" / "app"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"migrations/001_a.sql": "SELECT 1;"}, ("sql", "migrations", "")),
        ({"db/migrations/1.up.sql": "SELECT 1;"}, ("sql", "db/migrations", "")),
        ({"src/main/resources/db/migration/V1__a.sql": "SELECT 1;"},
         ("flyway", "src/main/resources/db/migration", "")),
        ({"fixtures/001_a.sql": "SELECT 1;", "node_modules/x/migrations/1.sql": ""},
         ("unknown", ".", "")),
        ({"alembic.ini": "[alembic]\nscript_location = db\n", "db/env.py": "",
          "db/versions/a.py": ""}, ("alembic", "db/versions", "alembic upgrade head")),
        ({"pyproject.toml": '[tool.alembic]\nscript_location = "%(here)s/db"\n', "db/env.py": "",
          "db/versions/a.py": ""}, ("alembic", "db/versions", "alembic upgrade head")),
        ({"migrations/alembic.ini": "[alembic]\n", "migrations/env.py": "",
          "migrations/versions/a.py": ""}, ("alembic", "migrations/versions", "flask db upgrade")),
        ({"api/alembic.ini": "[alembic]\nscript_location = alembic\n", "api/alembic/env.py": "",
          "api/alembic/versions/a.py": ""},
         ("alembic", "api/alembic/versions", "alembic -c api/alembic.ini upgrade head")),
        ({"src/manage.py": "os.environ['DJANGO_SETTINGS_MODULE'] = 'x'"},
         ("django", "src", "python src/manage.py migrate --noinput")),
        ({"manage.py": "print('no Django')"}, ("unknown", ".", "")),
    ],
)  # fmt: skip
def test_the_tree_says_which(
    tmp_path: Path, files: dict[str, str], expected: tuple[str, str, str]
) -> None:
    tool = tool_of(write(tmp_path, files))
    assert (tool.kind, str(tool.place), tool.command) == expected


def test_the_example_has_plain_files() -> None:
    tool = tool_of(EXAMPLE)
    assert (tool.kind, str(tool.place)) == ("sql", "migrations")
    assert pending_migrations(tool, EXAMPLE, None) == ("001_orders.sql",)


def test_of_an_unknown_tool_nobody_can_tell(tmp_path: Path) -> None:
    assert pending_migrations(UNKNOWN, tmp_path, None) is None


@pytest.mark.postgres
def test_what_alembic_has_not_run(production: str, tmp_path: Path) -> None:
    project = alembic(tmp_path)
    tool = tool_of(project)
    assert pending_migrations(tool, project, production) == ("a1",)
    assert upgrade(project)(production) == 0
    alembic_project.add(project, "c3", "b2", "pass")
    alembic_project.add(project, "b2", "a1", "pass")
    assert pending_migrations(tool, project, production) == ("b2", "c3")


def test_two_heads_are_named_before_alembic_is_asked(tmp_path: Path) -> None:
    project = alembic(tmp_path)
    for name in ("b2", "c3"):
        alembic_project.add(project, name, "a1", "pass")
    with pytest.raises(ToolError, match=r"2 heads: b2 \(b2_more.py\), c3 \(c3_more.py\)") as caught:
        pending_migrations(tool_of(project), project, None)
    assert "alembic merge heads" in caught.value.hint


def test_an_alembic_revision_copied_by_hand(tmp_path: Path) -> None:
    project = alembic(tmp_path)
    first = project / "alembic/versions/a1_first.py"
    first.with_name("copy.py").write_text(first.read_text())
    with pytest.raises(ToolError, match=r"two Alembic migrations are called a1"):
        pending_migrations(tool_of(project), project, None)


def test_a_migration_that_is_no_python(tmp_path: Path) -> None:
    project = alembic(tmp_path)
    write(project, {"alembic/versions/b.py": "revision = 'b'\n<<<<<<< HEAD\n"})
    with pytest.raises(ToolError, match=r"b.py, line 2"):
        pending_migrations(tool_of(project), project, None)


@pytest.mark.postgres
def test_what_django_has_not_run(production: str, tmp_path: Path) -> None:
    project = django(tmp_path)
    tool = tool_of(project)
    assert pending_migrations(tool, project, production) == ("shop.0001_initial",)
    asked(production, RAN)
    django_project.add(project, "0002_code", django_project.SECOND)
    assert pending_migrations(tool, project, production) == ("shop.0002_code",)


_SQUASHED = """
    from django.db import migrations

    class Migration(migrations.Migration):
        replaces = [("shop", "0001_initial"), ("shop", "0002_code")]
"""


@pytest.mark.parametrize("migrated", [False, True])
@pytest.mark.postgres
def test_of_squashed_migrations_one_side_runs(
    production: str, tmp_path: Path, migrated: bool
) -> None:
    project = django(tmp_path)
    if migrated:
        asked(production, RAN)
    django_project.add(project, "0002_code", django_project.SECOND)
    django_project.add(project, "0001_squashed", _SQUASHED)
    left = "shop.0002_code" if migrated else "shop.0001_squashed"
    assert pending_migrations(tool_of(project), project, production) == (left,)


def test_the_texts_of_migrations_that_are_programs(tmp_path: Path) -> None:
    project = django(tmp_path / "django")
    django_project.add(project, "0002_code", django_project.SECOND)
    (project / "shop/migrations/0003_linked.py").symlink_to(project / "manage.py")
    assert list(program_texts(project)) == ["shop.0002_code"]
    assert "order.code = order.reference.upper()" in program_texts(project)["shop.0002_code"]

    project = alembic(tmp_path / "alembic")
    alembic_project.add(project, "b2", "a1", 'op.execute("SELECT 1")')
    write(project, {"alembic/versions/broken.py": "revision = (  # op.execute"})
    assert list(program_texts(project)) == ["b2"]

    assert program_texts(write(tmp_path / "sql", {"migrations/001.sql": "SELECT 1;"})) == {}
    assert program_texts(write(tmp_path / "bad", {"alembic.ini": "no section"})) == {}
