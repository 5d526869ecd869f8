import csv
import os
import signal
import threading
from pathlib import Path

import pytest

from orders import desk, export, migrate, worker

ORDER = {"customer": "Ole Lund", "email": "ole@example.com", "article": "Hammock"}


def test_a_second_migration_finds_nothing_to_do():
    assert migrate.migrate() == []


def test_each_order_is_confirmed_once(connection):
    order = desk.create(connection, desk.parse_order(ORDER))

    while worker.send_one(connection):
        pass

    mails = connection.execute(
        "SELECT recipient, body FROM outbox WHERE subject = %s",
        (f"Your order {order['reference']}",),
    ).fetchall()
    assert [mail["recipient"] for mail in mails] == ["ole@example.com"]
    assert "1 x Hammock" in mails[0]["body"]


def test_two_workers_do_not_send_a_mail_twice(connection):
    for _ in range(20):
        desk.create(connection, desk.parse_order(ORDER))
    stop = threading.Event()
    workers = [threading.Thread(target=worker.work, args=(stop,)) for _ in range(2)]
    for thread in workers:
        thread.start()

    while connection.execute("SELECT 1 FROM mails WHERE sent IS NULL LIMIT 1").fetchone():
        pass
    stop.set()
    for thread in workers:
        thread.join()

    count = connection.execute("SELECT count(*) AS n, count(sent) AS sent FROM mails").fetchone()
    assert count["n"] == count["sent"]
    assert count["n"] == connection.execute("SELECT count(*) AS n FROM outbox").fetchone()["n"]


def test_the_export_is_whole_and_recorded(connection):
    order = desk.create(connection, desk.parse_order(ORDER))

    file = export.export(0.1)

    rows = list(csv.reader(file.open()))
    assert order["reference"] in [row[0] for row in rows]
    assert rows[-1][0] == "total"
    assert int(rows[-1][3]) == len(rows) - 2
    recorded = connection.execute("SELECT * FROM exports WHERE file = %s", (file.name,)).fetchone()
    assert (recorded["outcome"], recorded["rows"]) == ("whole", len(rows) - 2)


def test_a_terminated_export_leaves_no_half_file(connection):
    before = signal.signal(signal.SIGTERM, export.terminate)
    threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGTERM]).start()
    try:
        with pytest.raises(export.Terminated):
            export.export(20)
    finally:
        signal.signal(signal.SIGTERM, before)

    assert list(Path("exports").iterdir()) == []
    newest = connection.execute("SELECT outcome FROM exports ORDER BY id DESC LIMIT 1").fetchone()
    assert newest["outcome"] == "terminated"
