"""python -m orders.export: all orders as a CSV file for the accountant, at the partner's slow pace.

The file appears under its name only when it is whole. The table `exports` says which release
started it and how it ended.
"""

import csv
import logging
import os
import signal
import sys
import time
from datetime import date
from pathlib import Path

from orders import desk
from orders.database import single
from orders.logs import start_logging

log = logging.getLogger("orders.export")

FOLDER = Path("exports")
STEPS = 60


class Terminated(Exception):
    """Somebody ended us with SIGTERM before we were done."""


def terminate(*_):
    raise Terminated


def export(seconds):
    """Write the file; return it."""
    FOLDER.mkdir(exist_ok=True)
    with single() as connection:
        connection.autocommit = True
        number = connection.execute(
            "INSERT INTO exports (file, release) VALUES ('', %s) RETURNING id",
            (os.environ.get("DAYFLY_RELEASE", "-"),),
        ).fetchone()["id"]
        file = FOLDER / f"orders-{date.today():%Y-%m-%d}-{number}.csv"
        log.info("export %s started, it takes %g s", file, seconds)
        orders = connection.execute(f"SELECT {desk.COLUMNS} FROM orders ORDER BY id").fetchall()
        part = file.with_suffix(".part")
        try:
            write(part, orders, seconds)
            os.replace(part, file)
        except BaseException as error:
            part.unlink(missing_ok=True)
            finish(connection, number, file, type(error).__name__.lower(), 0)
            raise
        finish(connection, number, file, "whole", len(orders))
        log.info("export %s finished, %d orders", file, len(orders))
    return file


def write(part, orders, seconds):
    with part.open("w", newline="") as out:
        table = csv.writer(out)
        table.writerow(["reference", "customer", "article", "quantity", "price_cents", "created"])
        share = -(-len(orders) // STEPS)
        for step in range(STEPS):
            for order in orders[step * share : (step + 1) * share]:
                table.writerow(
                    [
                        order["reference"],
                        order["customer"],
                        order["article"],
                        order["quantity"],
                        order["price_cents"],
                        order["created"].isoformat(),
                    ]
                )
            time.sleep(seconds / STEPS)
        table.writerow(["total", "", "", len(orders), "", ""])
        out.flush()
        os.fsync(out.fileno())


def finish(connection, number, file, outcome, rows):
    connection.execute(
        "UPDATE exports SET finished = now(), file = %s, outcome = %s, rows = %s WHERE id = %s",
        (file.name, outcome, rows, number),
    )


def main():
    start_logging()
    signal.signal(signal.SIGTERM, terminate)
    try:
        export(float(os.environ.get("ORDERS_EXPORT_SECONDS", "60")))
    except Terminated:
        sys.exit("the export was terminated; nothing of it is left")


if __name__ == "__main__":
    main()
