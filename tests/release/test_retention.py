"""What retention lets go of, as rows of data."""

import pytest

from dayfly.release.records import ReleaseRecord
from dayfly.release.retention import surplus


def record(number: int, outcome: str, image: str = "", warm: float | None = None) -> ReleaseRecord:
    return ReleaseRecord(
        number=number, app="orders", commit="c" * 40, subject="", who="me", started=0.0,
        outcome=outcome,  # type: ignore[arg-type]
        image=image, warm_until=warm,
    )  # fmt: skip


SERVING = record(9, "serving", "i9")
WARM = record(8, "warm", "i8", warm=1.0)

OVER = [record(number, "retired", f"i{number}") for number in (7, 6, 5)]
FAILED = [record(8, "failed"), record(7, "failed"), record(6, "failed")]
SHARED = [record(7, "retired", "i7"), record(6, "retired", "i9")]
BACK = record(8, "rolled-back", "i8", warm=1.0)

ROWS = [
    ("all is kept while there is little", [SERVING, WARM, OVER[0]], 2, (), set()),
    ("the oldest retired goes", [SERVING, *OVER], 2, (5,), {"i5"}),
    ("failures push out nothing else", [SERVING, *FAILED, OVER[2]], 1, (7, 6), set()),
    ("an image that another release runs stays", [SERVING, *SHARED], 1, (6,), set()),
    ("nothing is kept of what is over", [SERVING, WARM, OVER[0]], 0, (7,), {"i7"}),
    ("a warm release that was rolled back stays", [SERVING, BACK], 0, (), set()),
    ("an image that nobody knows goes", [SERVING], 5, (), {"stray"}),
]


@pytest.mark.parametrize(
    ("records", "keep", "gone", "images"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_retention(
    records: list[ReleaseRecord], keep: int, gone: tuple[int, ...], images: set[str]
) -> None:
    there = frozenset({r.image for r in records if r.image} | (images & {"stray"}))

    found = surplus(records, keep, there)

    assert found.releases == gone
    assert found.images == images
