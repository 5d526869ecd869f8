"""Environments as they look at some moment: released, under way, failed."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from fake_server import COMMIT, FakeEnvironment

HOSTILE = "<script>document.title='owned'</script>\x1b[2J\u202egnp"


def quiet() -> FakeEnvironment:
    """Release 12 serves, release 11 is warm, release 10 failed with hostile words."""
    now = datetime.now(UTC)
    environment = FakeEnvironment()
    environment.releases_ = [
        _entry(12, "serving", "Add discount codes to orders", now),
        _entry(11, "warm", "Show the stock of an article", now - timedelta(hours=3)),
        _entry(
            10, "failed", HOSTILE, now - timedelta(hours=5), "web-1 was not healthy within 30 s"
        ),
        *(
            _entry(number, "retired", "Export orders as CSV", now - timedelta(days=10 - number))
            for number in range(9, 4, -1)
        ),
    ]
    environment.status_ = {
        "environment": "production",
        "url": "http://shop.example:8080",
        "services": {
            "api": "up",
            "balancer": "up",
            "console": "up",
            "logs": {"state": "up", "url": "http://127.0.0.1:8082"},
            "forwarder": {"state": "up", "waiting": ["orders-10-web-1"]},
        },
        "apps": [
            {
                "app": "orders",
                "serving": _fleet(12, healthy=(True, True, False)),
                "warm": [
                    {**_fleet(11), "until": (now + timedelta(minutes=7.4)).isoformat()},
                ],
                "incoming": None,
                "way_back": "warm",
                "problems": ["orders-12-worker-1 died (exit status 1) and is being replaced."],
            }
        ],
    }
    environment.receipts = {entry["release"]: _receipt(entry) for entry in environment.releases_}
    _story(environment, 12, now.timestamp() - 60)
    return environment


def under_way(environment: FakeEnvironment, number: int = 13) -> None:
    """A release up to the middle of its watch."""
    now = datetime.now(UTC)
    entry = _entry(number, "running", "Ask for the invoice address once", now)
    environment.releases_.insert(0, {**entry, "finished": None})
    environment.receipts[number] = {
        **_receipt(entry), "traffic": None, "cutover_seconds": None, "finished": None, "stages": [],
    }  # fmt: skip
    environment.status_["apps"][0]["incoming"] = _fleet(number)
    _story(environment, number, now.timestamp() - 24, finish=False)


def _entry(
    number: int, outcome: str, subject: str, at: datetime, reason: str = ""
) -> dict[str, Any]:
    return {
        "release": number, "app": "orders", "commit": COMMIT[number % 8 :] + COMMIT[: number % 8],
        "subject": subject, "who": "ada@desk", "outcome": outcome, "reason": reason,
        "started": at.isoformat(), "finished": (at + timedelta(seconds=41)).isoformat(),
    }  # fmt: skip


def _fleet(number: int, healthy: tuple[bool, ...] = (True, True, True)) -> dict[str, Any]:
    names = ("web-1", "web-2", "worker-1")
    machines = [
        {
            "machine": f"orders-{number}-{name}", "process": name.partition("-")[0],
            "address": f"127.0.0.1:2{number}0{place}" if name.startswith("web") else None,
            "healthy": well,
        }
        for place, (name, well) in enumerate(zip(names, healthy, strict=True))
    ]  # fmt: skip
    return {"release": number, "commit": COMMIT, "machines": machines}


def _receipt(entry: dict[str, Any]) -> dict[str, Any]:
    failed = entry["outcome"] == "failed"
    stages = [("checkout", 0.12), ("build", 6.4), ("test", 3.1), ("launch", 1.9), ("verify", 1.2)]
    if not failed:
        stages += [("cut over", 0.034), ("watch", 20.0), ("drain", 1.4)]
    traffic = {
        "requests": 48213, "lost": 0, "retried": 3, "aborted": 0, "p50_ms": 3.1, "p99_ms": 18.4,
    }  # fmt: skip
    return {
        **entry,
        "verdict": "unassessed",
        "stages": [{"stage": name, "seconds": took, "outcome": "done"} for name, took in stages],
        "cutover_seconds": None if failed else 0.034,
        "traffic": None if failed else traffic,
        "watch": None if failed else {"outcome": "healthy"},
        "machines": [],
        "image": {},
    }


_KINDS = ("web-1", "web-2", "worker-1")
_TOOK = {
    "checkout": 0.12,
    "build": 6.4,
    "test": 3.1,
    "launch": 1.9,
    "verify": 1.2,
    "cut over": 0.034,
}


def _story(environment: FakeEnvironment, number: int, at: float, *, finish: bool = True) -> None:
    """What the journal holds of a release that goes well."""
    entry = environment.receipts[number]

    def happen(kind: str, after: float, **data: object) -> None:
        environment.happen(kind, number, at=at + after, **data)

    happen("release.started", 0, **{key: entry[key] for key in ("commit", "subject", "who")})
    clock = 0.0
    for name, took in _TOOK.items():
        happen("stage.started", clock, stage=name)
        for kind, data in _inside(name, number):
            happen(kind, clock, **data)
        clock += took
        happen("stage.finished", clock, stage=name, outcome="done", seconds=took)
    happen("stage.started", clock, stage="watch")
    for second in range(-6, 20 if finish else 11):
        happen("traffic", clock + second, fleets=_fleets(number, second))
    if finish:
        happen("stage.finished", clock + 20, stage="watch", outcome="done", seconds=20.0)
        happen("release.finished", clock + 21, outcome="serving", reason="")


def _inside(stage: str, number: int) -> list[tuple[str, dict[str, Any]]]:
    """The events within a stage."""
    if stage in {"build", "test"}:
        lines = [f"\x1b[32m{stage}\x1b[0m step {line} of 8 <b>done</b>" for line in range(1, 9)]
        return [("output", {"source": stage, "line": line}) for line in lines]
    machines = [f"orders-{number}-{kind}" for kind in _KINDS]
    if stage == "launch":
        return [
            ("machine.launched", {
                "machine": machine, "process": machine.split("-")[2],
                "address": f"127.0.0.1:2{number}0{place}",
            })
            for place, machine in enumerate(machines)
        ]  # fmt: skip
    if stage == "verify":
        return [("machine.healthy", {"machine": name, "seconds": 0.84}) for name in machines]
    return []


def _fleets(number: int, second: int) -> list[dict[str, Any]]:
    """The traffic moves within two seconds."""
    rate = 180 + 14 * math.sin(second / 2)
    share = min(max(second, 0) / 2, 1)
    return [
        {"release": number - 1, "slot": "a", "rate": rate * (1 - share), "errors": 0},
        {"release": number, "slot": "b", "rate": rate * share, "errors": 0},
    ]
