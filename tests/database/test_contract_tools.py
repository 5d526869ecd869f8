"""The real tools go as far as they are told, and the rest of the way later."""

import shlex
import sys
from pathlib import Path

import pytest

from dayfly.command import Setting, run
from dayfly.database.answer import of_command, of_files
from dayfly.database.capture import Run
from dayfly.database.contract import TARGET, ContractError, Split, of_revisions, undone
from dayfly.database.contract import of_files as files_to_leave
from dayfly.database.pending import pending_revisions
from dayfly.database.production import recorded
from dayfly.database.python_migrations import Tree, tree_of
from dayfly.database.question import Answer, Question
from dayfly.database.sqlfiles import apply_files, pending_files
from dayfly.database.tools import tool_of
from migrating import PLAIN, alembic_project, asked, django_project, write
from migrating.alembic_project import alembic, upgrade
from migrating.django_project import SECOND, django, migrate

pytestmark = pytest.mark.postgres

PYTHON = shlex.quote(sys.executable)
ALEMBIC = f"{PYTHON} -m alembic upgrade ${{{TARGET}:-head}}"
DJANGO = f"{PYTHON} manage.py migrate --noinput ${TARGET}"
REMOVE = """
    from django.db import migrations

    class Migration(migrations.Migration):
        dependencies = [("shop", "0002_code")]
        operations = [migrations.RemoveField("Order", "reference")]
"""
BLOG = """
    from django.db import migrations, models

    class Migration(migrations.Migration):
        initial = True
        dependencies = [("shop", "0002_code")]
        operations = [migrations.CreateModel("Post", [("id", models.AutoField(primary_key=True))])]
"""


def going(folder: Path, command: str, targets: tuple[str, ...] = ("",)) -> Run:
    """A migrate command as a release runs it: once for each target."""

    def run_it(url: str) -> int:
        for target in targets:
            env = {**PLAIN, "DATABASE_URL": url, "PYTHONDONTWRITEBYTECODE": "1"}
            env |= {TARGET: target} if target else {}
            setting = Setting(cwd=folder, env=env)
            argv = ["/bin/sh", "-c", command]
            status = run(argv, setting=setting, seconds=60, check=False, on_line=print).status
            if status:
                return status
        return 0

    return run_it


def split_of(folder: Path, url: str, *patterns: str) -> tuple[Tree, Split]:
    tree = tree_of(tool_of(folder), folder)
    return tree, of_revisions(tree, pending_revisions(tree, url), patterns)


def asked_of(question: Question, folder: Path, command: str, tree: Tree, split: Split) -> Answer:
    return of_command(
        question,
        going(folder, command, split.targets),
        split.now,
        check=lambda done: undone(split, tree, done),
        rest=(going(folder, command), split.later),
    )


def later_of(answer: Answer) -> tuple[str, list[str]]:
    """What will come of what waits: the verdict, and findings in their words."""
    assert answer.later is not None
    assert answer.later.impact is not None, answer.later.why
    found = answer.later.impact
    return found.verdict, [each.message for each in found.findings]


def columns(url: str, table: str) -> object:
    question = f"""
        SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped
    """
    return asked(url, question.encode())


def test_alembic(production: str, scratch: Path, tmp_path: Path) -> None:
    project = alembic(tmp_path)
    assert upgrade(project)(production) == 0
    alembic_project.add(project, "b2", "a1", "op.add_column('shops', sa.Column('n', sa.Text))")
    alembic_project.add(project, "c3", "b2", "op.drop_column('shops', 'n')")
    tree, split = split_of(project, production, "c3_more")
    assert split == Split(now=("b2",), later=("c3",), targets=("b2",))
    question = Question(url=production, folder=scratch, budget=1.0)

    answer = asked_of(question, project, ALEMBIC, tree, split)
    assert (answer.impact.verdict, answer.pending) == ("online", ("b2",))
    verdict, messages = later_of(answer)
    assert verdict == "staged"
    assert any("drops shops.n" in message for message in messages), messages
    with pytest.raises(ContractError, match="runs c3, a contract migration, in spite of"):
        asked_of(question, project, f"{PYTHON} -m alembic upgrade head", tree, split)

    assert going(project, ALEMBIC, split.targets)(production) == 0
    assert columns(production, "shops") == "id n"
    assert split_of(project, production, "c3")[1].targets == ("b2",), "nothing but what waits"
    assert going(project, ALEMBIC)(production) == 0
    assert columns(production, "shops") == "id"


def test_django(production: str, scratch: Path, tmp_path: Path) -> None:
    project = django(tmp_path)
    assert migrate(project)(production) == 0
    settings = project / "settings.py"
    settings.write_text(settings.read_text().replace('"shop"]', '"shop", "blog"]'))
    write(project, {
        "blog/__init__.py": "",
        "blog/migrations/__init__.py": "",
        "blog/migrations/0001_initial.py": BLOG,
    })  # fmt: skip
    django_project.add(project, "0002_code", SECOND)
    django_project.add(project, "0003_remove", REMOVE)
    tree, split = split_of(project, production, "shop.0003_*")
    assert split.now == ("shop.0002_code", "blog.0001_initial")
    assert split.targets == ("shop 0002_code", "blog 0001_initial")
    question = Question(url=production, folder=scratch, budget=1.0)

    answer = asked_of(question, project, DJANGO, tree, split)
    assert answer.pending == split.now
    with pytest.raises(ContractError, match=r"runs shop\.0003_remove, a contract migration"):
        asked_of(question, project, f"{PYTHON} manage.py migrate --noinput", tree, split)

    assert going(project, DJANGO, split.targets)(production) == 0
    assert {"shop.0002_code", "blog.0001_initial"} <= {*recorded(production)}
    assert columns(production, "shop_order") == "id reference code"
    assert split_of(project, production, "shop.0003_*")[1].targets == ()
    assert going(project, DJANGO)(production) == 0
    assert columns(production, "shop_order") == "id code"


@pytest.mark.parametrize("names", [("1_a.sql", "2_drop.sql"), ("V1__a.sql", "V2__drop.sql")])
def test_sql_files(production: str, scratch: Path, tmp_path: Path, names: tuple[str, str]) -> None:
    asked(production, b"CREATE TABLE shops (id int, n text)")
    add, drop = names
    write(tmp_path, {add: "ALTER TABLE shops ADD x int", drop: "ALTER TABLE shops DROP n"})
    split = files_to_leave(pending_files(production, tmp_path), ("*_drop.sql",))
    question = Question(url=production, folder=scratch, budget=1.0)

    answer = of_files(question, tmp_path, leave=split.later)
    assert (answer.impact.verdict, answer.pending) == ("online", names[:1])

    assert apply_files(production, tmp_path, leave=split.later) == names[:1]
    assert columns(production, "shops") == "id n x"
    assert of_files(question, tmp_path, leave=split.later).pending == ()
    assert apply_files(production, tmp_path) == names[1:]
    assert columns(production, "shops") == "id x"
