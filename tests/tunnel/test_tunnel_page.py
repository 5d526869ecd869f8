"""The page about the tunnel says what the code does."""

import re
from pathlib import Path

import pytest

from dayfly.config.load import load_environment
from dayfly.tunnel.changes import CLOSED, METRIC
from dayfly.tunnel.host import CHARON, PACKAGES
from dayfly.tunnel.reasons import REASONS
from dayfly.tunnel.strongswan import PRIORITY, TABLE

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "reference/tunnel.md").read_text()
EXAMPLES = [
    text
    for page in (PAGE, (DOCS / "how-to.md").read_text())
    for text in re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    if "[tunnel]" in text
]


@pytest.mark.parametrize("reason", sorted({reason.says for reason in REASONS}))
def test_each_reason_is_explained(reason: str) -> None:
    assert f"| {re.sub(r'{.}', '…', reason)} |" in PAGE


@pytest.mark.parametrize("text", EXAMPLES)
def test_each_example_loads(text: str) -> None:
    assert load_environment(text).tunnel is not None


def test_the_examples_are_found() -> None:
    assert len(EXAMPLES) == 3


def test_what_is_needed_and_changed_is_named() -> None:
    assert f"`{PACKAGES[CHARON]}`" in PAGE
    assert f"metric {METRIC}`" in PAGE
    assert f"a rule of priority {PRIORITY} and" in PAGE
    assert f"a rule of priority {CLOSED} that is a blackhole" in PAGE
    assert f"the table {TABLE} of the kernel's routing" in PAGE
