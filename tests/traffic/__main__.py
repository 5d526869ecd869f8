"""python -m traffic http://127.0.0.1:8080: make load, show it live, write a report.

Ends after --seconds, when the file of --until-file appears, or with Ctrl-C. Exit status 0 only
when nothing failed.
"""

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from traffic.drive import Load, steady
from traffic.plan import Kind, Plan, PlanError, kinds
from traffic.tally import Second, Tally


def main() -> None:
    parser = _parser()
    asked = parser.parse_args()
    try:
        plan = Plan(
            target=asked.target,
            kinds=_kinds(asked.kinds, asked.rate),
            seconds=asked.seconds,
            seed=asked.seed,
            dialect=asked.dialect,
            secure=asked.secure,
            ca=asked.ca,
        )
    except PlanError as error:
        parser.error(str(error))
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with steady(plan) as load:
        _watch(load, stopped, asked.until_file)
        tally = load.stop()
    _tell(tally, asked.report)
    sys.exit(1 if tally.failed else 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="traffic", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("target", help="address on this machine, e.g. http://127.0.0.1:8080")
    parser.add_argument("--kinds", default="get,post,keepalive", help="separated by commas")
    parser.add_argument("--rate", type=float, help="requests per second, shared by the kinds")
    parser.add_argument("--dialect", default="orders", help="what answers: orders or kinds")
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--until-file", type=Path, help="end when this file is there")
    parser.add_argument("--report", type=Path, help="write what was counted to this file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--secure", help="https:// address, for the kind h2")
    parser.add_argument("--ca", type=Path, help="the authority that signed the certificate")
    return parser


def _kinds(names: str, rate: float | None) -> tuple[Kind, ...]:
    return kinds(*names.split(","), rate=rate)


def _watch(load: Load, stopped: threading.Event, until: Path | None) -> None:
    """A line each second: rewritten on a terminal, one below the other elsewhere."""
    terminal = sys.stdout.isatty()
    failed = 0
    while load.running and not (until and until.exists()) and not stopped.wait(1):
        second = load.last_second()
        failed += second.failed
        line = _line(second, failed)
        sys.stdout.write(f"\r{line}\x1b[K" if terminal else f"{line}\n")
        sys.stdout.flush()
    if terminal:
        sys.stdout.write("\n")


def _line(second: Second, failed: int) -> str:
    answered = ", ".join(
        f"release {release}: {count}" for release, count in sorted(second.releases.items())
    )
    head = f"{second.second + 1:4} s  {second.ok:5}/s  failed {failed}  p99 {second.p99_ms:5.0f} ms"
    return f"{head}  {answered or 'no answer'}"


def _tell(tally: Tally, report: Path | None) -> None:
    sys.stdout.write(f"{tally.told()}\n")
    created = f"orders confirmed: {len(tally.created)}, uncertain: {len(tally.uncertain)}"
    sys.stdout.write(f"{created}, references begin with {tally.run}-\n")
    if report:
        unfinished = report.with_suffix(".part")
        unfinished.write_text(json.dumps(tally.as_json(), indent=1) + "\n")
        unfinished.replace(report)


if __name__ == "__main__":
    main()
