"""Do the three counters agree: the client's, HAProxy's and the rows in the database?

Usage: demo_counts.py DAYFLY_HOME DATABASE_URL KILLED_MACHINE
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg

from dayfly.balancer import accesslog
from dayfly.balancer.accesslog import Line


def compared(
    load: Mapping[str, int], seen: Sequence[Line], rows: int, killed: str
) -> tuple[str, bool]:
    """What to tell, and whether nothing was lost.

    Only a request in flight on the killed machine may fail; its order may be stored or not.
    """
    orders = [line for line in seen if (line.method, line.path) == ("POST", "/api/orders")]
    through = sum(line.status == 201 for line in orders)
    in_flight = sum(line.lost and line.server == killed for line in seen)
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


def main(home: Path, database: str, killed: str) -> None:
    load = json.loads((home / "demo/load.json").read_text())
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "SELECT 1 FROM orders WHERE reference LIKE %s", (f"{load['run']}-%",)
        ).rowcount
    seen = tuple(accesslog.lines(home / "balancer", since=load["started"]))
    told, agree = compared(load, seen, rows, killed)
    sys.stdout.write(f"{told}\n")
    sys.exit(not agree)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
