"""What SQL files do is told from their text as from the server's log."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dayfly.database.books import keeps_books
from dayfly.database.capture import capture
from dayfly.database.captured import Transaction
from dayfly.database.copy import Copies, copy_of
from dayfly.database.declared import declared
from dayfly.database.scratch import ScratchServer
from dayfly.database.sqlnames import sql_files
from migrating import applying, asked, write

pytestmark = pytest.mark.postgres

FILES = [
    {"1.sql": "ALTER TABLE orders ADD a int; UPDATE orders SET a = 1;\n-- done\n"},
    {"1.sql": "CREATE INDEX CONCURRENTLY ON orders (id); ALTER TABLE orders ADD b int"},
    {"1.sql": "BEGIN; ALTER TABLE orders ADD c int; ALTER TABLE orders ADD d int; COMMIT; "
              "ALTER TABLE orders ADD e int; BEGIN; DROP TABLE orders; ROLLBACK"},
    {"1.sql": "DO $$ BEGIN ALTER TABLE orders ADD f int; END $$", "2.sql": "VACUUM orders"},
]  # fmt: skip


@pytest.fixture(scope="module")
def copies(elsewhere: ScratchServer, scratch: Path) -> Iterator[Copies]:
    with elsewhere.database() as url:
        asked(url, "CREATE TABLE orders (id int PRIMARY KEY)")
        with copy_of(url, folder=scratch) as made:
            yield made


def work(found: tuple[Transaction, ...]) -> list[tuple[bool, list[tuple[str, str]]]]:
    """Without the bookkeeping; a transaction of one is as good as none."""
    told = [
        [(s.migration, s.text) for s in one.statements if not keeps_books(s.text)] for one in found
    ]
    return [(len(statements) > 1, statements) for statements in told if statements]


@pytest.mark.parametrize("files", FILES)
def test_the_text_tells_what_the_log_tells(
    copies: Copies, tmp_path: Path, files: dict[str, str]
) -> None:
    write(tmp_path, files)
    assert work(declared(sql_files(tmp_path))) == work(capture(copies, applying(tmp_path)))
