"""What USING makes of the values that a column has."""

import pytest

from dayfly.database.impact.losing.worked_out import other_values


@pytest.mark.parametrize(
    ("using", "kind"),
    [
        ("note", "text"),
        ('"note"::text', "text"),
        ("(note)::int", "integer"),
        ("CAST(note AS int8)", "bigint"),
        ("note::text::order_status", "order_status"),
        ("(note::varchar)::sales.order_status", "sales.order_status"),
        ("orders.note::timestamptz", "timestamp with time zone"),
        ("note::numeric(10, 2)", "numeric(10,2)"),
        ("note::numeric", "numeric(10,2)"),
        ("COALESCE(note, '')", "text"),
        ("note::int[]", "integer[]"),
        ("note::character varying(9)", "character varying(9)"),
    ],
)
def test_a_cast_takes_the_values_as_they_are(using: str, kind: str) -> None:
    assert not other_values(f"ALTER TABLE o ALTER note TYPE {kind} USING {using}", "note", kind)


@pytest.mark.parametrize(
    "text",
    [
        "ALTER TABLE o ALTER note TYPE text USING lower(split_part(note, '@', 1))",
        "ALTER TABLE o ALTER COLUMN note SET DATA TYPE text USING NULL",
        "ALTER TABLE o ALTER note TYPE text USING ''",
        "ALTER TABLE o ADD x int, ALTER note TYPE text USING note || 'x', ADD y int",
        "ALTER TABLE o ALTER note TYPE text USING note::varchar(2)",
        "ALTER TABLE o ALTER note TYPE text USING name",
        "ALTER TABLE o ALTER note TYPE text USING NULLIF(note, '')",
        'ALTER TABLE "o" ALTER COLUMN "note" TYPE text USING upper("note")::text',
        "ALTER TABLE o ALTER note TYPE varchar(9) USING left(note, 2)",
        "DO $$BEGIN ALTER TABLE o ALTER note TYPE text USING ''; END$$",
        "DO $$BEGIN EXECUTE 'ALTER TABLE o ALTER note TYPE text USING ''x'''; END$$",
        "DO $$BEGIN EXECUTE format('ALTER TABLE %I ALTER %I TYPE text USING NULL', a, b); END$$",
    ],
)
def test_anything_else_puts_other_values_in_their_place(text: str) -> None:
    assert other_values(text, "note", "text")


@pytest.mark.parametrize(
    "text",
    [
        "ALTER TABLE o ALTER name TYPE text USING lower(name)",
        "ALTER TABLE o ALTER note TYPE text, ADD EXCLUDE USING gist (name WITH =)",
        "CREATE INDEX i ON o USING btree (note)",
        "DO $$BEGIN EXECUTE format('ALTER TABLE o ALTER %I TYPE text USING %I::text', b, b); END$$",
        "DELETE FROM o USING x WHERE o.note = x.note",
    ],
)
def test_the_column_is_left_alone(text: str) -> None:
    assert not other_values(text, "note", "text")
