"""What a release was found to do to the database, in the form of `dayfly impact --json`."""

from typing import Any

from dayfly.database.impact.finding import Finding

Found = dict[str, Any]
UNASSESSED = "unassessed"  # the verdict where nobody looked: the app has no database


def only(verdict: str, finding: Finding | None = None) -> Found:
    """Where no migration was replayed: with the one thing that is known, or nothing to tell."""
    return {
        "verdict": verdict,
        "findings": [finding.as_json()] if finding else [],
        "rollback": {
            "state": "closed" if finding else "catalogue only",
            "loses": [],
            "covered": [],
            "why": "",
        },
        "preserve": [],
        "restoration": None,
        "pending": None if finding else [],
        "statements": {"checked": 0, "broken": 0, "unassessable": 0, "which": []},
        "unfilled": [],
        "notes": [],
        "timeline": [],
        "budget": None,
        "migrating": {"seconds": 0.0, "whole": False},
        "seconds": 0.0,
    }
