"""What migrations took away and is kept: list it, look at it, put it back."""

from collections.abc import Callable, Mapping
from typing import Any

from dayfly.cli.commands import Commands, for_app, words
from dayfly.cli.output import cleaned, paint, say, say_json, table
from dayfly.cli.release import who
from dayfly.cli.session import Session
from dayfly.cli.show import moment, size
from dayfly.client import part

RESTORE_SECONDS = 3600.0

Json = Mapping[str, Any]


def declare(commands: Commands) -> None:
    group = commands.add_group("preserved", "What migrations took away, and is kept.")
    for_app(group.add_reader("ls", ls, "What is kept, newest first."))
    one = group.add_reader("show", show, "One export: its tables, and whether it is whole.")
    back = group.add("restore", restore, "Put its values back into the schema as it is now.")
    gone = group.add("drop", drop, "Let go of its values for good; that it was there stays known.")
    for parser in (one, back, gone):
        parser.add_argument("name", metavar="N", help="as `dayfly preserved ls` numbers it")
    back.add_argument("--table", default="", metavar="TABLE", help="only of this table (all)")
    back.add_argument(
        "--accept-loss",
        default="",
        metavar="REASON",
        help="overwrite what was written since; the reason is kept",
    )
    gone.add_argument(
        "--reason", type=words, required=True, metavar="REASON", help="why; it is kept"
    )
    gone.add_argument(
        "--accept-loss",
        default="",
        metavar="REASON",
        help="although a rollback may need it; the reason is kept",
    )


def ls(session: Session, *, json: bool) -> int:
    return _read(session, "/api/preserved", _rows, json=json)


def show(session: Session, *, json: bool, name: str) -> int:
    return _read(session, f"/api/preserved/{part(name)}", _whole, json=json)


def restore(session: Session, *, name: str, table: str, accept_loss: str) -> int:
    wanted = {"table": table, "accept_loss": accept_loss, "who": who()}
    path = f"/api/preserved/{part(name)}/restore"
    done = cleaned(session.client().post(path, wanted, seconds=RESTORE_SECONDS))
    for put in done["tables"]:
        gone = f", {put['gone']} of them are gone since" if put["gone"] else ""
        say(f"{put['table']}: {put['rows']} rows were put back{gone}")
    return 0


def drop(session: Session, *, name: str, reason: str, accept_loss: str) -> int:
    wanted = {"reason": reason, "accept_loss": accept_loss, "who": who()}
    path = f"/api/preserved/{part(name)}/drop"
    session.client().post(path, wanted, seconds=RESTORE_SECONDS)
    say(f"What {name} had preserved is gone.")
    return 0


def _read(session: Session, path: str, lines: Callable[[Any], list[str]], *, json: bool) -> int:
    value = session.client().get(path, app=session.named_app)
    if json:
        say_json(value)
    else:
        say(*lines(cleaned(value)))
    return 0


def _rows(value: list[Json]) -> list[str]:
    if not value:
        return ["Nothing was preserved yet: no release has taken anything from a database."]
    head = ("N", "app", "of", "tables", "rows", "size", "")
    return table([head, *(_row(one) for one in value)])


def _row(one: Json) -> tuple[str, ...]:
    restored = f"restored {moment(one['restored'])}" if one["restored"] else ""
    restored = "dropped" if one["dropped"] else restored
    restored = paint("bad", "damaged") if one["damage"] else restored
    tables = ", ".join(one["tables"]) or "-"
    return (
        one["preserved"], one["app"], moment(one["time"]), tables, str(one["rows"]),
        size(one["bytes"]), restored,
    )  # fmt: skip


def _whole(one: Json) -> list[str]:
    lines = [
        (
            f"{paint('strong', one['preserved'])}  of {one['app']}, release {one['release']}, "
            f"{moment(one['time'])}"
        ),
        f"  {one['folder']}",
    ]
    lines += [
        f"  {found['table']}: {', '.join(found['columns'] or ['whole rows'])}, {found['rows']} rows"
        for found in one["tables"]
    ]
    if one["dropped"]:
        return [*lines, f"  {one['dropped']}"]
    if one["damage"]:
        lines.append(paint("bad", f"  {one['damage']}"))
    if back := one["restoration"]:
        not_all = "not all may come back" if back.get("partly") else "cannot be brought back"
        lines += [f"  {not_all}: {back['why']}"] if back["why"] else []
        lines += [f"  not exactly as it was: {each}" for each in back.get("unlike", ())]
        lines += [paint("dim", f"  {line};") for line in back["statements"]]
    return lines
