"""What releases run from, and the proof that machines are what was built."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dayfly.cli.commands import Commands, for_app, release_number
from dayfly.cli.output import cleaned, paint, say, say_json, table
from dayfly.cli.session import Session
from dayfly.cli.show import short, size
from dayfly.cli.show import size as shown_size
from dayfly.client import part
from dayfly.durable import translated
from dayfly.shown import duration

Json = Mapping[str, Any]
VM_SECONDS = 1800.0  # packages are fetched, and a disk is written
SECONDS = 600.0  # every file of a fleet is read
MOST = 40  # differences of one kind that a person is shown
WIDEST = 70  # characters of what made a layer
_HASH = 12  # characters of it that are shown


def declare(commands: Commands) -> None:
    commands.add_reader("images", images, "Images that are kept: size, layers, time to ready.")
    show = commands.add_reader("images show", show_image, "What the image of a release holds.")
    show.add_argument("number", type=release_number, metavar="N", help="the release's number")
    show.add_argument(
        "--lock", action="store_true", help="print its versions as a file for `lock` of [image]"
    )
    diff = commands.add_reader(
        "images diff", diff_images, "What differs between the images of two releases."
    )
    diff.add_argument("one", type=release_number, metavar="N", help="a release")
    diff.add_argument("other", type=release_number, metavar="M", help="another one")
    vm = commands.add("images vm", make_vm, "Make a disk that boots of a release's image (qcow2).")
    vm.add_argument("number", type=release_number, metavar="N", help="the release's number")
    vm.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="where to (default: APP-N.qcow2)"
    )
    vm.add_argument("--size", default="4GB", metavar="SIZE", help="of the disk (4GB)")
    machines = commands.add_reader(
        "machines diff",
        diff_machines,
        "Are the machines that serve what was built? Exit status 1 where one is not.",
    )
    for_app(machines)


def images(session: Session, *, json: bool) -> int:
    return _told(session.client().get("/api/images"), rows_of_images, json=json)


def show_image(session: Session, *, number: int, lock: bool, json: bool) -> int:
    value = session.client(seconds=SECONDS).get(f"/api/releases/{number}/image")
    if lock:
        say(*cleaned(value["lock"].splitlines()))
        return 0
    return _told(value, about_image, json=json)


def diff_images(session: Session, *, one: int, other: int, json: bool) -> int:
    client = session.client(seconds=SECONDS)
    value = client.get("/api/images/differences", one=one, other=other)
    return _told(value, between_images, json=json)


def make_vm(session: Session, *, number: int, output: Path | None, size: str) -> int:
    client = session.client(seconds=VM_SECONDS)
    app = client.get(f"/api/releases/{number}")["app"]
    to = output or Path(f"{app}-{number}.qcow2")
    partial = to.with_name(f".{to.name}.part")
    with translated(to):
        try:
            with partial.open("wb") as file:
                say(f"making a disk of release {number}: a minute or two")
                file.writelines(client.pieces(f"/api/releases/{number}/vm", size=size))
            partial.replace(to)
        finally:
            partial.unlink(missing_ok=True)
    say(f"{to}  {shown_size(to.stat().st_size)}")
    return 0


def diff_machines(session: Session, *, json: bool) -> int:
    client = session.client(seconds=SECONDS)
    value = client.get(f"/api/apps/{part(session.app(client))}/machines/differences")
    _told(value, between_machines, json=json)
    return 0 if value["identical"] else 1


def _told(value: Any, lines: Any, *, json: bool) -> int:  # noqa: ANN401 - JSON, and how to show it
    if json:
        say_json(value)
    else:
        say(*lines(cleaned(value)))
    return 0


def rows_of_images(value: Sequence[Json]) -> list[str]:
    if not value:
        return ["No images yet."]
    rows = [
        (
            ", ".join(map(str, entry["releases"])) or "-",
            entry["app"],
            short(entry["commit"]),
            short(entry["image"]),
            size(entry["size"]),
            str(entry["layer_count"]),
            duration(entry["ready_seconds"]),
        )
        for entry in value
    ]
    return table(rows, head=("release", "app", "commit", "image", "size", "layers", "ready after"))


def about_image(value: Json) -> list[str]:
    facts = [
        ("release", ", ".join(map(str, value["releases"]))),
        ("size", size(value["size"])),
        ("ready after", duration(value["ready_seconds"])),
        ("fingerprint", value["fingerprint"]),
        ("files", f"{value['files']:,}"),
        *((name, told) for name, told in value["configuration"].items()),
    ]
    lines = [f"image {paint('strong', value['image'])}  {value['app']} {short(value['commit'])}"]
    lines += table((f"  {paint('dim', name)}", told) for name, told in facts)
    lines += ["", paint("dim", "layers")]
    rows = [(f"  {_cut(each['about'])}", size(each["size"])) for each in value["layers"]]
    lines += table(rows)
    for title, key in (("packages", "packages"), ("Python packages", "python_packages")):
        if value[key]:
            lines += ["", paint("dim", f"{title} ({len(value[key])})")]
            lines += table([(f"  {name}", version) for name, version in value[key].items()])
    return lines


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def between_images(value: Json) -> list[str]:
    one, other = value["releases"]
    sizes = " → ".join(map(size, value["sizes"]))
    lines = [f"release {one} → release {other}  {sizes}"]
    if not value["differences"]:
        return [*lines, paint("good", "nothing differs")]
    return [*lines, *_differences(value["differences"], "one", "other")]


def between_machines(value: Json) -> list[str]:
    lines = [f"{paint('strong', value['app'])}  release {value['release']}  image {value['image']}"]
    for machine in value["machines"]:
        found = machine["differences"]
        many = "1 difference" if len(found) == 1 else f"{len(found):,} differences"
        told = paint("bad", many) if found else paint("good", "as built")
        lines.append(f"  {machine['machine']}  {machine['fingerprint'][:_HASH]}  {told}")
        lines += [f"  {line}" for line in _differences(found, "wanted", "found")]
    return lines


def _differences(found: Sequence[Json], one: str, other: str) -> list[str]:
    lines = []
    for kind in dict.fromkeys(each["kind"] for each in found):
        of_kind = [each for each in found if each["kind"] == kind]
        lines += [_difference(each, one, other) for each in of_kind[:MOST]]
        if len(of_kind) > MOST:
            lines.append(f"  and {len(of_kind) - MOST:,} more of the kind {kind}; --json has all")
    return lines


def _difference(each: Json, one: str, other: str) -> str:
    sign = "+" if each[one] is None else "-" if each[other] is None else "~"
    values = [_short(each[key]) for key in (one, other) if each[key] is not None]
    why = f": {each['why']}" if each.get("why") else ""
    return f"  {sign} {each['kind']} {each['name']}  {paint('dim', ' → '.join(values) + why)}"


def _short(told: str) -> str:
    """A hash is told by its beginning."""
    *words, last = told.split(" ")
    return " ".join([*words, last[:_HASH] if len(last) > 3 * _HASH else last])
