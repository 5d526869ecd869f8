"""Alembic and Django in a real environment: told how far to go, and the rest of the way later."""

from collections.abc import Iterator

import pytest

from dayfly.clock import wait_until
from dayfly.database.production import recorded
from dayfly.database.scratch import scratch_server
from migrating import alembic_project, asked, django_project
from migrating.alembic_project import alembic
from migrating.django_project import SECOND, django
from production import Production, running
from production.ledgers import Ledger, ledger
from workshop import open_folder, postgresql

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.haproxy,
    pytest.mark.postgres,
    pytest.mark.sampled(1, of="file"),
]

REMOVE = """
    from django.db import migrations

    class Migration(migrations.Migration):
        dependencies = [("shop", "0002_code")]
        operations = [migrations.RemoveField("Order", "reference")]
"""
DJANGO = "python manage.py migrate --noinput"
QUICK = {"warm": '"1s"', "watch": '"200ms"', "machines": "1"}


@pytest.fixture
def prod() -> Iterator[Production]:
    with open_folder() as folder, running(folder) as made:
        yield made


@pytest.fixture
def book(prod: Production) -> Iterator[Ledger]:
    found = postgresql()
    with open_folder() as folder, scratch_server(folder, found) as server, server.database() as url:
        yield ledger(prod, url, **QUICK)


def needing(book: Ledger, *packages: str) -> None:
    file = book.folder / "requirements.txt"
    file.write_text("\n".join([file.read_text().strip(), *packages]) + "\n")


def columns(book: Ledger, table: str) -> object:
    question = f"""
        SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped
    """
    return asked(book.url, question.encode())


def wait_until_contracted(prod: Production, number: int) -> None:
    def done() -> bool:
        return bool(prod.record(number)["contract"]["state"] == "done")

    wait_until(done, seconds=90, what="the contract")


def test_django(prod: Production, book: Ledger) -> None:
    needing(book, "django==5.2.1")
    django(book.folder)
    book.set(migrate=f'"{DJANGO} $MIGRATE_TARGET"')
    prod.released(book, book.save("Orders"))
    django_project.add(book.folder, "0002_code", SECOND)
    django_project.add(book.folder, "0003_remove", REMOVE)

    book.set(contract='["shop.0003_remove"]')
    number = prod.released(book, book.save("Its code instead of its reference"))

    assert prod.record(number)["impact"]["pending"] == ["shop.0002_code"]
    assert prod.record(number)["impact"]["contract"] == ["shop.0003_remove"]
    later = prod.record(number)["impact"]["later"]
    assert (later["verdict"], later["runs"]) == ("staged", True)
    assert any("drops shop_order.reference" in each["message"] for each in later["findings"])
    wait_until_contracted(prod, number)
    assert columns(book, "shop_order") == "id code"


def test_alembic(prod: Production, book: Ledger) -> None:
    needing(book, "alembic", "sqlalchemy")
    alembic(book.folder)
    book.set(migrate='"alembic upgrade head"')
    prod.released(book, book.save("Shops"))
    alembic_project.add(book.folder, "b2", "a1", "op.add_column('shops', sa.Column('n', sa.Text))")
    alembic_project.add(book.folder, "c3", "b2", "op.drop_column('shops', 'n')")

    book.set(contract='["c3_*"]')
    refused = prod.release(book, book.save("More of shops"))

    assert refused.status == 1
    assert "c3 are to wait, and `migrate` does not say how far to go" in refused.said
    assert 'migrate = "alembic upgrade ${MIGRATE_TARGET:-head}"' in refused.said

    book.set(migrate='"alembic upgrade ${MIGRATE_TARGET:-head}"')
    number = prod.released(book, book.save("More of shops"))

    assert recorded(book.url)[-1] in {"b2", "0001_entries"}
    assert prod.record(number)["impact"]["contract"] == ["c3"]
    wait_until_contracted(prod, number)
    assert columns(book, "shops") == "id"


def test_a_tool_that_cannot_be_told_needs_a_separate_release(
    prod: Production, book: Ledger
) -> None:
    book.set(contract='["0002_drop"]')
    refused = prod.release(book, book.changed("drop", "ALTER TABLE entries DROP COLUMN cents"))

    assert refused.status == 1
    assert "nobody can tell `python3 migrate.py` how far to go" in refused.said
    assert "a separate release" in refused.said
