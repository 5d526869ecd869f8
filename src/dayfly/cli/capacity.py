"""`dayfly capacity`: what machines take, how many fleets fit, what other computers would cost."""

from typing import Any

from dayfly.cli.commands import Commands, words
from dayfly.cli.session import Session


def declare(commands: Commands) -> None:
    capacity_ = commands.add_reader(
        "capacity", capacity, "What machines take, how many fleets fit, and what limits first."
    )
    capacity_.add_argument(
        "--vm", type=words, action="append", default=[], metavar="SIZE=PRICE",
        help="a virtual machine that can be had, like 2cpu,4GB=6.50 a month; any number of them",
    )  # fmt: skip
    capacity_.add_argument(
        "--host", type=words, action="append", default=[], metavar="SIZE=PRICE",
        help="a host that can be had, like 8cpu,32GB=41",
    )  # fmt: skip
    capacity_.add_argument(
        "--system", metavar="SIZE",
        help="memory that the system of each --vm takes for itself (256MB)",
    )  # fmt: skip
    capacity_.add_argument(
        "--fleets", type=int, default=2, metavar="N",
        help="to hold at once (2: incoming and outgoing)",
    )  # fmt: skip
    capacity_.add_argument("--currency", default="", metavar="WORD", help="of the prices")


def capacity(session: Session, **told: Any) -> int:  # noqa: ANN401 - as they were declared
    from dayfly.cli.fitting import capacity as run  # noqa: PLC0415 - 0.05 s, for this only

    return run(session, **told)
