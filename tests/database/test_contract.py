"""Which migrations wait, as rows of data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.database.contract import (
    ContractError,
    Split,
    how_to_name_it,
    names_target,
    of_files,
    of_revisions,
    undone,
)
from dayfly.database.python_migrations import Revision, Tree
from dayfly.database.sqlnames import SqlFile


def files(*names: str) -> list[SqlFile]:
    return [SqlFile(name=name, text="", repeatable=name.startswith("R__")) for name in names]


def tree(kind: str, **after: tuple[str, ...]) -> Tree:
    """Revisions by name (`__` for Django's dot), each with those it comes after."""
    names = {name.replace("__", "."): before for name, before in after.items()}
    return Tree(
        kind=kind,  # type: ignore[arg-type]
        revisions=tuple(
            Revision(name=name, after=before, file=f"{name}_slug.py")
            for name, before in names.items()
        ),
    )


FILES = [
    (("1.sql", "2.sql"), (), (), ("1.sql", "2.sql"), ()),
    (("1.sql", "2.sql"), ("2.sql",), (), ("1.sql",), ("2.sql",)),
    (("1_a.sql", "2_drop_x.sql", "3_drop_y.sql"), ("*_drop_*",), (), ("1_a.sql",),
     ("2_drop_x.sql", "3_drop_y.sql")),
    (("1.sql", "2.sql", "R__views.sql"), ("2.sql",), (), ("1.sql", "R__views.sql"), ("2.sql",)),
    (("2.sql",), ("2.sql",), (), (), ("2.sql",)),
    (("2.sql", "3.sql"), ("2.sql",), ("2.sql",), ("2.sql", "3.sql"), ()),
    (("2.sql",), ("[2].sql", "9.sql"), (), (), ("2.sql",)),
]  # fmt: skip


@pytest.mark.parametrize(("new", "patterns", "but", "now", "later"), FILES)
def test_files_that_wait(
    new: tuple[str, ...],
    patterns: tuple[str, ...],
    but: tuple[str, ...],
    now: tuple[str, ...],
    later: tuple[str, ...],
) -> None:
    split = of_files(files(*new), patterns, but=but)

    assert (split.now, split.later) == (now, later)


def test_nothing_that_does_not_wait_comes_after_what_does() -> None:
    with pytest.raises(ContractError) as refused:
        of_files(files("1.sql", "2.sql", "3.sql"), ("2.sql",))

    assert refused.value.message.startswith("3.sql comes after 2.sql, which is a contract")
    assert "Name 3.sql in `contract` too" in refused.value.hint


@given(st.lists(st.sampled_from("xc"), max_size=8))
def test_they_are_left_out_at_the_end_or_not_at_all(marks: list[str]) -> None:
    names = [f"{number:02}_{mark}.sql" for number, mark in enumerate(marks)]
    last = "".join(marks).rstrip("c")
    if "c" in last:
        with pytest.raises(ContractError):
            of_files(files(*names), ("*_c.sql",))
        return
    split = of_files(files(*names), ("*_c.sql",))
    assert [*split.now, *split.later] == names
    assert len(split.now) == len(last)


ALEMBIC = tree("alembic", a1=(), b2=("a1",), c3=("b2",), d4=("c3",))
SHOP = tree(
    "django",
    shop__1=(),
    blog__1=("shop.1",),
    shop__2=("blog.1",),
    shop__3=("shop.2",),
    blog__2=("blog.1",),
)
REVISIONS = [
    (ALEMBIC, ("c3", "d4"), (), ("a1", "b2"), ("c3", "d4"), ("b2",)),
    (ALEMBIC, ("c3_slug", "d4_slug.py"), (), ("a1", "b2"), ("c3", "d4"), ("b2",)),
    (ALEMBIC, ("nothing",), (), ("a1", "b2", "c3", "d4"), (), ()),
    (ALEMBIC, ("d4",), ("d4",), ("a1", "b2", "c3", "d4"), (), ()),
    (SHOP, ("shop.3",), (), ("shop.1", "blog.1", "shop.2", "blog.2"), ("shop.3",),
     ("shop 2", "blog 2")),
    (SHOP, ("shop.[23]", "blog.2"), (), ("shop.1", "blog.1"), ("shop.2", "shop.3", "blog.2"),
     ("shop 1", "blog 1")),
    (SHOP, ("shop.*", "blog.*"), (), (), ("shop.1", "blog.1", "shop.2", "shop.3", "blog.2"), ()),
]  # fmt: skip


@pytest.mark.parametrize(("found", "patterns", "but", "now", "later", "targets"), REVISIONS)
def test_revisions_that_wait(
    found: Tree,
    patterns: tuple[str, ...],
    but: tuple[str, ...],
    now: tuple[str, ...],
    later: tuple[str, ...],
    targets: tuple[str, ...],
) -> None:
    split = of_revisions(found, found.revisions, patterns, but=but)

    assert split == Split(now=now, later=later, targets=targets)


@pytest.mark.parametrize(
    ("found", "patterns", "says"),
    [
        (ALEMBIC, ("b2",), "c3 comes after b2, which is a contract migration"),
        (SHOP, ("blog.1",), "shop.2 comes after blog.1"),
        (ALEMBIC, ("*",), "Alembic needs one revision before a1, b2, c3, d4; there is none"),
        (
            tree("alembic", a=(), b=("a",), c=("a",), d=("b", "c")),
            ("d",),
            "Alembic needs one revision before d; they end in 2: b, c",
        ),
    ],
)
def test_an_order_in_which_they_cannot_wait(
    found: Tree, patterns: tuple[str, ...], says: str
) -> None:
    with pytest.raises(ContractError) as refused:
        of_revisions(found, found.revisions, patterns)

    assert says in refused.value.message


def test_what_is_pending_alone_is_looked_at() -> None:
    """Of b2, c3, d4 the first has run, though it is named too."""
    split = of_revisions(ALEMBIC, ALEMBIC.revisions[2:], ("b2", "d4"))

    assert split == Split(now=("c3",), later=("d4",), targets=("c3",))


@pytest.mark.parametrize(
    ("command", "better"),
    [
        ("alembic upgrade head", "alembic upgrade ${MIGRATE_TARGET:-head}"),
        ("flask db upgrade", "flask db upgrade ${MIGRATE_TARGET:-head}"),
        (
            "python manage.py migrate --noinput",
            "python manage.py migrate --noinput $MIGRATE_TARGET",
        ),
    ],
)
def test_how_a_command_names_its_target(command: str, better: str) -> None:
    assert how_to_name_it(command) == better
    assert names_target(better)
    assert not names_target(command)


@pytest.mark.parametrize(
    ("found", "recorded", "says"),
    [
        (ALEMBIC, ("d4",), "the migrate command runs d4, a contract migration, in spite of"),
        (SHOP, ("shop.1",), "the migrate command leaves shop.2 out"),
    ],
)
def test_a_command_that_does_not_go_as_far_as_it_was_told(
    found: Tree, recorded: tuple[str, ...], says: str
) -> None:
    split = Split(now=("shop.1", "shop.2"), later=("d4",), targets=("shop 2",))

    with pytest.raises(ContractError) as refused:
        undone(split, found, recorded)

    assert says in refused.value.message
