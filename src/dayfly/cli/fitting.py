"""What machines take, how many fleets fit, and what as many computers of other sizes would cost."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from dayfly.cli.output import cleaned, say, say_json, table
from dayfly.cli.session import Session
from dayfly.cli.show import size as shown
from dayfly.config.units import Size as Bytes
from dayfly.config.units import UnitError
from dayfly.errors import UsageError
from dayfly.machines.capacity import HEADROOM, Wanted
from dayfly.machines.machine import Usage
from dayfly.machines.sizing import LEAST, RELEASING, SYSTEM, Fits, Need, Size, bought, fits, size_of
from dayfly.shown import amount, duration

Json = Mapping[str, Any]
HEAD = ("app", "release", "process", "machines", "memory", "most", "CPUs", "at rest", "most")


def capacity(  # noqa: PLR0913 - each is an option
    session: Session,
    *,
    vm: Sequence[str],
    host: Sequence[str],
    system: str | None,
    fleets: int,
    currency: str,
    json: bool,
) -> int:
    if fleets < 1:
        raise UsageError(f"--fleets {fleets}: allowed is 1 and more")
    own = _system(system)
    wanted = [("vm", size_of(each)) for each in vm] + [("host", size_of(each)) for each in host]
    value = session.client().get("/api/capacity")
    needs = [_need(row) for row in value["processes"]]
    there = value["host"]
    found = fits(needs, memory=there["available"], cpus=there["cpus"])
    besides = {"vm": own, "host": there["besides"]}
    sizes = [
        _bought(kind, size, needs, system=besides[kind], fleets=fleets)
        for kind, size in (wanted if needs else [])
    ]
    if json:
        say_json({**value, "fits": _told(found), "sizes": sizes, "currency": currency})
    else:
        say(*lines(cleaned(value), found), *sizes_told(sizes, fleets, currency))
    return 0


def _system(text: str | None) -> int:
    try:
        return SYSTEM if text is None else Bytes.parse(text)
    except UnitError as error:
        raise UsageError(f"--system {text}: {error}") from error


def _need(row: Json) -> Need:
    measured, machines = row["measured"], row["machines"]
    busiest = measured and Usage(memory=measured["memory_most"], cpu=0.0)
    wanted = Wanted(
        process=row["process"], machines=machines, memory=row["limit"], measured=busiest
    )
    return Need(
        name=f"{row['app']} {row['process']}",
        machines=machines,
        memory=wanted.expected,
        cpus=max(LEAST, measured["cpus_most"] * HEADROOM) if measured else LEAST,
    )


def _bought(
    kind: str, size: Size, needs: Sequence[Need], *, system: int, fleets: int
) -> dict[str, Any]:
    found = bought(needs, size, system=system, fleets=fleets)
    told = {"kind": kind, "size": str(size), "cpus": size.cpus, "memory": size.memory,
            "system": system, "price": _number(size.price)}  # fmt: skip
    if isinstance(found, str):
        return {**told, "count": None, "most": None, "first": None, "month": None, "why": found}
    return {**told, **asdict(found), "month": _number(found.month(size.price)), "why": ""}


def _number(money: Decimal | None) -> float | None:
    return None if money is None else float(money)


def _told(found: Fits | None) -> Json | None:
    if found is None:
        return None
    return {**asdict(found), "fleets": found.fleets, "first": found.first}


def lines(value: Json, found: Fits | None) -> Iterator[str]:
    """Of what is measured, and of this host."""
    if found is None:
        yield "Nothing serves, so nothing is measured."
        return
    yield from table(map(_row, value["processes"]), head=HEAD)
    yield from filter(None, map(_traffic, value["processes"]))
    if not all(row["measured"] for row in value["processes"]):
        yield "What is not measured yet counts with its declared memory, else with 64 MB."
    there = value["host"]
    yield (
        f"This host has {there['cpus']} CPUs and {amount(there['memory'])};"
        f" {amount(there['available'])} of it are there for machines."
    )
    enough = f"a release needs {RELEASING}: incoming and outgoing"
    if found.fleets < RELEASING:
        enough = f"too few, {enough}"
    yield (
        f"Fleets that fit at their busiest: {found.fleets} ({enough});"
        f" {found.first} limits first (memory {found.memory}, CPU {found.cpus})."
    )


def _row(row: Json) -> tuple[str, ...]:
    kind = (row["app"], str(row["release"]), row["process"], str(row["machines"]))
    found = row["measured"]
    if not found:
        return (*kind, "-", "-", "-", "-", "-")
    rest = "-" if found["cpus_rest"] is None else f"{found['cpus_rest']:.3f}"
    cpus = (f"{found['cpus']:.3f}", rest, f"{found['cpus_most']:.3f}")
    return (*kind, shown(found["memory"]), shown(found["memory_most"]), *cpus)


def _traffic(row: Json) -> str:
    found = row["measured"]
    if not found or not found["rate_most"] or row["process"] != "web":
        return ""
    return (
        f"{row['app']} got {found['rate']:.2f} requests a second, {found['rate_most']:.2f} at most;"
        f" each took {duration(found['cpu_of_request'])} of CPU"
        f" ({duration(found['seconds'])} measured)."
    )


def sizes_told(sizes: Sequence[Json], fleets: int, currency: str) -> Iterator[str]:
    if not sizes:
        return
    yield ""
    yield f"For {fleets} fleets:"
    head = ("", "size", "count", "machines", "limit", f"a month {currency}".rstrip())
    yield from table(map(_size, sizes), head=head)
    yield from (f"{each['size']} is too small: {each['why']}" for each in sizes if each["why"])


def _size(each: Json) -> tuple[str, ...]:
    if each["why"]:
        return (each["kind"], each["size"], "-", "-", "-", "-")
    month = "-" if each["month"] is None else f"{each['month']:.2f}"
    count = (str(each["count"]), str(each["most"]), each["first"])
    return (each["kind"], each["size"], *count, month)
