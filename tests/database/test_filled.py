"""Which new tables hold only what one program has put there itself."""

import pytest

from dayfly.database.captured import Statement
from dayfly.database.impact.code.bodies import Body, Write
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.evidence.sender import sender
from dayfly.database.impact.losing.carried import Carried
from dayfly.database.impact.replay.effects import Effect
from dayfly.database.impact.schema.catalogue import Catalogue, Relation
from dayfly.database.impact.unseen.filled import filled_by

OLD, LINKS = 1, 2
PLAIN = "def forward(apps, editor):\n    {}\nRunPython(forward)"
PROGRAM = PLAIN.format("item.tags.set([])")


def table(oid: int, name: str) -> Relation:
    return Relation(oid=oid, name=name, schema="public", kind="r", owner="app", grants=())


def wrote(migration: str, *, constant: bool, oid: int = LINKS) -> tuple[str, Effect, Carried]:
    statement = Statement(text="INSERT …", migration=migration)
    effect = Effect(statement=statement, wrote=frozenset({oid}), constant=constant)
    return migration, effect, Carried()


def ran(**carried: object) -> tuple[str, Effect, Carried]:
    effect = Effect(statement=Statement(text="SELECT fill()", migration="1_sql"))
    return "1_sql", effect, Carried(body=Body(), **carried)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seen", "text", "own"),
    [
        ([wrote("2_fill", constant=True)], PROGRAM, {LINKS}),
        ([], PROGRAM, {LINKS}),
        ([wrote("2_fill", constant=False)], PROGRAM, set()),
        ([wrote("1_sql", constant=True)], PROGRAM, set()),
        ([wrote("1_sql", constant=True, oid=OLD)], PROGRAM, {LINKS}),
        ([ran(writes=frozenset({Write(verb="INSERT", table="links")}))], PROGRAM, set()),
        ([ran(writes=frozenset({Write(verb="INSERT", table="items")}))], PROGRAM, {LINKS}),
        ([ran(unknown=("puts a name together",))], PROGRAM, set()),
        ([], PLAIN.format("exec(text)"), set()),
        ([], "x = 1", set()),
    ],
)
def test_new_tables_that_a_program_alone_has_filled(
    seen: list[tuple[str, Effect, Carried]], text: str, own: set[int]
) -> None:
    before = Catalogue({table(OLD, "items").key: table(OLD, "items")})
    new = table(LINKS, "links")
    what = Comparison(
        before=before,
        after=Catalogue({**before.things, new.key: new}),
        sender=sender({"2_fill": text}),
    )
    assert filled_by(what, "2_fill", seen) == own
