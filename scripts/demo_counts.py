"""Do the three counters agree: the client's, HAProxy's and the rows in the database?

Usage: demo_counts.py DAYFLY_HOME DATABASE_URL KILLED_MACHINE WHEN
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg

from dayfly.balancer import accesslog
from dayfly.balancer.accesslog import Line


KILLED_SECONDS = 2.0  # that killing one may take; its clients know at once


def compared(
    load: Mapping[str, Any], seen: Sequence[Line], rows: int, killed: str, at: float
) -> tuple[str, bool]:
    """What to tell, and whether nothing was lost.

    Only a request in flight on the killed machine may fail; its order may be stored or not.
    One that was not the first of its connection is in no log of HAProxy, which closes without an
    answer and leaves it to the client (RFC 9110, 9.2.2, lets it send again what is idempotent).
    `at`: when the machine was killed, in seconds since the epoch.
    """
    orders = [line for line in seen if (line.method, line.path) == ("POST", "/api/orders")]
    through = sum(line.status == 201 for line in orders)
    unanswered = (f for f in load["failures"] if f["what"] == "closed without an answer")
    in_flight = sum(line.lost and line.server == killed for line in seen)
    in_flight += sum(0 <= each["time"] - at <= KILLED_SECONDS for each in unanswered)
    told = [
        f"orders confirmed to the client  {load['created']:6}",
        f"answered 201 through HAProxy    {through:6}",
        f"rows in the database            {rows:6}",
    ]
    if load["failed"]:
        told.append(f"requests failed                 {load['failed']:6}")
        told.append(f"in flight on {killed} as it was killed: {in_flight}")
    unsure = min(load["uncertain"], in_flight)
    agree = load["created"] == through <= rows <= through + unsure and load["failed"] <= in_flight
    told.append("The three agree: nothing was lost." if agree else "THEY DIFFER.")
    return "\n".join(told), agree


def main(home: Path, database: str, killed: str, at: float) -> None:
    load = json.loads((home / "demo/load.json").read_text())
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "SELECT 1 FROM orders WHERE reference LIKE %s", (f"{load['run']}-%",)
        ).rowcount
    seen = tuple(accesslog.lines(home / "balancer", since=load["started"]))
    told, agree = compared(load, seen, rows, killed, at)
    sys.stdout.write(f"{told}\n")
    sys.exit(not agree)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4]))
