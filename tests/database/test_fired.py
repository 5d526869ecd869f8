"""What is tried of triggers and functions on a copy, and what is left alone."""

import psycopg
import pytest

from copies import Copies, executed, migration
from dayfly.database.impact.assess import assess
from dayfly.database.impact.evidence.fired import exercise
from dayfly.database.scratch import ScratchServer

pytestmark = pytest.mark.postgres

SCHEMA = (
    "CREATE TABLE customers (id int PRIMARY KEY)",
    "CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers, note text)",
    "CREATE TABLE lines (id int PRIMARY KEY, owner int REFERENCES orders)",
    "CREATE TABLE kept (id int, customer int, note text)",
    "INSERT INTO customers VALUES (1)",
    "INSERT INTO orders VALUES (1, 1, 'x')",
    "INSERT INTO lines VALUES (1, 1)",
    """CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS
       $$BEGIN INSERT INTO kept SELECT OLD.*; RETURN OLD; END$$""",
    "CREATE TRIGGER keep AFTER DELETE ON orders FOR EACH ROW EXECUTE FUNCTION keep()",
    "CREATE FUNCTION many() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM orders'",
    """CREATE FUNCTION reach() RETURNS bigint LANGUAGE plpgsql AS
       $$BEGIN PERFORM dblink_exec('', ''); RETURN (SELECT count(*) FROM orders); END$$""",
    """CREATE FUNCTION every() RETURNS SETOF customers LANGUAGE plpgsql AS
       $$BEGIN PERFORM dblink_exec('', ''); RETURN QUERY SELECT * FROM customers; END$$""",
    """CREATE PROCEDURE closing() LANGUAGE plpgsql AS
       $$BEGIN INSERT INTO kept SELECT 1, 1, 'x' FROM customers; COMMIT; END$$""",
    """CREATE FUNCTION among(VARIADIC ids int[]) RETURNS bigint LANGUAGE sql AS
       'SELECT count(id) FROM customers WHERE id = ANY (ids)'""",
    # Two of one name: one reaches out of the database. What calls which, only one of them tells.
    """CREATE FUNCTION sent(n int) RETURNS bigint LANGUAGE plpgsql AS
       $$BEGIN PERFORM dblink_exec('', ''); RETURN n; END$$""",
    "CREATE FUNCTION sent(t text) RETURNS bigint LANGUAGE sql AS 'SELECT 1'",
    "CREATE FUNCTION noted(t text) RETURNS bigint RETURN (SELECT sent(t) + max(id) FROM lines)",
    """CREATE FUNCTION told(t text) RETURNS bigint LANGUAGE sql AS
       'SELECT sent(t) + max(id) FROM lines'""",
)


@pytest.fixture(scope="module")
def copies(elsewhere: ScratchServer) -> Copies:
    return Copies.of(elsewhere, SCHEMA)


@pytest.mark.parametrize(
    ("change", "tried"),
    [
        ("ALTER TABLE orders ADD x int", {"UPDATE", "DELETE", "INSERT", "call"}),
        ("ALTER TABLE customers ADD x int", set()),
        ("ALTER TABLE kept ADD x int", {"UPDATE", "DELETE", "INSERT"}),
        ("ALTER FUNCTION many() SET search_path = ''", {"call"}),
    ],
)
def test_what_has_to_do_with_a_migration_is_tried(
    copies: Copies, change: str, tried: set[str]
) -> None:
    with copies.fresh() as url:
        found = exercise(url, [migration(change)])
    assert {doing[0].split()[0] for doing in found.worked} == tried
    assert not [doing for doing in found.worked if "reach" in doing]


def test_of_functions_that_share_a_name_the_one_that_is_known_to_be_called_counts(
    copies: Copies,
) -> None:
    with copies.fresh() as url:
        found = exercise(url, [migration("ALTER TABLE lines ADD x int")])
    assert {doing[2] for doing in found.worked} == {"noted"}


def test_a_row_that_others_refer_to_is_deleted_and_nothing_of_it_stays(copies: Copies) -> None:
    change = "ALTER TABLE orders ADD x int"
    with copies.fresh() as url:
        before = exercise(url, [migration(change)])
        executed(url, [change])
        found = before.again()
        with psycopg.connect(url) as connection:
            [(orders, kept, off)] = connection.execute(
                "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM kept), "
                "(SELECT count(*) FROM pg_trigger WHERE tgenabled <> 'O')"
            ).fetchall()
    [failing] = found.failing
    assert failing.doing == ("DELETE", "public", "orders")
    assert failing.sqlstate == "42601"
    assert (orders, kept, off) == (1, 0, 0)


CUSTOMERS, ORDERS = "ALTER TABLE customers ADD x int", "ALTER TABLE orders ADD x int"


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (CUSTOMERS, {"every()": False, "closing()": False, "among(VARIADIC ids integer[])": False}),
        (ORDERS, {"reach()": False}),
        ("ALTER TABLE lines ADD x int", {"told(t text)": False}),
    ],
)
def test_what_cannot_be_tried_is_named(copies: Copies, change: str, left: dict[str, bool]) -> None:
    with copies.fresh() as url:
        found = exercise(url, [migration(change)]).again()
    assert {each.shown: each.called for each in found.untried} == left
    assert all(each.why for each in found.untried)


@pytest.mark.parametrize(
    ("change", "statements", "decides"),
    [
        (CUSTOMERS, (), False),  # nobody is known to call it
        (CUSTOMERS, ("SELECT * FROM every()",), True),
        (CUSTOMERS, ("SELECT among($1)",), False),  # a column more does nothing to it
        (CUSTOMERS, ("CALL closing()",), True),  # it inserts without naming columns
        ("ALTER TABLE customers ALTER id SET DEFAULT 7", ("SELECT * FROM every()",), False),
        (ORDERS, ("SELECT reach()",), False),
    ],
)
def test_what_production_calls_and_nobody_could_try_decides(
    copies: Copies, change: str, statements: tuple[str, ...], decides: bool
) -> None:
    with copies.fresh() as url:
        found = assess(url, [migration(change)], rows={}, budget=1.0, statements=statements)
    told = [f for f in found.findings if f.kind == "unknown"]
    assert bool(told) == decides
    assert {each.verdict for each in told} <= {"downtime"}
    assert "not assessed" in " ".join(found.notes)
