"""Functions that a migration imports from its own tree are read as if they stood in it."""

from pathlib import Path

import pytest

from dayfly.database.imported import with_imported
from dayfly.database.program import program

SERVICES = """
import os
from django.db import transaction
from .words import CLEAN, tidy as neat
from .words import tidy
LIMIT = 5

def mend(order):
    with transaction.atomic():
        order.note = tidy(order.note)[:LIMIT]

def purge(orders):
    orders.all().delete()

def aliased(order):
    order.note = neat(order.note)

def reaches(order):
    os.remove(order.path)

class Mender:
    def mend(self, order):
        order.note = ""
"""
WORDS = """
CLEAN = {"a": "b"}

def tidy(text):
    return CLEAN.get(text, text)
"""
MIGRATION = """
from django.db import migrations
{head}

def forward(apps, editor):
    Order = apps.get_model("shop", "Order")
    {inside}
    for order in Order.objects.all():
        {body}

class Migration(migrations.Migration):
    operations = [migrations.RunPython(forward)]
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "shop" / "migrations"
    folder.mkdir(parents=True)
    (tmp_path / "shop" / "services.py").write_text(SERVICES)
    (tmp_path / "shop" / "words.py").write_text(WORDS)
    return tmp_path


@pytest.mark.parametrize(
    ("head", "inside", "body", "sets", "deletes", "whole"),
    [
        ("from shop.services import mend", "pass", "mend(order)", {"note"}, 0, True),
        ("", "from shop.services import mend", "mend(order)", {"note"}, 0, True),
        ("from ..services import mend", "pass", "mend(order)", {"note"}, 0, True),
        ("from shop.services import purge", "pass", "purge(order.lines)", set(), 1, True),
        ("from shop.services import mend, purge", "pass", "mend(order)", {"note"}, 0, True),
        ("from shop.services import mend as other", "pass", "other(order)", set(), 0, False),
        ("from shop.services import aliased", "pass", "aliased(order)", set(), 0, False),
        ("from shop.services import reaches", "pass", "reaches(order)", set(), 0, False),
        ("from shop.services import Mender", "pass", "Mender().mend(order)", set(), 0, False),
        ("from shop import services", "pass", "services.mend(order)", set(), 0, False),
        ("from elsewhere import mend", "pass", "mend(order)", set(), 0, False),
        ("from shop.services import mend", "tidy = 1", "mend(order)", set(), 0, False),
    ],
)
def test_what_it_imports_by_name_is_read(  # noqa: PLR0913 - a row
    tree: Path, head: str, inside: str, body: str, sets: set[str], deletes: int, *, whole: bool
) -> None:
    text = MIGRATION.format(head=head, inside=inside, body=body)
    found = program(with_imported(text, tree / "shop" / "migrations" / "0002_x.py", (tree,)))

    assert found is not None
    assert (found.assigns, found.deletes, found.whole) == (sets, deletes, whole)


@pytest.mark.parametrize("text", ["", "def (", "from shop.services import nothing"])
def test_a_text_that_gives_nothing_stays_as_it_is(tree: Path, text: str) -> None:
    assert with_imported(text, tree / "shop" / "migrations" / "0002_x.py", (tree,)) == text


def test_a_link_is_not_followed(tree: Path) -> None:
    (tree / "shop" / "services.py").rename(tree / "real.py")
    (tree / "shop" / "services.py").symlink_to(tree / "real.py")
    text = "from shop.services import mend"

    assert with_imported(text, tree / "shop" / "migrations" / "0002_x.py", (tree,)) == text
