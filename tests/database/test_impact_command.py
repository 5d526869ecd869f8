"""`dayfly impact` as a person or somebody's CI types it, without an environment."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from dayfly.database.answer import Question, of_files
from dayfly.database.cluster import new_cluster
from dayfly.database.scratch import ScratchServer, scratch_server, serving
from dayfly.database.sqlfiles import apply_files
from fake_server.terminal import SOURCE, Screen, Terminal
from migrating import django_project
from migrating.django_project import django

SCHEMA = """
CREATE TABLE orders (id serial PRIMARY KEY, customer text NOT NULL, note text, amount int);
INSERT INTO orders (customer, note)
    SELECT 'c' || i, CASE WHEN i % 7 > 0 THEN 'n' END FROM generate_series(1, 1000) i;
ANALYZE
"""
STATEMENT = "SELECT id, amount FROM orders WHERE id = $1"
WITH_DEFAULT = "ALTER TABLE orders ADD x int NOT NULL DEFAULT 0"

NETWORK = 'import socket; socket.create_connection(("registry.invalid", 443))'

Written = Callable[..., Path]


@pytest.fixture
def terminal(tmp_path: Path, scratch: Path) -> Terminal:
    home = scratch / "home"
    home.mkdir(exist_ok=True)
    home.chmod(0o711)
    (home / "environment.toml").write_text('name = "production"\n')
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), "DAYFLY_HOME": str(home)}
    return Terminal(tmp_path, env)


@pytest.fixture
def orders(production: str) -> str:
    with psycopg.connect(production, autocommit=True) as connection:
        connection.execute(SCHEMA)
    return production


@pytest.fixture
def other(scratch: Path, postgresql: Path) -> Iterator[str]:
    """A database on a server that is not production's."""
    with scratch_server(scratch / "other", postgresql) as server, server.database() as url:
        yield url


@pytest.fixture
def written(tmp_path: Path) -> Written:
    def write(**files: str) -> Path:
        for name, text in files.items():
            (tmp_path / "migrations").mkdir(exist_ok=True)
            (tmp_path / "migrations" / f"{name}.sql").write_text(text)
        return tmp_path / "migrations"

    return write


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("CREATE TABLE notes (id int)", "none"),
        ("ALTER TABLE orders ADD COLUMN urgent boolean", "online"),
        ("ALTER TABLE orders DROP COLUMN amount", "staged"),
        # As Django adds a column: nobody keeps the default for the outgoing release.
        (f"{WITH_DEFAULT}; ALTER TABLE orders ALTER x DROP DEFAULT", "staged"),
        ("UPDATE orders SET note = 'x'", "downtime"),
    ],
)
def test_the_verdict_on_a_directory_of_sql(
    terminal: Terminal, orders: str, written: Written, text: str, verdict: str
) -> None:
    written(a=text)

    done = terminal.type("impact", "--database", orders, "--migrations", "migrations", "--json")

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["commit"], told["verdict"], told["pending"]) == (None, verdict, ["a.sql"])
    assert told["rollback"]["state"] in {"catalogue only", "closed"}
    assert set(told["rollback"]) == {"state", "loses", "covered", "why"}


def test_production_is_asked_and_never_changed(
    terminal: Terminal, orders: str, written: Written
) -> None:
    """Rows that were made up for the copy stop no migration; production's own are counted."""
    written(a="ALTER TABLE orders ALTER note SET NOT NULL")

    done = terminal.type("impact", "--database", orders, "--migrations", "migrations")

    assert "will fail: production has 142 rows in which note is NULL" in done.stdout
    assert "VALIDATE CONSTRAINT" in done.stdout
    with psycopg.connect(orders) as connection:
        found = connection.execute("SELECT count(*) FROM pg_class WHERE relname ~ 'dayfly'")
        assert found.fetchone() == (0,)


def test_a_person_sees_what_takes_long(terminal: Terminal, orders: str, written: Written) -> None:
    written(a="ALTER TABLE orders ADD more int")
    screen = Screen(terminal, "impact", "--database", orders, "--migrations", "migrations")
    try:
        screen.wait_for("the migrations run on the copy")
        screen.wait_for("online")
    finally:
        screen.close()


@pytest.mark.parametrize(
    "text",
    [
        "DROP VIEW noted; CREATE VIEW noted AS SELECT id FROM orders",
        "ALTER TABLE orders ADD number serial",
        "RESET ROLE; DROP VIEW noted; CREATE VIEW noted AS SELECT id FROM orders",
    ],
)
def test_what_a_migration_makes_belongs_to_the_role_that_migrates(
    scratch: Path, orders: str, written: Written, text: str
) -> None:
    """Else the app, which enters as the same role, would seem to lack the rights."""
    with psycopg.connect(orders, autocommit=True) as connection:
        connection.execute("CREATE VIEW noted AS SELECT id FROM orders")
    question = Question(url=orders, folder=scratch, budget=1.0)
    found = of_files(question, written(a=text)).impact
    assert "rights" not in "".join(finding.message for finding in found.findings)
    assert not [finding for finding in found.findings if "may not" in finding.message]


def test_statements_of_the_app_are_tried_and_a_verdict_can_fail_a_build(
    terminal: Terminal, orders: str, written: Written, tmp_path: Path
) -> None:
    written(a="ALTER TABLE orders DROP COLUMN amount")
    (tmp_path / "seen.sql").write_text(f"{STATEMENT};\n")
    words = ["impact", "--database", orders, "--migrations", "migrations"]

    done = terminal.type(*words, "--statements", "seen.sql", "--fail-on", "staged")

    assert done.returncode == 1
    assert 'column "amount" does not exist' in done.stdout
    assert "1 checked, 1 broken" in done.stdout
    assert terminal.type(*words, "--fail-on", "downtime").returncode == 0


def test_any_tool_is_asked_by_its_command(terminal: Terminal, orders: str) -> None:
    told = "import os, psycopg; psycopg.connect(os.environ['DATABASE_URL'], autocommit=True)"
    migrate = f"{sys.executable} -c \"{told}.execute('ALTER TABLE orders ADD x int')\""

    done = terminal.type("impact", "--database", orders, "--migrate", migrate, "--json")

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["verdict"], answer["pending"]) == ("online", None)
    asks = f"{sys.executable} -c \"{told}.execute('SELECT 1')\""
    nothing = terminal.type("impact", "--database", orders, "--migrate", asks)
    assert "nothing is pending" in nothing.stdout


THERE = "import psycopg; psycopg.connect('{}', autocommit=True).execute('DROP TABLE orders')"


@pytest.mark.parametrize(
    "migrate", ["true", f'PGOPTIONS= PGAPPNAME= {sys.executable} -c "{THERE}"']
)
def test_a_command_that_takes_its_database_from_elsewhere(
    terminal: Terminal, orders: str, migrate: str
) -> None:
    """It may have done there what it likes, so this is no answer."""
    words = ["--migrate", migrate.replace("{}", orders), "--json"]

    done = terminal.type("impact", "--database", orders, *words)

    assert (done.returncode, done.stdout) == (1, "")
    assert "It takes its database from elsewhere than DATABASE_URL" in done.stderr
    assert ("PRODUCTION WAS CHANGED" in done.stderr) == ("DROP" in migrate)


def test_what_is_in_the_folder_is_recognised(
    terminal: Terminal, orders: str, tmp_path: Path
) -> None:
    (tmp_path / "db" / "migrations").mkdir(parents=True)
    migration = tmp_path / "db" / "migrations" / "001_note.sql"
    migration.write_text("ALTER TABLE orders ADD COLUMN urgent boolean")

    done = terminal.type("impact", "--database", orders, "--json")

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["verdict"], told["pending"]) == ("online", ["001_note.sql"])


def test_two_heads_of_a_recognised_tool_are_told_before_anything_runs(
    terminal: Terminal, orders: str, tmp_path: Path
) -> None:
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = steps\n")
    versions = tmp_path / "steps" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / "steps" / "env.py").write_text("")
    for name in "ab":
        (versions / f"{name}.py").write_text(f"revision = '{name}'\ndown_revision = None\n")

    done = terminal.type("impact", "--database", orders)

    assert (done.returncode, "heads" in done.stderr) == (1, True), done.stderr


@pytest.mark.skipif(
    not list(Path("/usr/share/postgresql").glob("*/extension/pg_stat_statements.control"))
    and not os.environ.get("CI"),
    reason="needs pg_stat_statements",
)
def test_what_the_server_has_counted_is_tried(
    terminal: Terminal, scratch: Path, postgresql: Path, written: Written
) -> None:
    counting = {"shared_preload_libraries": "pg_stat_statements"}
    with new_cluster(scratch, postgresql) as cluster, serving(cluster, postgresql, counting) as its:
        url = its.url("postgres")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION pg_stat_statements")
            connection.execute(SCHEMA)
            connection.execute("SELECT id FROM orders WHERE amount = 5")
        written(a="ALTER TABLE orders DROP COLUMN amount")

        done = terminal.type("impact", "--database", url, "--migrations", "migrations")

    assert done.returncode == 0, done.stderr
    assert 'SELECT id FROM orders WHERE amount = $1: column "amount" does not exist' in done.stdout


def test_what_has_run_is_not_pending(terminal: Terminal, orders: str, written: Written) -> None:
    apply_files(orders, written(a="ALTER TABLE orders DROP COLUMN amount"))

    done = terminal.type("impact", "--database", orders, "--migrations", "migrations")

    assert (done.returncode, "nothing is pending" in done.stdout) == (0, True), done.stderr


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["--migrations", "missing"], 1, "missing"),
        (["--migrate", "true", "--budget", "soon"], 2, "--budget soon"),
        (["--migrate", "true", "--statements", "none.sql"], 1, "none.sql"),
        (["--migrate", "true", "--migrations", "x"], 2, "not allowed with"),
        ([], 2, "No migrations are recognised"),
        (["--database", "nowhere", "--migrate", "true"], 1, "postgresql://USER"),
    ],
)
def test_what_is_asked_wrongly_is_told(
    terminal: Terminal, orders: str, words: list[str], status: int, says: str
) -> None:
    done = terminal.type("impact", "--database", orders, *words)

    assert (done.returncode, says in done.stderr) == (status, True), done.stderr


@pytest.mark.parametrize(
    ("migrate", "details"),
    [
        ("false", "`false` said nothing."),
        ("echo no such app; exit 3", "no such app"),
        (f"{sys.executable} -c '{NETWORK}'", "It needs the network"),
        ("echo $FLYWAY_URL; exit 3", "jdbc:postgresql://127.0.0.1:"),
    ],
)
def test_what_fails_on_the_copy_counts_as_downtime(
    terminal: Terminal, orders: str, migrate: str, details: str
) -> None:
    words = ["impact", "--database", orders, "--migrate", migrate.replace("{}", orders), "--json"]

    done = terminal.type(*words)

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    [finding] = answer["findings"]
    assert (answer["verdict"], answer["pending"]) == ("downtime", None)
    assert answer["rollback"]["state"] == "closed"
    assert "failed on the scratch copy with exit status" in finding["message"]
    assert details in finding["remedy"]


def test_a_command_that_turns_to_production_is_told_so_before_its_last_words(
    terminal: Terminal, orders: str
) -> None:
    """Production has not let it in, so this is an answer."""
    talks = f"{sys.executable} -c 'for word in range(40): print(word)'"
    migrate = f'{talks}; {sys.executable} -c "{THERE.replace("{}", orders)}"'

    done = terminal.type("impact", "--database", orders, "--migrate", migrate)

    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    where = orders.rpartition("@")[2]
    assert told[1] == (
        f"  it can't be assessed: the migrate command turned to production (app@{where}) "
        "instead of the copy, and was not let in"
    )
    assert told[3].startswith("      It takes its database from elsewhere than DATABASE_URL")
    assert told[5] == "      Its last words:"
    assert "only_on_the_copy" in done.stdout
    assert "      20" not in told


def test_a_command_that_turns_to_another_server_is_told_so_too(
    terminal: Terminal, orders: str, other: str
) -> None:
    migrate = f'{sys.executable} -c "{THERE.replace("{}", other)}"'

    done = terminal.type("impact", "--database", orders, "--migrate", migrate)

    assert "turned to another database (at 127.0.0.1, port" in done.stdout


def test_a_file_that_fails_on_the_copy_can_fail_a_build(
    terminal: Terminal, orders: str, written: Written
) -> None:
    written(a="ALTER TABLE nowhere ADD COLUMN x int")
    words = ["impact", "--database", orders, "--migrations", "migrations"]

    done = terminal.type(*words, "--fail-on", "downtime")

    assert done.returncode == 1
    assert done.stdout.startswith("downtime  1 finding")
    assert "it can't be assessed" in done.stdout
    assert 'relation "nowhere" does not exist' in done.stdout
    assert terminal.type(*words).returncode == 0


def test_the_environment_says_where_postgresql_is(
    terminal: Terminal, scratch: Path, orders: str, written: Written
) -> None:
    written(a="CREATE TABLE notes (id int)")
    settings = scratch / "home" / "environment.toml"
    settings.write_text('name = "production"\npostgresql = "/nowhere"\n')

    done = terminal.type("impact", "--database", orders, "--migrations", "migrations")

    assert done.returncode == 1
    assert "postgresql = '/nowhere' in environment.toml" in done.stderr


def test_a_database_that_can_not_be_reached_is_named_without_its_password(
    terminal: Terminal, orders: str
) -> None:
    wrong = orders.replace("@", "x@")

    done = terminal.type("impact", "--database", wrong, "--migrate", "true")

    assert done.returncode == 1
    assert "The password in the URL is wrong" in done.stderr
    assert wrong.split(":")[2].split("@")[0] not in done.stderr


def test_a_verdict_that_does_not_exist_is_told_with_its_option(terminal: Terminal) -> None:
    done = terminal.type("impact", "--fail-on", "foo")
    assert done.returncode == 2
    assert "--fail-on foo: allowed are none, online, staged, downtime." in done.stderr


def test_a_person_sees_what_is_what(terminal: Terminal, orders: str, written: Written) -> None:
    asked = ("impact", "--database", orders, "--migrations", "migrations")
    written(a="CREATE INDEX ON orders (amount)")
    assert "1 pending, 1 finding  (" in terminal.type(*asked).stdout
    written(a="ALTER TABLE orders DROP COLUMN amount")
    told = terminal.type(*asked).stdout.splitlines()
    for line in (
        "    migration: a.sql",
        "    statement: ALTER TABLE orders DROP COLUMN amount",
        "    the safe form:",
    ):
        assert line in told


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ("REVOKE INSERT ON orders FROM teller", "staged"),
        ("ALTER TABLE orders ENABLE ROW LEVEL SECURITY", "staged"),
        ("ALTER TABLE orders ADD more int", "online"),
    ],
)
def test_the_rights_of_the_apps_own_role_count(
    terminal: Terminal, elsewhere: ScratchServer, orders: str, written: Written, change: str,
    verdict: str,
) -> None:  # fmt: skip
    name = orders.rpartition("/")[2]
    with psycopg.connect(elsewhere.url(name), autocommit=True) as admin:
        admin.execute("CREATE ROLE teller LOGIN PASSWORD 'teller'")
        admin.execute("GRANT SELECT, INSERT ON orders TO teller")
        try:
            written(a=change)
            teller = elsewhere.url(name, "teller", "teller")
            words = ("impact", "--database", orders, "--migrations", "migrations")
            done = terminal.type(*words, "--app-database", teller, "--json")
            assert json.loads(done.stdout)["verdict"] == verdict, done.stdout + done.stderr
        finally:
            admin.execute("DROP OWNED BY teller; DROP ROLE teller")


@pytest.fixture
def reader(elsewhere: ScratchServer, production: str) -> Iterator[str]:
    """The URL of production as a role that may only read."""
    name = production.rpartition("/")[2]
    with psycopg.connect(elsewhere.url(name), autocommit=True) as admin:
        admin.execute("CREATE ROLE reader LOGIN PASSWORD 'reader'")
        admin.execute("GRANT pg_read_all_data TO reader")
        yield elsewhere.url(name, "reader", "reader")
        admin.execute("DROP OWNED BY reader; DROP ROLE reader")


@pytest.mark.parametrize(
    ("migrated", "right"),
    [
        (True, 'Only its owner may: ALTER TABLE shop_order OWNER TO "reader"'),
        (False, 'Let its owner grant it: GRANT CREATE ON SCHEMA public TO "reader"'),
    ],
)
def test_a_command_that_lacks_the_rights_is_told_with_whose_it_had(
    terminal: Terminal, production: str, reader: str, tmp_path: Path, *, migrated: bool, right: str
) -> None:
    project = django(tmp_path)
    if migrated:
        assert django_project.migrate(project)(production) == 0
        django_project.add(project, "0002_code", django_project.SECOND)
    migrate = f"{sys.executable} manage.py migrate --noinput"

    done = terminal.type("impact", "--database", reader, "--migrate", migrate)

    details = done.stdout.partition("    details:\n")[2].splitlines()
    assert details[0].strip() == (
        "It had the rights of reader, the role in the URL: ask as the role that migrates; "
        "the database belongs to app."
    )
    assert right in details[1]


def test_files_that_ran_by_hand_are_told_how_to_be_written_down(
    terminal: Terminal, orders: str, written: Written
) -> None:
    written(a="CREATE TABLE orders (id int)")
    done = terminal.type("impact", "--database", orders, "--migrations", "migrations")
    assert 'INSERT INTO "dayfly_migrations"' in done.stdout
