"""Do the three counters agree: the client's, HAProxy's and the rows in the database?

Usage: demo_counts.py DAYFLY_HOME DATABASE_URL
"""

import json
import sys
from pathlib import Path

import psycopg

from dayfly.balancer import accesslog

home, database = Path(sys.argv[1]), sys.argv[2]
load = json.loads((home / "demo/load.json").read_text())
created, since = load["created"], load["started"]
through = [
    line
    for line in accesslog.lines(home / "balancer", since=since)
    if line.method == "POST" and line.path == "/api/orders" and line.status == 201
]
with psycopg.connect(database) as connection:
    rows = connection.execute(
        "SELECT reference FROM orders WHERE reference LIKE %s", (f"{load['run']}-%",)
    ).fetchall()
stored = {row[0] for row in rows}
print(f"orders confirmed to the client  {created:6}")
print(f"answered 201 through HAProxy    {len(through):6}")
print(f"rows in the database            {len(stored):6}")
agree = created == len(through) == len(stored)
print("The three agree: nothing was lost." if agree else "THEY DIFFER.")
sys.exit(not agree)
