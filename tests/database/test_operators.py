"""Copies on a server of the operator's: ours go, and what is somebody else's stays as it is."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from dayfly.clock import wait_until
from dayfly.database.answer import of_command, of_files
from dayfly.database.cluster import new_cluster
from dayfly.database.copy import copy_of
from dayfly.database.operators import MARK, PREFIX
from dayfly.database.programs import DatabaseError, programs_for
from dayfly.database.question import Answer, Question
from dayfly.database.roles import given_passwords, roles_of, set_back
from dayfly.database.scratch import ScratchServer, serving
from migrating import applying, asked, write

pytestmark = pytest.mark.postgres

ORDERS = """
    CREATE TABLE orders (id int PRIMARY KEY, amount int, note text);
    INSERT INTO orders SELECT i, i FROM generate_series(1, 100) i; ANALYZE orders;
"""
LOGGING = {"logging_collector": "on", "log_destination": "jsonlog", "log_rotation_size": "100kB"}
DROP = "ALTER TABLE orders DROP COLUMN note"
DATABASES = "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database"
ROLES = "SELECT string_agg(rolname || rolcanlogin || rolsuper, ' ' ORDER BY rolname) FROM pg_roles"
GRANTS = """
    GRANT pg_monitor, pg_read_server_files TO scratcher;
    GRANT EXECUTE ON FUNCTION pg_current_logfile(text),
        pg_read_binary_file(text, bigint, bigint, boolean) TO scratcher;
"""
PARAMETERS = "GRANT SET ON PARAMETER session_replication_role, log_statement TO scratcher"


@pytest.fixture(scope="module")
def operators(scratch: Path, postgresql: Path) -> Iterator[ScratchServer]:
    """With a database and a role of somebody else's, whose names begin as ours do."""
    with (
        new_cluster(scratch / "operators", postgresql) as cluster,
        serving(cluster, postgresql, LOGGING) as server,
    ):
        admin = server.url("postgres")
        for text in (f"CREATE DATABASE {PREFIX}notes", f"CREATE ROLE {PREFIX}keeper",
                     "CREATE ROLE scratcher LOGIN PASSWORD 'scratcher'"):  # fmt: skip
            asked(admin, text.encode())
        asked(server.url("postgres"), "ALTER SYSTEM SET lc_messages = 'C'")
        asked(server.url("postgres"), "SELECT pg_reload_conf()")
        yield server


@pytest.fixture
def scratcher(operators: ScratchServer) -> str:
    """The URL of a role that starts without any right."""
    admin = operators.url("postgres")
    asked(admin, "ALTER ROLE scratcher NOSUPERUSER NOCREATEDB NOCREATEROLE")
    asked(admin, "REVOKE pg_monitor, pg_read_server_files FROM scratcher")
    asked(admin, b"REVOKE ALL ON PARAMETER session_replication_role, log_statement FROM scratcher")
    return operators.url("postgres", "scratcher", "scratcher")


@pytest.fixture
def shop(production: str, elsewhere: ScratchServer) -> str:
    """Production, which has a role that the operator's server lacks."""
    asked(production, ORDERS.encode())
    with psycopg.connect(elsewhere.url("postgres"), autocommit=True) as admin:
        if admin.execute("SELECT FROM pg_roles WHERE rolname = 'clerk'").fetchone() is None:
            admin.execute("CREATE ROLE clerk LOGIN PASSWORD 'clerk'")
    asked(production, "GRANT SELECT ON orders TO clerk")
    return production


def question(url: str, scratch_url: str, scratch: Path) -> Question:
    return Question(url=url, scratch_url=scratch_url, folder=scratch / "operated", budget=1)


def verdict(answer: Answer) -> str:
    assert "drops orders.note" in " ".join(f.message for f in answer.impact.findings)
    return answer.impact.verdict


def state(server: ScratchServer) -> tuple[object, ...]:
    return tuple(asked(server.url("postgres"), text.encode()) for text in (DATABASES, ROLES))


def test_a_superuser_answers_for_files_and_for_commands(
    shop: str, operators: ScratchServer, scratch: Path, tmp_path: Path
) -> None:
    before = state(operators)
    write(tmp_path, {"1.sql": DROP})
    asks = question(shop, operators.url("postgres"), scratch)

    assert verdict(of_files(asks, tmp_path)) == "staged"
    assert verdict(of_command(asks, applying(tmp_path))) == "staged"

    assert state(operators) == before


def test_a_role_with_the_grants_answers_for_files_and_for_commands(
    shop: str, scratcher: str, operators: ScratchServer, scratch: Path, tmp_path: Path
) -> None:
    admin = operators.url("postgres")
    asked(admin, "ALTER ROLE scratcher CREATEDB CREATEROLE")
    asked(admin, PARAMETERS.encode())
    asked(admin, "GRANT app TO scratcher")
    before = state(operators)
    write(tmp_path, {"1.sql": DROP})
    asks = question(shop, scratcher, scratch)

    assert verdict(of_files(asks, tmp_path)) == "staged", "its log can't be read, nor need it be"
    with pytest.raises(DatabaseError, match="log of scratch_url's server can't be read") as caught:
        of_command(asks, applying(tmp_path))
    assert "GRANT pg_monitor, pg_read_server_files" in caught.value.hint
    assert "SQL files need none" in caught.value.hint

    asked(admin, GRANTS.encode())
    assert verdict(of_command(asks, applying(tmp_path))) == "staged"
    assert state(operators) == before


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((), ("lacks CREATEDB", 'ALTER ROLE "scratcher" CREATEDB CREATEROLE;')),
        (("ALTER ROLE scratcher CREATEDB",), ("lacks CREATEROLE", "CREATEDB CREATEROLE")),
        (
            ("ALTER ROLE scratcher CREATEDB CREATEROLE", "GRANT app TO scratcher"),
            (
                'permission denied to set parameter "session_replication_role"',
                'GRANT SET ON PARAMETER session_replication_role, log_statement TO "scratcher"',
            ),
        ),
        (
            ("ALTER ROLE scratcher CREATEDB CREATEROLE", "REVOKE app FROM scratcher", PARAMETERS),
            ('must be member of role "app"', 'GRANT "app" TO "scratcher"'),
        ),
    ],
)
def test_a_right_that_is_missing_is_named(
    shop: str,
    scratcher: str,
    operators: ScratchServer,
    scratch: Path,
    given: tuple[str, ...],
    told: tuple[str, str],
) -> None:
    for text in given:
        asked(operators.url("postgres"), text.encode())
    before = state(operators)
    with (
        pytest.raises(DatabaseError, match=told[0]) as caught,
        copy_of(shop, folder=scratch / "operated", scratch_url=scratcher),
    ):
        pass
    assert told[1] in caught.value.hint
    assert "scratcher:scratcher" not in caught.value.message + caught.value.hint
    assert state(operators) == before


def test_what_a_crash_left_is_dropped_and_nothing_of_somebody_else(
    shop: str, operators: ScratchServer, scratch: Path
) -> None:
    admin, run = operators.url("postgres"), "0" * 16
    before = state(operators)
    asked(admin, "CREATE ROLE left_over")
    asked(admin, f"COMMENT ON ROLE left_over IS '{MARK}'".encode())
    for name in (run, f"{run}_00000000"):
        asked(admin, f"CREATE DATABASE {PREFIX}{name}".encode())
    live, going = f"{PREFIX}{'1' * 16}", "dayfly scratch " + "1" * 16
    asked(admin, f"CREATE DATABASE {live}".encode())
    with psycopg.connect(admin, application_name=going):  # another run, under way
        with copy_of(shop, folder=scratch / "operated", scratch_url=admin) as copies:
            assert asked(copies.as_production(copies.fresh()), "SELECT current_user") == "app"
            assert PREFIX + run not in str(state(operators)[0])
        assert live in str(state(operators)[0])
    with copy_of(shop, folder=scratch / "operated", scratch_url=admin) as copies:
        assert asked(copies.entered_by("clerk", copies.fresh()), "SELECT current_user") == "clerk"
    assert state(operators) == before


def test_what_a_migration_sets_for_a_role_is_no_more_when_it_was_asked(
    shop: str, elsewhere: ScratchServer, operators: ScratchServer, scratch: Path, tmp_path: Path
) -> None:
    """It would hold in each session that the role begins on that server, in our next ones too."""
    admin = operators.url("postgres")
    settings = "SELECT array_agg(setconfig ORDER BY setrole, setdatabase) FROM pg_db_role_setting"
    asked(admin, """ALTER ROLE dayfly SET search_path = "$user", public, 'a b'""")
    asked(admin, "ALTER ROLE dayfly SET app.tenant = 'one'")
    before = asked(admin, settings)
    asks = question(elsewhere.url(conninfo_to_dict(shop)["dbname"]), admin, scratch)
    write(tmp_path / "set", {"1.sql": """
        CREATE SCHEMA app2; ALTER ROLE dayfly SET search_path = app2;
        ALTER ROLE dayfly RESET app.tenant; ALTER ROLE ALL SET work_mem = '5MB';
        ALTER DATABASE postgres SET search_path = app2;
    """})  # fmt: skip
    write(tmp_path / "drop", {"1.sql": DROP})

    of_files(asks, tmp_path / "set")

    assert asked(admin, settings) == before
    assert verdict(of_files(asks, tmp_path / "drop")) == "staged"
    asked(admin, "ALTER ROLE dayfly RESET ALL")


def role(url: str, name: str) -> object:
    """All that is kept of it, with what it is a member of."""
    kept = f"""
        SELECT (to_jsonb(a) - 'oid')::text || array(SELECT m.roleid::regrole::text || m.admin_option
            FROM pg_auth_members m WHERE m.member = a.oid ORDER BY 1)::text
        FROM pg_authid a WHERE rolname = '{name}'
    """
    return asked(url, kept.encode())


def test_a_role_of_the_operators_is_after_a_question_what_it_was(
    shop: str, elsewhere: ScratchServer, operators: ScratchServer, scratch: Path, tmp_path: Path
) -> None:
    """Who logs in there by it would be locked out, or let in."""
    admin = operators.url("postgres")
    before = role(admin, "app")
    write(tmp_path, {"1.sql": f"ALTER ROLE app PASSWORD 'known' NOLOGIN; {DROP}"})
    asks = question(elsewhere.url(conninfo_to_dict(shop)["dbname"]), admin, scratch)

    assert verdict(of_files(asks, tmp_path)) == "downtime", "of the role: nobody can assess that"

    assert role(admin, "app") == before


@pytest.mark.parametrize(
    "statements",
    [
        "ALTER ROLE worker SUPERUSER NOINHERIT CREATEROLE BYPASSRLS CONNECTION LIMIT 3",
        "ALTER ROLE worker VALID UNTIL '2040-01-01'; ALTER ROLE worker PASSWORD NULL",
        "ALTER ROLE worker RENAME TO renamed; ALTER ROLE renamed PASSWORD 'x'",
        "DROP ROLE worker",
        "GRANT dayfly TO worker WITH ADMIN OPTION",
        "REVOKE helpers FROM worker",
        "REVOKE ADMIN OPTION FOR helpers FROM worker",
    ],
)
def test_whatever_became_of_a_role_is_put_back(operators: ScratchServer, statements: str) -> None:
    admin = operators.url("postgres")
    asked(
        admin,
        b"""CREATE ROLE helpers; CREATE ROLE worker LOGIN PASSWORD 'w'
        VALID UNTIL 'infinity' ROLE dayfly; GRANT helpers TO worker WITH ADMIN OPTION""",
    )
    before = role(admin, "worker")
    try:
        with psycopg.connect(admin, autocommit=True) as session:
            kept = roles_of(session, ("helpers", "worker", "dayfly"))
            session.execute("REVOKE worker FROM dayfly")
            session.execute(statements.encode())
            assert role(admin, "worker") != before
            set_back(session, kept)

        assert role(admin, "worker") == before
    finally:
        asked(admin, b"DROP ROLE IF EXISTS worker, renamed, helpers")


def test_a_password_that_could_not_be_put_back_is_not_given(
    shop: str, scratcher: str, operators: ScratchServer, scratch: Path, tmp_path: Path
) -> None:
    admin = operators.url("postgres")
    for text in ("ALTER ROLE scratcher CREATEDB CREATEROLE", "GRANT app TO scratcher", PARAMETERS):
        asked(admin, text.encode())
    password = b"SELECT rolpassword FROM pg_authid WHERE rolname = 'app'"
    before = asked(admin, password)
    write(tmp_path, {"1.sql": "ALTER USER app WITH ENCRYPTED PASSWORD 'x'"})

    with pytest.raises(DatabaseError, match="gives the role app a password") as caught:
        of_files(question(shop, scratcher, scratch), tmp_path)

    assert "enter as a superuser" in caught.value.hint
    assert asked(admin, password) == before


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("ALTER ROLE app PASSWORD 'x'", ["app"]),
        ("alter user App nologin password null", ["app"]),
        ('DO $$BEGIN EXECUTE \'ALTER ROLE "A""b" PASSWORD NULL\'; END$$', ['A"b']),
        ("ALTER ROLE app NOLOGIN; SELECT 'PASSWORD'", []),
        ("CREATE ROLE app PASSWORD 'x'", []),
        ("ALTER USER MAPPING FOR app SERVER s OPTIONS (SET password 'x')", []),
    ],
)
def test_who_is_given_a_password(text: str, roles: list[str]) -> None:
    assert [*given_passwords(text)] == roles


def test_a_question_waits_for_the_one_before_it(
    shop: str, operators: ScratchServer, scratch: Path
) -> None:
    admin, order = operators.url("postgres"), list[str]()
    waiting = b"SELECT count(*) FROM pg_stat_activity WHERE application_name ~ '^dayfly scratch '"

    def ask() -> None:
        with copy_of(shop, folder=scratch / "operated", scratch_url=admin):
            order.append("second")

    with ThreadPoolExecutor(1) as pool:
        with copy_of(shop, folder=scratch / "operated", scratch_url=admin):
            second = pool.submit(ask)
            wait_until(lambda: asked(admin, waiting) == 2, seconds=30, what="the second one")
            order.append("first")
        second.result()
    assert order == ["first", "second"]


def test_productions_own_server_is_refused(
    shop: str, elsewhere: ScratchServer, scratch: Path
) -> None:
    with (
        pytest.raises(DatabaseError, match="is production's own server"),
        copy_of(shop, folder=scratch, scratch_url=elsewhere.url("postgres")),
    ):
        pass


def test_another_major_version_is_refused(shop: str, scratch: Path) -> None:
    other = programs_for(16, None)
    with (
        new_cluster(scratch / "other", other) as cluster,
        serving(cluster, other, {}) as server,
        pytest.raises(DatabaseError, match=r"runs PostgreSQL 16, and production 15"),
        copy_of(shop, folder=scratch, scratch_url=server.url("postgres")),
    ):
        pass


def test_a_server_that_writes_no_such_log(
    shop: str, scratch: Path, postgresql: Path, tmp_path: Path
) -> None:
    write(tmp_path, {"1.sql": DROP})
    with (
        new_cluster(scratch / "silent", postgresql) as cluster,
        serving(cluster, postgresql, {}) as server,
    ):
        asks = question(shop, server.url("postgres"), scratch)
        assert verdict(of_files(asks, tmp_path)) == "staged"
        with pytest.raises(DatabaseError, match="writes no jsonlog") as caught:
            of_command(asks, applying(tmp_path))
    assert "logging_collector = on" in caught.value.hint


def test_a_copy_has_productions_encoding(
    operators: ScratchServer, elsewhere: ScratchServer, scratch: Path, tmp_path: Path
) -> None:
    admin, url = elsewhere.url("postgres"), elsewhere.url("latin")
    asked(admin, b"CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        with copy_of(url, folder=scratch, scratch_url=operators.url("postgres")) as copies:
            for made in (copies.fresh(), copies.empty()):
                assert asked(made, "SHOW server_encoding") == "LATIN1"
    finally:
        asked(admin, b"DROP DATABASE latin WITH (FORCE)")
