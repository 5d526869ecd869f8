"""What migration tools write down, read from their statements."""

import pytest

from dayfly.database.books import attributed, keeps_books, name_in
from dayfly.database.captured import Statement, Transaction

ROWS = [
    ("INSERT INTO alembic_version (version_num) VALUES ('a1') RETURNING version_num", True, "a1"),
    ("UPDATE alembic_version SET version_num='b2' WHERE alembic_version.version_num = 'a1'",
     True, "b2"),
    ("DELETE FROM alembic_version WHERE version_num = 'a1'", True, ""),
    ("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)", True, ""),
    ('CREATE TABLE "django_migrations" ("id" bigint)', True, ""),
    ("CREATE TABLE IF NOT EXISTS public.schema_migrations (name text)", True, ""),
    ("CREATE TABLE orders (alembic_version text)", False, ""),
    ('CREATE INDEX "flyway_schema_history_s_idx" ON "public"."flyway_schema_history" ("success")',
     True, ""),
    ("CREATE INDEX alembic_version ON orders (id)", False, ""),
    ('INSERT INTO "django_migrations" ("app", "name") VALUES (\'shop\', \'0002_x\') RETURNING "id"',
     True, "shop.0002_x"),
    ("INSERT INTO public.dayfly_migrations (name, sha256) VALUES ('1.sql', 'ab')", True, "1.sql"),
    ("INSERT INTO public.flyway_schema_history (version, script) VALUES ('2', 'V2__it''s.sql')",
     True, "V2__it's.sql"),
    ("INSERT INTO schema_migrations VALUES ('001_orders.sql')", True, "001_orders.sql"),
    ("INSERT INTO \"schema_migrations\" (\"version\") VALUES ('20260101') RETURNING \"version\"",
     True, "20260101"),
    ("INSERT INTO orders (id) VALUES (1)", False, ""),
    ("UPDATE orders SET name = 'alembic_version'", False, ""),
    ("INSERT INTO django_content_type (app_label, model) VALUES ('a', 'b')", True, ""),
    ("UPDATE django_content_type SET model = 'c'", False, ""),
    ("DELETE FROM ONLY orders", False, ""),
    ("SELECT 1", False, ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kept", "name"), ROWS)
def test_a_bookkeeping_statement(text: str, kept: bool, name: str) -> None:
    assert (keeps_books(text), name_in(text)) == (kept, name)


def test_a_name_reaches_back_to_the_name_before_it() -> None:
    """Alembic has several in one transaction, Django may write down after it has committed."""
    wrote = "INSERT INTO schema_migrations VALUES ('{}')".format
    texts = [["ALTER a", "ALTER b", wrote(1), "ALTER c", wrote(2)], ["ALTER d"], [wrote(3)], ["e"]]
    found = attributed(
        Transaction(statements=tuple(Statement(text=text) for text in row)) for row in texts
    )
    assert [[s.migration for s in one.statements] for one in found] == [
        ["1", "1", "1", "2", "2"],
        ["3"],
        ["3"],
        [""],
    ]


def test_what_an_app_does_as_it_starts_is_no_part_of_a_migration() -> None:
    """Django's name stays in its block; one that stands alone reaches back."""
    wrote = "INSERT INTO django_migrations (app, name) VALUES ('shop', '{}')".format
    rows = [(False, ["INSERT setting"]), (True, ["ALTER a", wrote(1)]),
            (True, ["ALTER b"]), (False, [wrote(2)])]  # fmt: skip
    found = attributed(
        Transaction(statements=tuple(Statement(text=text) for text in texts), block=block)
        for block, texts in rows
    )
    assert [[s.migration for s in one.statements] for one in found] == [
        [""],
        ["shop.1", "shop.1"],
        ["shop.2"],
        ["shop.2"],
    ]


def test_a_name_does_not_reach_back_to_before_the_tool_looked() -> None:
    rows = [("SELECT setting", True), ("ALTER a", False),
            ("INSERT INTO alembic_version VALUES ('a1')", False)]  # fmt: skip
    found = attributed(
        Transaction(statements=(Statement(text=text),), early=early) for text, early in rows
    )
    assert [one.statements[0].migration for one in found] == ["", "a1", "a1"]
