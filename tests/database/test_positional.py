"""Which statements give values by the place of a column."""

import pytest

from dayfly.database.preserve.dumps import otherwise
from dayfly.database.preserve.positional import positional

BY_PLACE = (
    "INSERT INTO wide VALUES ($1, $2)",
    "insert into public.wide as w values ($1, $2)",
    'INSERT INTO "wide" SELECT * FROM other',
    "INSERT INTO wide (SELECT 1, 2)",
    "INSERT INTO wide OVERRIDING SYSTEM VALUE VALUES (1, 2)",
    "WITH n AS (SELECT 1) INSERT INTO wide TABLE n",
    "COPY wide FROM STDIN",
)
BY_NAME = (
    "INSERT INTO wide (a, b) VALUES ($1, $2)",
    "INSERT INTO wide AS w (a) SELECT 1",
    "INSERT INTO wide DEFAULT VALUES",
    "INSERT INTO other VALUES ($1)",
    "INSERT INTO sales.wide VALUES ($1)",
    "COPY wide (a) FROM STDIN",
    "COPY wide TO STDOUT",
    "SELECT a INTO wide2 FROM wide",
    "UPDATE wide SET a = 1",
    "INSERT INTO",
    "",
)


@pytest.mark.parametrize("text", BY_PLACE)
def test_by_place(text: str) -> None:
    assert positional([text, text], {"public.wide"}) == (text,)


@pytest.mark.parametrize("text", BY_NAME)
def test_by_name(text: str) -> None:
    assert positional([text], {"public.wide"}) == ()


def dump(kind: str, name: str, text: str) -> str:
    return f"--\n-- Name: {name}; Type: {kind}; Schema: public; Owner: o\n--\n\n{text};\n\n"


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ("CREATE TABLE t (\n a int,\n b int\n)", "CREATE TABLE t (\n b int,\n a int\n)", ()),
        (
            "CREATE TABLE t (\n a int\n)",
            "CREATE TABLE t (\n a bigint\n)",
            ("pg_dump does not write the table t as before",),
        ),
    ],
)
def test_dumps_are_compared_whatever_their_order(
    before: str, now: str, told: tuple[str, ...]
) -> None:
    view = dump("VIEW", "v", "CREATE VIEW v AS SELECT 1")

    assert otherwise(dump("TABLE", "t", before) + view, view + dump("TABLE", "t", now)) == told
    assert otherwise(view, "") == ("pg_dump does not write the view v as before",)
