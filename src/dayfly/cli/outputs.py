"""What of a release lies in the file archive, as facts of its receipt."""

from collections.abc import Iterator, Mapping
from typing import Any

_MOST = 5  # on the terminal; `--json` has more


def facts(value: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Places that `dayfly files get` takes."""
    told = list(_places(value.get("outputs") or ()))
    return [("" if at else "outputs", place) for at, place in enumerate(told)]


def _places(outputs: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    for each in outputs:
        for version in each["versions"][:_MOST]:
            yield f"{each['bucket']}/{version['key']}"
        if (more := each["count"] - _MOST) > 0:
            yield f"and {more:,} more of the {each['of']}"
