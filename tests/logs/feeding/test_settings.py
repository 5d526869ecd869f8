"""What a feed may be told, and what is said of a wrong one."""

import re
from pathlib import Path

import pytest

from dayfly.errors import DayflyError
from dayfly.logs.feeding.feeds import Feeds
from dayfly.logs.feeding.settings import Feed
from fed import describe

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "logs-feeds.md"
FINE: dict[str, object] = {"name": "elk", "kind": "elasticsearch", "url": "https://elk:9200"}
WRONG = {
    "a name": ({"name": "../x"}, "name: found '../x', allowed are a-z, 0-9 and -"),
    "a kind": ({"kind": "kafka"}, "Invalid enum value 'kafka' - at `$[0].kind`"),
    "an address": (
        {"url": "ftp://elk"},
        "elk: url: found 'ftp://elk', allowed is http://HOST:PORT or https://HOST:PORT",
    ),
    "a port": ({"kind": "syslog", "url": "tcp://logs"}, "allowed is tcp://HOST:PORT or tls://"),
    "a query": ({"query": "level:>=loud"}, "column 9: found `loud`"),
    "a pipe": ({"query": "| count()"}, "query: found a `|`"),
    "an index": ({"index": "Shop"}, "index: found 'Shop'"),
    "another name": ({"inedx": "shop"}, "Object contains unknown field `inedx`"),
}


@pytest.mark.parametrize(("told", "says"), WRONG.values(), ids=WRONG)
def test_a_wrong_feed_is_refused(tmp_path: Path, told: dict[str, object], says: str) -> None:
    describe(tmp_path, FINE | told)

    with pytest.raises(DayflyError) as refused:
        Feeds(tmp_path)

    assert says in refused.value.message


def test_the_page_shows_feeds_as_they_may_be(tmp_path: Path) -> None:
    (tmp_path / "feeds.json").write_text(
        re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)[0]
    )

    assert [each.feed.kind for each in Feeds(tmp_path).feeds] == [
        "elasticsearch",
        "splunk",
        "syslog",
    ]


def test_the_page_has_every_key() -> None:
    keys = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE)

    assert keys == list(Feed.__struct_fields__)


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    describe(tmp_path, FINE, FINE)

    with pytest.raises(DayflyError, match="two feeds are called elk"):
        Feeds(tmp_path)


def test_without_feeds_nothing_is_needed(tmp_path: Path) -> None:
    assert Feeds(tmp_path).still_needed() > 10**18
    assert list(tmp_path.iterdir()) == []
