"""What releases run from, and whether their machines are what was built: answers of the API."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from starlette.requests import Request

from dayfly.config.app import Process
from dayfly.environment.environment import Environment
from dayfly.environment.readings import number_of
from dayfly.errors import UsageError
from dayfly.images.contents import Contents
from dayfly.images.differences import Difference, differences, settings
from dayfly.images.fingerprint import key_of
from dayfly.images.image import Image
from dayfly.images.repeatable import reason_of
from dayfly.machines.machine import Fingerprint, Machine
from dayfly.release.drift import bounded, mutable_of, usual_of
from dayfly.release.fleet import image_of
from dayfly.release.receipt import whole
from dayfly.release.records import ReleaseRecord
from dayfly.release.work import Parts

_TO_READY = ("launch", "verify")  # stages from the image to a fleet that is proven healthy
_COMPILED = ".pyc"  # of Python, from a source that is compared


def images(environment: Environment, _: Request) -> list[Any]:
    """Every image that is kept, newest first."""
    parts = environment.parts
    records = parts.journal.releases()
    return [
        _row(parts, image, [record for record in records if record.image == image.key])
        for image in parts.builder.images()
    ]


def image(environment: Environment, request: Request) -> dict[str, Any]:
    parts = environment.parts
    record = parts.journal.release(request.path_params["number"])
    found = image_of(parts, record)
    holds = parts.builder.contents(found)
    return {
        **_row(parts, found, [record]),
        "fingerprint": print_of(holds),
        "layers": [
            {"about": each.about, "size": each.size} for each in parts.builder.layers(found)
        ],
        "configuration": dict(parts.builder.configuration(found)),
        "packages": dict(holds.apt),
        "python_packages": dict(holds.pip),
        "users": dict(holds.users),
        "files": len(holds.files),
        "lock": holds.lock.text,
    }


def image_differences(environment: Environment, request: Request) -> dict[str, Any]:
    """Between the images of two releases."""
    parts = environment.parts
    numbers = [number_of(request, name, 0) for name in ("one", "other")]
    one, other = (image_of(parts, parts.journal.release(number)) for number in numbers)
    if one.app != other.app:
        raise UsageError(f"release {numbers[0]} is of {one.app}, {numbers[1]} of {other.app}")
    holds = [_without_compiled(parts.builder.contents(each)) for each in (one, other)]
    says = [parts.builder.configuration(each) for each in (one, other)]
    found = [*differences(*holds), *settings(*says)]
    return {
        "releases": numbers,
        "images": [one.key, other.key],
        "sizes": [one.size, other.size],
        "differences": [{**each.as_json(), "why": _why(each)} for each in found],
    }


def machine_differences(environment: Environment, request: Request) -> dict[str, Any]:
    """Of the serving fleet: each machine against the image, and against its equals."""
    parts, app = environment.parts, request.path_params["app"]
    number = parts.serving(app)
    if number is None:
        raise LookupError(f"no release of {app} serves")
    record = parts.journal.release(number)
    built = image_of(parts, record)
    fleet = [
        machine
        for machine in parts.runtime.machines()
        if (machine.app, machine.release, machine.kind) == (app, number, "process")
    ]
    declared = parts.app_of(record)
    mutable = mutable_of(declared)
    prints = [parts.runtime.fingerprint(machine.name, built, mutable) for machine in fleet]
    rows = compared(parts.builder.contents(built), fleet, prints, declared.process)
    return {
        "app": app,
        "release": number,
        "image": built.key,
        "identical": not any(row["differences"] for row in rows),
        "machines": rows,
    }


def compared(
    built: Contents,
    fleet: Sequence[Machine],
    prints: Sequence[Fingerprint],
    declared: Mapping[str, Process],
) -> list[dict[str, Any]]:
    """Files against the image's, limits against those declared, rights against their equals'.

    Where most of the machines agree on no rights, those of the first are the model.
    """
    equals = dict[str, list[Mapping[str, str]]]()
    for machine, found in zip(fleet, prints, strict=True):
        equals.setdefault(machine.process, []).append(found.bounds)
    rows = []
    for machine, found in zip(fleet, prints, strict=True):
        model = equals[machine.process]
        model = model if usual_of(model) else model[:1]
        own = found.contents.without(found.outside).whole
        told = differences(built.without(found.outside).whole, own)
        told = (*told, *bounded(found, declared.get(machine.process), model))
        rows.append(
            {
                "machine": machine.name,
                "process": machine.process,
                "fingerprint": print_of(own, sorted(found.bounds.items())),
                "differences": [_as_told(each) for each in told],
            }
        )
    return rows


def _why(found: Difference) -> str:
    """Why a build made again may have it otherwise; empty where only its content tells."""
    return reason_of(found.name) if found.kind == "file" else ""


def _as_told(found: Difference) -> dict[str, str | None]:
    return {"kind": found.kind, "name": found.name, "wanted": found.one, "found": found.other}


def print_of(holds: Contents, bounds: Iterable[tuple[str, str]] = ()) -> str:
    """One short name for all of it."""
    return key_of(json.dumps([sorted(holds.files.items()), list(bounds)]))


def _without_compiled(holds: Contents) -> Contents:
    left = {name: about for name, about in holds.files.items() if not name.endswith(_COMPILED)}
    return Contents(files=left, apt=holds.apt, pip=holds.pip, users=holds.users)


def _row(parts: Parts, built: Image, records: Sequence[ReleaseRecord]) -> dict[str, Any]:
    return {
        "image": built.key,
        "app": built.app,
        "commit": built.commit,
        "releases": [record.number for record in records],
        "runtime": built.runtime,
        "size": built.size,
        "layer_count": len(parts.builder.layers(built)),
        "ready_seconds": next(filter(None, map(_ready, records)), None),
    }


def _ready(record: ReleaseRecord) -> float | None:
    """How long the newest release took from this image to a healthy fleet."""
    stages = {stage["stage"]: stage.get("seconds") for stage in whole(record).get("stages") or ()}
    seconds = [stages.get(name) for name in _TO_READY]
    return None if None in seconds else round(sum(filter(None, seconds)), 3)
