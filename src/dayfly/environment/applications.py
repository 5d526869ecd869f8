"""Applications by their names, and what to say about one that was never released."""

from difflib import get_close_matches

from dayfly.release.journal import Journal


def require(journal: Journal, app: str) -> None:
    """LookupError, with what to do next, when no release of `app` is known."""
    known = sorted({record.app for record in journal.releases()})
    if app in known:
        return
    near = get_close_matches(app, known, 1)
    names = f"Known are: {', '.join(known)}." if known else "Nothing has been released yet."
    raise LookupError(
        f"there is no application {app}", f"Did you mean {near[0]}?" if near else names
    )
