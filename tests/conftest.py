"""The order of the whole suite."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, so that no worker waits for another one at the end."""
    items.sort(key=_length)


def _length(item: pytest.Item) -> int:
    if "acceptance" in item.path.parts:
        return 0
    if item.get_closest_marker("acceptance"):
        return 1
    return 2 if "system" in item.path.parts else 3
