"""The order of the whole suite, and what of it is run."""

from collections import defaultdict
from pathlib import Path

import pytest

from sampling import chosen, left_out

TESTS = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--sample",
        metavar="SEED",
        help="run only some of the dear files and of tests marked `sampled`, chosen by SEED",
    )


def pytest_report_header(config: pytest.Config) -> str | None:
    seed = config.getoption("--sample")
    return seed and f"sample: {seed} (scripts/test --whole runs everything)"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A dear file that has no turn, unless somebody named it."""
    seed = config.getoption("--sample")
    if not seed or collection_path.suffix != ".py" or not collection_path.is_relative_to(TESTS):
        return None
    if str(collection_path.relative_to(TESTS)) not in left_out(seed):
        return None
    named = {Path(config.invocation_params.dir, arg.partition("::")[0]) for arg in config.args}
    return None if collection_path in named else True


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
