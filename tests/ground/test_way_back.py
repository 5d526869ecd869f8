"""What is said of the way back: in the terminal and on a page alike."""

from typing import Any

import pytest

from dayfly.shown import way_back

NOTE = {"release": 7, "loses": ["orders.note"], "why": ""}
SCHEMA = {"release": 9, "loses": [], "why": ""}
GONE = {"release": 8, "loses": ["orders.cents"], "why": "nothing of it was preserved"}
LOOP = {
    "release": 10,
    "loses": ["orders.old"],
    "why": "not all of it may come back: what a loop deletes is not known",
    "partly": True,
}


@pytest.mark.parametrize(
    ("crosses", "says"),
    [
        ([], "open: `dayfly rollback` moves the traffic back to the warm fleet"),
        (
            [NOTE],
            (
                "through the database: `dayfly rollback` closes the app, "
                "brings back orders.note (release 7), then serves release 6"
            ),
        ),
        (
            [{**NOTE, "unlike": ["the order of the columns of orders is a, b"]}],
            (
                "through the database: `dayfly rollback` closes the app, "
                "brings back orders.note (release 7), then serves release 6; "
                "not exactly as it was: the order of the columns of orders is a, b"
            ),
        ),
        (
            [SCHEMA, NOTE],
            (
                "through the database: `dayfly rollback` closes the app, brings back the schema of "
                "before (release 9), orders.note (release 7), then serves release 6"
            ),
        ),
        (
            [GONE],
            (
                "loses orders.cents (release 8: nothing of it was preserved): "
                'only with `dayfly rollback --accept-loss "REASON"`'
            ),
        ),
        (
            [LOOP, NOTE],
            (
                "brings back orders.old (release 10: not all of it may come back: what a loop "
                "deletes is not known), orders.note (release 7): "
                'only with `dayfly rollback --accept-loss "REASON"`'
            ),
        ),
        (
            [SCHEMA, GONE, NOTE],
            (
                "brings back the schema of before (release 9) and loses orders.cents (release 8: "
                "nothing of it was preserved), orders.note (release 7: only after those): "
                'only with `dayfly rollback --accept-loss "REASON"`'
            ),
        ),
    ],
)
def test_what_a_rollback_has_to_do_with_the_database_is_said_before(
    crosses: list[dict[str, Any]], says: str
) -> None:
    assert way_back({"way_back": "warm", "back_to": 6, "crosses": crosses}) == says


@pytest.mark.parametrize(
    ("app", "says"),
    [
        ({"way_back": "image"}, "open: `dayfly rollback` starts the release before from its"),
        ({"way_back": "none", "warm": []}, "none: there is no earlier release that could serve"),
        ({"way_back": "none", "warm": [{"release": 13}]}, "none; forward again: `dayfly rollback"),
    ],
)
def test_where_nothing_is_in_the_way(app: dict[str, Any], says: str) -> None:
    assert way_back(app).startswith(says)


@pytest.mark.parametrize(
    ("app", "says"),
    [
        ({"incoming": {"release": 8}}, "the app is closed for a while: `dayfly rollback` stops re"),
        ({"back_to": 7, "crosses": [NOTE]}, "the app is closed: `dayfly rollback` brings the sche"),
        (
            {"back_to": 7, "crosses": [GONE]},
            (
                'the app is closed: `dayfly rollback --accept-loss "REASON"` '
                "opens release 7 with the schema as it is"
            ),
        ),
        (
            {"back_to": 7, "crosses": [LOOP]},
            (
                'the app is closed: `dayfly rollback --accept-loss "REASON"` '
                "brings the schema of release 7 back"
            ),
        ),
        ({"back_to": 6, "crosses": [NOTE]}, "through the database: `dayfly rollback` closes"),
    ],
)
def test_of_an_app_that_is_closed(app: dict[str, Any], says: str) -> None:
    closed = {"way_back": "warm", "closed": True, "serving": {"release": 7}}
    assert way_back({**closed, **app}).startswith(says)
