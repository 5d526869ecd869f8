"""What is said about an application that nobody released."""

from pathlib import Path

import pytest

from dayfly.environment.applications import require
from dayfly.release.journal import Journal
from dayfly.release.records import Order


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.db")


@pytest.mark.parametrize(
    ("released", "asked", "hint"),
    [
        ([], "orders", "Nothing has been released yet."),
        (["orders", "shop"], "ordres", "Did you mean orders?"),
        (["orders", "shop"], "nope", "Known are: orders, shop."),
    ],
)
def test_an_unknown_application(
    journal: Journal, released: list[str], asked: str, hint: str
) -> None:
    for app in released:
        journal.open_release(Order(app=app, commit="c" * 40, subject="", who="ada"))

    with pytest.raises(LookupError) as caught:
        require(journal, asked)
    assert caught.value.args == (f"there is no application {asked}", hint)


def test_a_known_application(journal: Journal) -> None:
    journal.open_release(Order(app="orders", commit="c" * 40, subject="", who="ada"))

    require(journal, "orders")
