"""What waits until nothing older runs is asked beforehand, and changes no verdict."""

from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from dayfly.database.answer import of_command, of_files
from dayfly.database.question import Answer, Question
from dayfly.database.wayback import Releases
from migrating import asked, write

pytestmark = pytest.mark.postgres

SHOP = """
    CREATE TABLE orders (id int PRIMARY KEY, cents int, note text);
    INSERT INTO orders SELECT i, i FROM generate_series(1, 1000) i; ANALYZE orders;
"""
NOW = "ALTER TABLE orders ADD COLUMN amount int"


@pytest.fixture
def shop(production: str) -> str:
    asked(production, SHOP.encode())
    return production


def working(query: str = "SELECT 1") -> Releases:
    """A release that serves as long as the database answers this."""

    def serve(url: str) -> str:
        try:
            asked(url, query.encode())
        except psycopg.Error as error:
            return str(error).splitlines()[0]
        return ""

    return Releases(incoming=serve, called="serving")


def answered(url: str, scratch: Path, folder: Path, drop: str, serving: Releases) -> Answer:
    write(folder, {"2.sql": NOW, "3_drop.sql": drop})
    question = Question(url=url, folder=scratch, budget=0.2, serving=serving)
    return of_files(question, folder, leave=["3_drop.sql"])


LATER = [
    ("ALTER TABLE orders DROP cents", ("staged", "breaks"), "drops orders.cents"),
    ("ALTER TABLE orders DROP nowhere", ("downtime", "unknown"), 'column "nowhere" of relation'),
    ("ALTER TABLE orders ALTER amount SET DEFAULT 0", ("online", "blocks"), "ACCESS EXCLUSIVE"),
    ("ALTER TABLE orders ALTER note SET NOT NULL", ("staged", "fails"), "1000 rows in which note"),
]


@pytest.mark.parametrize(("drop", "found", "says"), LATER)
def test_what_waits_is_asked_of_the_schema_that_it_will_meet(
    shop: str, scratch: Path, tmp_path: Path, drop: str, found: tuple[str, str], says: str
) -> None:
    answer = answered(shop, scratch, tmp_path, drop, working())

    assert (answer.impact.verdict, answer.pending) == ("online", ("2.sql",))
    told = answer.as_json()["later"]
    assert isinstance(told, dict)
    verdict, kind = found
    assert told["verdict"] == verdict, told["findings"]
    assert any(f["kind"] == kind and says in f["message"] for f in told["findings"]), told
    assert {f["migration"] for f in told["findings"]} <= {"3_drop.sql", ""}


def test_the_release_itself_has_to_go_on_working_then(
    shop: str, scratch: Path, tmp_path: Path
) -> None:
    drop = "ALTER TABLE orders DROP cents"

    answer = answered(shop, scratch, tmp_path, drop, working("SELECT cents FROM orders"))

    assert answer.impact.verdict == "online"
    assert answer.later is not None
    assert answer.later.impact is not None
    [fails] = [each for each in answer.later.impact.findings if each.kind == "fails"]
    assert fails.message.startswith("the serving release fails on the migrated copy")


def test_it_is_asked_also_where_nothing_else_is_pending(
    shop: str, scratch: Path, tmp_path: Path
) -> None:
    write(tmp_path, {"3_drop.sql": "ALTER TABLE orders DROP cents"})
    question = Question(url=shop, folder=scratch, budget=1.0)

    answer = of_files(question, tmp_path, leave=["3_drop.sql"])

    assert (answer.impact.verdict, answer.pending) == ("none", ())
    assert answer.later is not None
    assert answer.later.impact is not None
    assert answer.later.impact.verdict == "staged"


def test_nothing_is_told_where_nothing_waits(shop: str, scratch: Path, tmp_path: Path) -> None:
    write(tmp_path, {"2.sql": NOW})
    question = Question(url=shop, folder=scratch, budget=1.0)

    assert of_files(question, tmp_path).as_json()["later"] is None


def test_where_it_cannot_be_asked_that_is_told(shop: str, scratch: Path) -> None:
    """A command that leaves a session open on the copy, of which none can be made then."""
    with ExitStack() as sessions:

        def run(url: str) -> int:
            session = sessions.enter_context(psycopg.connect(url, autocommit=True))
            session.execute(NOW.encode())
            return 0

        question = Question(url=shop, folder=scratch, budget=1.0)
        answer = of_command(question, run, rest=(run, ("3_drop",)))

    assert answer.impact.verdict == "online"
    told = answer.as_json()["later"]
    assert isinstance(told, dict)
    assert (told["verdict"], told["findings"]) == (None, [])
    assert "is being accessed by other users" in told["why"]
