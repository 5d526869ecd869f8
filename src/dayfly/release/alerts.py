"""What somebody has to look at, since Dayfly cannot put it right by itself."""

from dayfly.release.work import Parts, Work

ALERT = "alert"


def alert(work: Work, message: str) -> None:
    """Stands in `dayfly status` until the traffic of the app goes elsewhere."""
    work.emit(ALERT, message=work.parts.redactor(work.record.app)(message))


def standing(parts: Parts, app: str) -> list[str]:
    """Told since the last cutover."""
    found: list[str] = []
    for event in parts.journal.told(app, ALERT, "cutover"):
        found = [*found, str(event.data["message"])] if event.kind == ALERT else []
    return list(dict.fromkeys(found))
