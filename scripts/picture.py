"""docs/logs.png: the page of the logs as a browser shows it, on a real store with lines made up.

    scripts/picture [FILE]

It needs Chromium and what the tests need; the lines are the same each time, but for the clock.
"""

import base64
import json
import random
import struct
import sys
import time
import zlib
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

from asked import serving as storing
from dayfly.client import Client
from dayfly.console import Sessions, routes
from driven import driven, enter
from fake_server import serving
from fake_server.scenes import quiet

WIDTH, HEIGHT = 1180, 820
LINES, HOURS = 9000, 6
SECOND = 10**9
TOLD = {"query": "app:orders", "since": f"{HOURS}h"}
USUAL = (
    "order {n} of user {u} placed, 3 items",
    "GET /orders/{n} 200 in {ms} ms",
    "GET /stock/{n} 200 in {ms} ms",
    "payment of order {n} accepted",
    "mail to user {u} queued",
)


def main(target: Path) -> None:
    with TemporaryDirectory() as folder, storing(Path(folder) / "store", now=time.time) as store:
        answer = store.ingest(*made())
        assert answer.status == 200, answer
        environment = quiet()
        environment.store = Client(store.address, "")
        environment.saved = Path(folder) / "searches.json"
        sessions = Sessions(b"k" * 32)
        with (
            serving(routes(environment, sessions, {"127.0.0.1"})) as address,
            driven(Path(folder)) as browser,
        ):
            size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
            browser.ask("Emulation.setDeviceMetricsOverride", **size)
            enter(browser, address, sessions)
            browser.ask("Page.navigate", url=f"{address}/logs?{urlencode(TOLD)}")
            browser.wait_for("!!document.querySelector('#facets button')")
            browser.press(".record.bad summary")
            browser.value("window.scrollTo(0, 0)")
            browser.wait_for("!!document.querySelector('.record details[open]')")
            shot = browser.ask("Page.captureScreenshot", format="png")["data"]
    target.write_bytes(indexed(base64.b64decode(shot)))
    sys.stdout.write(f"{target}: {target.stat().st_size // 1024} KB\n")


def made() -> list[dict[str, Any]]:
    """A usual morning, a release, and the errors that came with it."""
    rng, now = random.Random(7), time.time_ns()
    span = HOURS * 3600 * SECOND
    records = [line(rng, now - rng.randrange(span), now, span) for _ in range(LINES)]
    return sorted(records, key=lambda each: each["time"])


def line(rng: random.Random, at: int, now: int, span: int) -> dict[str, Any]:
    late = (now - at) / span
    release = 42 if late < 0.3 else 41
    app = rng.choice(("orders", "orders", "orders", "billing", "search"))
    broken = release == 42 and late < 0.14 and rng.random() < 0.35
    level = rng.choice(("info",) * 30 + ("debug",) * 6 + ("warning",) * 2 + ("error",))
    number, fields = rng.randrange(10**5), {"path": f"/orders/{rng.randrange(900)}", "status": 200}
    message = rng.choice(USUAL).format(n=number, u=number // 7, ms=number % 90)
    if broken or level == "error":
        level, fields = "error", {**fields, "status": 503, "duration": 2.5}
        message = f"order {number}: connection to db2.internal:5432 timed out after 2.5 s"
    elif level == "warning":
        message = f"GET /orders/{number} took {800 + number % 900} ms"
    return {
        "time": at,
        "message": message,
        "level": level,
        "app": app,
        "release": release if app == "orders" else 7,
        "machine": f"{app}-{release if app == 'orders' else 7}-web-{1 + number % 2}",
        "host": "shop-1",
        "process": "web",
        "stream": "stdout",
        "fields": fields,
    }


def indexed(png: bytes) -> bytes:
    """With a palette of the most frequent colours, a third of the size: a page has few."""
    width, height, rows = pixels(png)
    counted = Counter(pixel for row in rows for pixel in row)
    palette = [colour for colour, _ in counted.most_common(256)]
    place = {colour: number for number, colour in enumerate(palette)}
    for colour in counted:
        if colour not in place:
            place[colour] = min(range(len(palette)), key=lambda n: far(palette[n], colour))
    lines = b"".join(b"\0" + bytes(place[pixel] for pixel in row) for row in rows)
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = (
        (b"IHDR", head),
        (b"PLTE", b"".join(palette)),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(chunk, chunks))


def far(one: bytes, other: bytes) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def chunk(told: tuple[bytes, bytes]) -> bytes:
    name, data = told
    crc = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", crc)


def pixels(png: bytes) -> tuple[int, int, list[list[bytes]]]:
    """Of an image as Chromium writes it: three bytes a pixel, each line with a filter."""
    width, height, depth, kind = struct.unpack(">IIBB", png[16:26])
    assert (depth, kind) == (8, 2), (depth, kind)
    data, position = b"", 8
    while position < len(png):
        length, name = struct.unpack(">I4s", png[position : position + 8])
        if name == b"IDAT":
            data += png[position + 8 : position + 8 + length]
        position += 12 + length
    raw, stride = zlib.decompress(data), width * 3
    before, rows = bytes(stride), []
    for at in range(0, len(raw), stride + 1):
        before = unfiltered(raw[at], raw[at + 1 : at + 1 + stride], before)
        rows.append([before[n : n + 3] for n in range(0, stride, 3)])
    return width, height, rows


def unfiltered(kind: int, line_: bytes, above: bytes) -> bytes:
    made_ = bytearray(line_)
    for n in range(len(made_)):
        left = made_[n - 3] if n >= 3 else 0
        corner = above[n - 3] if n >= 3 else 0
        made_[n] = (made_[n] + predicted(kind, left, above[n], corner)) & 255
    return bytes(made_)


def predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 4:
        guess = left + up - corner
        return min((left, up, corner), key=lambda each: abs(guess - each))
    return (0, left, up, (left + up) // 2)[kind]


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/logs.png"))
