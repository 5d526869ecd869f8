"""How figures and other people's text are shown, in a terminal and on a page alike."""

import re
from collections.abc import Mapping
from typing import Any

# Titles, links and the like take any text up to their end, which may stand far behind what somebody
# else wrote, or nowhere: of them only the beginning goes, and what they hide is seen.
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[()*+][0-9A-Za-z]|[!-~])?")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters
    "\u00ad\u034f\u180b-\u180f\u200b-\u200d\u2060-\u2065\ufe00-\ufe0f\ufeff"  # without a width
    "\u115f\u1160\u17b4\u17b5\u3164\uffa0"  # letters that are blank
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f"  # that turn text, or end its line
    "\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
TEN, MINUTE = 10, 60  # seconds
UNIT = 1024


def plain(text: object) -> str:
    """Without colour codes of terminals and characters that hide or turn text."""
    return _UNSEEN.sub("", _ESCAPE.sub("", str(text)))


def duration(seconds: float | None, nothing: str = "-") -> str:
    """`34 ms`, `4.20 s`, `12.3 s`, `3 min 05 s`."""
    if seconds is None:
        return nothing
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < MINUTE:
        return f"{seconds:.{2 if seconds < TEN else 1}f} s"
    minutes, rest = divmod(round(seconds), MINUTE)
    return f"{minutes} min {rest:02d} s"


def amount(size: float) -> str:
    """Bytes: `812 B`, `3.4 KB`, `12 MB`."""
    for unit in ("B", "KB", "MB", "GB"):
        if size < UNIT:
            return f"{size:.{1 if size < TEN and unit != 'B' else 0}f} {unit}"
        size /= UNIT
    return f"{size:.1f} TB"


def later(impact: Mapping[str, Any]) -> str:
    """What will come of the migrations that a release leaves out; empty where it was not asked."""
    found = impact.get("later")
    if not found:
        return ""
    if found["runs"] is None:
        return f"not known: {found['why']}"
    told = (
        "and they run by themselves"
        if found["runs"]
        else f"and they will be refused: {found['why']}"
    )
    return f"{found['verdict']}, {told}"


def way_back(app: Mapping[str, Any]) -> str:
    """What a plain rollback would do, of an app in `dayfly status --json`."""
    way, crosses, warm = app.get("way_back", "none"), app.get("crosses"), app.get("warm")
    if app.get("closed") and (said := _while_closed(app)):
        return said
    if way == "none":
        if warm:
            return f"none; forward again: `dayfly rollback --to {warm[0]['release']}`"
        return "none: there is no earlier release that could serve"
    if crosses:
        return _through_the_database(crosses, app.get("back_to"))
    if way == "warm":
        return "open: `dayfly rollback` moves the traffic back to the warm fleet"
    return "open: `dayfly rollback` starts the release before from its kept image"


def _while_closed(app: Mapping[str, Any]) -> str:
    """Empty where a rollback would do what it does with an app that is open."""
    if incoming := app.get("incoming"):
        stops = f"`dayfly rollback` stops release {incoming['release']}"
        return f"the app is closed for a while: {stops}, undoes what it did, and opens the app"
    if (to := app.get("back_to")) is None or to != (app.get("serving") or {}).get("release"):
        return ""
    crosses = app.get("crosses", ())
    brings = f"brings the schema of release {to} back, opens it"
    if any(_lost(each) for each in crosses):
        brings = f"opens release {to} with the schema as it is"
    accepting = ' --accept-loss "REASON"' if any(each["why"] for each in crosses) else ""
    return f"the app is closed: `dayfly rollback{accepting}` {brings}"


def _lost(each: Mapping[str, Any]) -> bool:
    """Nothing of it comes back."""
    return bool(each["why"]) and not each.get("partly")


def _through_the_database(crosses: list[Mapping[str, Any]], to: int | None) -> str:
    """What lies below something that can't be brought back stays as it is too."""
    first = next((n for n, each in enumerate(crosses) if _lost(each)), len(crosses))
    back = ", ".join(
        f"{_taken(each)} (release {': '.join(filter(None, (str(each['release']), each['why'])))})"
        for each in crosses[:first]
    )
    lost = ", ".join(
        f"{_taken(each)} (release {each['release']}: {each['why'] or 'only after those'})"
        for each in crosses[first:]
    )
    if not any(each["why"] for each in crosses):
        return (
            "through the database: `dayfly rollback` closes the app, "
            f"brings back {back}, then serves {f'release {to}' if to else 'the release before'}"
            f"{_unlike(crosses)}"
        )
    does = (f"brings back {back}" if back else "", f"loses {lost}" if lost else "")
    return f'{" and ".join(filter(None, does))}: only with `dayfly rollback --accept-loss "REASON"`'


def _unlike(crosses: list[Mapping[str, Any]]) -> str:
    told = "; ".join(said for each in crosses for said in each.get("unlike", ()))
    return f"; not exactly as it was: {told}" if told else ""


def _taken(each: Mapping[str, Any]) -> str:
    return ", ".join(each["loses"]) or "the schema of before"
