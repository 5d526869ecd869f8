"""Log lines as several applications and a proxy write them, the same ones for the same seed."""

import json
import random
from collections.abc import Iterator
from typing import Any

BODY_LINES = 5000
DAY = 86_400 * 10**9
BEGIN = 20_450 * DAY  # a day in 2025
APPS = ("orders", "billing", "search", "gateway", "mail", "reports")
USUAL = ("info",) * 17 + ("debug", "warning", "error")
STATUSES = (200,) * 15 + (201, 204, 302, 404, 500)
PLACES = ("orders", "invoices", "parcels", "stock", "customers", "sessions", "images", "search")
EVENTS = (
    "order {n} placed by user {u}",
    "payment of order {n} accepted for user {u} after {s} attempts",
    "invoice {n} sent to customer {u}",
    "reserved {s} items of article {n} in warehouse {s}",
    "session of user {u} opened from the mobile app",
    "cache miss for key article:{n}, loading from the database",
    "job rebuild-index finished step {s} of 12 with {n} documents",
    "mail to user {u} queued as message {n}",
)
NEEDLE = "needle4711"  # once in all lines


def bodies(lines: int, seed: int = 1, begin: int = BEGIN) -> Iterator[bytes]:
    """Newline JSON of a day's lines, in order of time."""
    chance = random.Random(seed)
    needle = lines * 2 // 3
    for first in range(0, lines, BODY_LINES):
        numbers = range(first, min(first + BODY_LINES, lines))
        made = (record(chance, begin + n * DAY // lines, needle=n == needle) for n in numbers)
        yield "".join(json.dumps(one) + "\n" for one in made).encode()


def record(chance: random.Random, time: int, *, needle: bool) -> dict[str, Any]:
    app = chance.choice(APPS)
    make = chance.choice((_request, _request, _event, _event, _failure))
    message, level, fields = make(chance)
    return {
        "time": time,
        "message": f"{message} {NEEDLE}" if needle else message,
        "app": app,
        "release": 40 + time % 3,
        "machine": f"{app}-{chance.randint(1, 3)}",
        "host": "host1",
        "process": "web",
        "stream": "stdout",
        "level": level,
        "fields": fields,
    }


Made = tuple[str, str, dict[str, Any]]


def _request(chance: random.Random) -> Made:
    path = f"/{chance.choice(PLACES)}/{chance.randint(1, 200_000)}"
    status, took = chance.choice(STATUSES), chance.randint(1, 2000)
    address = f"10.{chance.randint(0, 3)}.{chance.randint(0, 255)}.{chance.randint(1, 254)}"
    size = chance.randint(100, 90_000)
    message = f'{address} "GET {path} HTTP/1.1" {status} {size} took {took} ms'
    fields = {"status": status, "path": path, "duration": took / 1000, "method": "GET"}
    return message, "error" if status == 500 else "info", fields


def _event(chance: random.Random) -> Made:
    number, trace = chance.randint(1, 10**7), f"{chance.getrandbits(64):016x}"
    numbers = {"n": number, "u": chance.randint(1, 20_000), "s": chance.randint(1, 12)}
    message = f"{chance.choice(EVENTS).format(**numbers)} trace={trace}"
    return message, chance.choice(USUAL), {"trace": trace, "logger": chance.choice(PLACES)}


def _failure(chance: random.Random) -> Made:
    target = f"db{chance.randint(1, 4)}.internal:5432"
    if chance.random() < 0.1:
        return f"timeout after {chance.randint(1, 30)} s connecting to {target}", "error", {}
    return f"connection to {target} reused, {chance.randint(1, 50)} in the pool", "debug", {}
