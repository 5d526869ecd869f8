"""The order of the whole suite, and which rows of it are run."""

from collections import defaultdict

import pytest

from sampling import chosen


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--sample",
        metavar="SEED",
        help="run only some rows of tests that are marked `sampled`, chosen by SEED",
    )


def pytest_report_header(config: pytest.Config) -> str | None:
    seed = config.getoption("--sample")
    return seed and f"sample: {seed} (scripts/test --whole runs every row)"


# Before xdist looks at what there is, so that all of its workers find the same.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes long begins first, so that no worker waits for another one at the end."""
    if seed := config.getoption("--sample"):
        left_out = _left_out(items, seed)
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
    items.sort(key=_length)


def _left_out(items: list[pytest.Item], seed: str) -> list[pytest.Item]:
    groups, rows = defaultdict[str, list[str]](list), dict[str, int]()
    for item in items:
        if marker := item.get_closest_marker("sampled"):
            group = _group(item, **marker.kwargs)
            groups[group].append(item.nodeid)
            rows[group] = marker.args[0]
    run = chosen(groups, rows, seed)
    return [item for item in items if item.get_closest_marker("sampled") and item.nodeid not in run]


def _group(item: pytest.Item, of: str = "test") -> str:
    name = item.nodeid.partition("[")[0]
    return name if of == "test" else name.partition("::")[0]


def _length(item: pytest.Item) -> int:
    if "acceptance" in item.path.parts:
        return 0
    if item.get_closest_marker("acceptance"):
        return 1
    return 2 if "system" in item.path.parts else 3
