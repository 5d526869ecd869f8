"""What the server told, as lines for a person: pure functions from JSON to text."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dayfly.cli import database, outputs
from dayfly.cli.output import clean, paint, table
from dayfly.shown import duration, way_back

Json = Mapping[str, Any]

_OUTCOMES = {
    "queued": "accent",
    "running": "accent",
    "waiting": "accent",
    "serving": "good",
    "warm": "warn",
    "retired": "dim",
    "failed": "bad",
    "refused": "bad",
    "assessed": "dim",
    "rolled-back": "bad",
    "done": "good",
    "up": "good",
    "down": "bad",
    "healthy": "good",
    "not healthy": "bad",
    "inconclusive": "warn",
}
_UNTOUCHED = {"refused", "assessed", "waiting"}  # before it could lose, launch or change anything
_SHORT = 10  # of a commit id: enough to tell, short enough to read


def outcome(word: str) -> str:
    return paint(_OUTCOMES.get(word, "strong"), word) if word else "-"


def short(commit: str) -> str:
    return commit[:_SHORT]


def size(value: float | None) -> str:
    return "-" if value is None else f"{value / 1024**2:.0f} MB"


def moment(stamp: str | None) -> str:
    """Local time of an instant in ISO 8601."""
    return f"{datetime.fromisoformat(stamp).astimezone():%Y-%m-%d %H:%M:%S}" if stamp else "-"


def status(value: Json) -> list[str]:
    told = {name: _state(service) for name, service in value["services"].items()}
    services = "  ".join(f"{name} {outcome(state)}" for name, state in told.items())
    lines = [f"{paint('strong', value['environment'])}  {value['url']}", services]
    lines += _waiting_for_store(value["services"].get("forwarder", {}))
    for name, about in (("logs", ""), ("tunnel", "tunnel: "), ("files", "files: ")):
        met = _problems(value["services"].get(name, {}))
        lines += [paint("warn", f"{about}{clean(problem)}") for problem in met]
    for app in value["apps"]:
        lines += ["", *_app(app)]
    if not value["apps"]:
        lines += ["", "Nothing has been released yet: `dayfly release` in an application's folder."]
    return lines


def _state(service: Json | str) -> str:
    return str(service["state"]) if isinstance(service, Mapping) else service


def _problems(service: Json | str) -> Sequence[str]:
    return service.get("problems", ()) if isinstance(service, Mapping) else ()


def _waiting_for_store(forwarder: Json) -> list[str]:
    """Machines that have ended a moment ago are nothing to tell while the store takes them."""
    waiting = len(forwarder.get("waiting", ()))
    if not waiting:
        return []
    what = "machine has ended and waits" if waiting == 1 else "machines have ended and wait"
    return [paint("warn", f"{waiting} {what} until the log store and the archive have all of it")]


def _app(app: Json) -> list[str]:
    lines = []
    serving = app.get("serving")
    if serving:
        lines += [_fleet_line(app["app"], serving, "serving"), *_machine_lines(serving)]
    else:
        lines.append(f"{paint('strong', app['app'])}  {paint('bad', 'nothing serves')}")
    if app.get("closed"):
        lines.append(f"  {paint('warn', 'closed')}: requests get a maintenance page")
    if incoming := app.get("incoming"):
        lines += [_fleet_line("", incoming, "incoming"), *_machine_lines(incoming)]
    for fleet in app.get("warm", ()):
        until = f"until {moment(fleet.get('until'))}"
        lines.append(f"{_fleet_line('', fleet, 'warm')}  {paint('dim', until)}")
    lines += [_waiting_line(each) for each in app.get("waiting", ())]
    lines.append(f"  way back {way_back(app)}")
    if contract := app.get("contract"):
        lines.append(f"  contract {_contract(contract)}")
    lines += [f"  {paint('bad', '!')} {problem}" for problem in map(_said, app.get("problems", ()))]
    return lines


def _fleet_line(name: str, fleet: Json, role: str) -> str:
    commit = paint("dim", short(fleet.get("commit", "")))
    head = f"{paint('strong', name)}  " if name else "  "
    return f"{head}release {fleet['release']} {outcome(role)}  {commit}"


def _machine_lines(fleet: Json) -> list[str]:
    rows = [
        (
            f"    {machine['machine']}",
            machine.get("process", ""),
            machine.get("address") or "-",
            outcome(_health(machine, "not healthy")),
            _drift(machine),
        )
        for machine in fleet.get("machines", ())
    ]
    return table(rows)


def _health(machine: Json, other: str) -> str:
    return "healthy" if machine.get("healthy") else other


def _drift(machine: Json) -> str:
    """What `dayfly machines diff` tells in full."""
    found = machine.get("drift")
    return paint("bad", f"drifted: {found}") if found else ""


def _waiting_line(each: Json) -> str:
    commit = paint("dim", short(each["commit"]))
    return f"  release {each['release']} {outcome('waiting')}  {commit}  {each['reason']}"


def _said(problem: object) -> str:
    return str(problem.get("message", problem)) if isinstance(problem, Mapping) else str(problem)


def releases(value: Sequence[Json]) -> list[str]:
    if not value:
        return ["No releases yet."]
    rows = [
        (
            str(entry["release"]),
            entry["app"],
            short(entry["commit"]),
            outcome("queued" if entry.get("queued") else entry["outcome"]),
            moment(entry.get("started")),
            entry.get("who") or "",
            entry.get("reason") or entry.get("subject") or "",
        )
        for entry in value
    ]
    return table(rows, head=("release", "app", "commit", "outcome", "started", "who", "about"))


def receipt(value: Json, *, stages: bool = True) -> list[str]:
    word = "queued" if value.get("queued") else value["outcome"]
    title = f"release {value['release']} {outcome(word)}"
    lines = [f"{title}  {value['app']} {short(value['commit'])} {value.get('subject') or ''}"]
    if reason := value.get("reason"):
        calm = value["outcome"] == "waiting"
        lines.append(f"  {paint('accent' if calm else 'bad', reason)}")
        lines += [f"    {paint('dim', line)}" for line in value.get("detail") or ()]
    refused = value["outcome"] in _UNTOUCHED
    traffic = {} if refused else value.get("traffic") or {}
    if traffic.get("requests") is not None:
        lines += _traffic_lines(traffic)
    lines += _fact_lines(_facts(value, shown=stages))
    if not stages:
        return lines
    rows = [
        (
            f"    {stage['stage']}",
            duration(stage.get("seconds")),
            outcome(stage.get("outcome") or ""),
        )
        for stage in value.get("stages") or ()
    ]
    back = [line for each in value.get("rollbacks") or () for line in _rollback(each)]
    return [*lines, paint("dim", "  stages"), *table(rows), *back]


def _contract(value: Json) -> str:
    """What became of the migrations that a release has left out."""
    told = {
        "waiting": paint("accent", "waits until nothing else runs"),
        "running": paint("accent", "runs"),
        "done": paint("good", "has run"),
        "failed": paint("bad", f"failed, and is tried again: {value['reason']}"),
        "refused": paint("bad", f"refused: {value['reason']}"),
    }
    return f"{told[value['state']]}  {', '.join(value['migrations'])}"


def _fact_lines(facts: Sequence[tuple[str, str]]) -> list[str]:
    return [f"  {paint('dim', f'{name:9}')}{told}" for name, told in facts if told != "-"]


def _rollback(value: Json) -> list[str]:
    when = f"{moment(value['started'])} by {value.get('who') or '-'}"
    what = "gone back to" if value["outcome"] == "serving" else "rollback to it"
    told = f"  {paint('dim', what)} {when}  {outcome(value['outcome'])}"
    reason = [f"    {paint('bad', value['reason'])}"] if value.get("reason") else []
    refused = value["outcome"] in _UNTOUCHED
    traffic = [] if refused else _traffic_lines(value["traffic"])
    facts = [*database.facts(value, findings=False), *database.notes(value)]
    return [told, *reason, *(f"  {line}" for line in (*traffic, *_fact_lines(facts)))]


def _facts(value: Json, *, shown: bool) -> list[tuple[str, str]]:
    """`shown`: it was not told while it happened."""
    refused, waits = value["outcome"] == "refused", value["outcome"] in _UNTOUCHED
    asked = value["outcome"] == "assessed" and not shown  # the answer follows whole
    return [
        *([] if waits else [("cutover", duration(value.get("cutover_seconds")))]),
        *([] if asked else database.facts(value, findings=not refused)),
        *([] if waits else _life(value)),
        *outputs.facts(value),
        *database.notes(value),
        ("by", str(value.get("who") or "-")),
    ]


def _life(value: Json) -> list[tuple[str, str]]:
    return [
        ("contract", _contract(value["contract"]) if value.get("contract") else "-"),
        ("watch", _watch(value.get("watch"))),
        ("machines", str(len(value.get("machines") or ()) or "-")),
    ]


def _traffic_lines(traffic: Json) -> list[str]:
    lost = traffic.get("lost") or 0
    told = paint("bad" if lost else "good", f"lost {lost}")
    others = f"retried {traffic.get('retried') or 0}  aborted {traffic.get('aborted') or 0}"
    if traffic.get("closed"):
        others += f"  closed {traffic['closed']:,}"
    lines = [f"  {told} of {traffic['requests']:,} requests  {others}"]
    if traffic.get("p50_ms") is not None:
        lines.append(
            f"  {paint('dim', 'answers  ')}p50 {traffic['p50_ms']:g} ms"
            f"  p99 {traffic.get('p99_ms') or 0:g} ms"
        )
    return lines


def _watch(watch: Json | None) -> str:
    if not watch:
        return "-"
    return str(watch.get("outcome") or watch.get("verdict") or watch.get("reason") or "-")


def machines(value: Sequence[Json]) -> list[str]:
    if not value:
        return ["No machines run."]
    rows = [
        (
            entry["machine"],
            entry.get("role", ""),
            str(entry.get("release") or "-"),
            entry.get("process", ""),
            entry.get("kind", ""),
            entry.get("address") or "-",
            outcome(_health(entry, entry.get("state") or "not healthy")),
            size(entry.get("memory")),
            f"{entry['cpu']:.2f}" if entry.get("cpu") is not None else "-",
            _drift(entry),
        )
        for entry in value
    ]
    names = ("role", "release", "process", "kind", "address", "state", "memory", "cpu s", "")
    return table(rows, head=("machine", *names))
