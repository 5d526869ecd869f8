"""A strict client for all kinds of traffic: it counts every failure and hides none.

with traffic.steady(Plan(target="http://127.0.0.1:8080", kinds=kinds("get", "post"))) as load:
    …
    tally = load.stop()
assert tally.failed == 0, tally.told()
"""

from traffic.drive import Load, run, steady
from traffic.plan import Kind, Plan, PlanError, kinds
from traffic.tally import Failure, KindTally, Second, Tally

__all__ = [
    "Failure",
    "Kind",
    "KindTally",
    "Load",
    "Plan",
    "PlanError",
    "Second",
    "Tally",
    "kinds",
    "run",
    "steady",
]
