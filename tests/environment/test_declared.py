"""What environment.toml says of alerts, and how it is told what it may not say."""

from pathlib import Path

import pytest

from dayfly.config.home import Home, create
from dayfly.config.problem import SettingsError
from dayfly.environment.declared import settings_of

LEAST = 'query = "level:error"\nmore_than = 3\ncommand = "true"\n'


def written(folder: Path, text: str) -> Home:
    home = Home(folder)
    create(home)
    home.environment_toml.write_text(text)
    return home


def test_an_alert_needs_a_query_a_threshold_and_somebody_to_tell(tmp_path: Path) -> None:
    alert = settings_of(written(tmp_path, f"[logs.alert.errors]\n{LEAST}")).logs.alert["errors"]

    assert (alert.query, alert.within, alert.more_than) == ("level:error", 300.0, 3)


FEED = 'kind = "splunk"\nurl = "https://splunk:8088"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (FEED.replace("splunk:8088", "u:hidden@splunk:8088"), "url: allowed is http://HOST:PORT"),
        (FEED.replace("https://splunk:8088", "splunk"), "url: found 'splunk', allowed is http://"),
        (FEED.replace("https://", "tcp://"), "url: found 'tcp://splunk:8088', allowed is http:"),
        ('kind = "syslog"\nurl = "tcp://logs"', "url: found 'tcp://logs', allowed is tcp://HOST:"),
        (FEED.replace('"splunk"', '"kafka"'), 'kind: found "kafka", allowed is "elasticsearch" or'),
        ('kind = "splunk"', "url: missing; allowed is a text"),
        (FEED + 'query = "level:>=loud"', 'query: column 9 of "level:>=loud": '),
        (FEED + 'query = "* | count()"', "query: found a `|`"),
        (FEED + 'secret = "key"', 'secret: found the name "key", allowed are A to Z'),
        (FEED + 'user = "x"', "user: needs `secret`, its password"),
        (FEED + 'most_behind = "0B"', "most_behind: found 0, allowed is more than that"),
        ('url = "https://elk:9200"\nindex = "Shop"', "index: found 'Shop', allowed are a-z, 0-9"),
        ('url = "https://elk:9200"\nacknowledged = true', "acknowledged: is of splunk only"),
    ],
)
def test_a_wrong_feed_is_told_with_file_line_and_key(tmp_path: Path, text: str, says: str) -> None:
    home = written(tmp_path, f"\n[logs.feed.elk]\n{text}\n")

    with pytest.raises(SettingsError) as caught:
        settings_of(home)

    assert f"{home.environment_toml}:" in caught.value.message
    assert f"logs.feed.elk.{says}" in caught.value.message
    assert "hidden" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LEAST.replace("level:error", "level:"), 'query: column 7 of "level:": '),
        (
            LEAST.replace("level:error", "a | count()"),
            'query: found a `|` in "a | count()", allowed are conditions only',
        ),
        (LEAST.replace("level:error", ""), "query: is empty; `*` finds every record"),
        (LEAST.replace('"level:error"', "5"), "query: found 5, allowed is a text"),
        (
            LEAST + 'silent = ["Sun 02:00-04:00", "Sunday"]',
            "silent[1]: the window 'Sunday' can't be read Write it as",
        ),
        (LEAST + "fewer_than = 1", "errors: allowed is one of `more_than` and `fewer_than`"),
        (LEAST.replace("more_than = 3", ""), "allowed is one of `more_than` and `fewer_than`"),
        (LEAST.replace("3", "-1"), "more_than: found -1, allowed is 0 or more"),
        (
            LEAST.replace("more_than = 3", "fewer_than = 0"),
            "fewer_than: found 0, allowed is 1 or more",
        ),
        (LEAST + 'within = "5s"', "within: found 5s, allowed are 10s to 7d"),
        (LEAST + 'within = "8d"', "within: found 8d, allowed are 10s to 7d"),
        (LEAST + 'again = "5s"', "again: found 5s, allowed is 1m or more"),
        (LEAST.replace("true", " "), "command: is empty"),
        (LEAST.replace('command = "true"', ""), "tells nobody; it needs `webhook`, `command`"),
        (
            LEAST + 'webhook = "ftp://user:hidden@hooks.example"',
            'webhook: allowed is a URL such as "https://hooks.example/alerts"',
        ),
        (LEAST + 'webhook_secret = "KEY"', "webhook_secret: is shown to a webhook, and there is"),
        (LEAST + "more = 3", "more: no such key; "),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_key(tmp_path: Path, text: str, says: str) -> None:
    home = written(tmp_path, f"\n[logs.alert.errors]\n{text}\n")

    with pytest.raises(SettingsError) as caught:
        settings_of(home)

    assert f"{home.environment_toml}:" in caught.value.message
    assert "logs.alert.errors" in caught.value.message
    assert says in caught.value.message
    assert "hidden" not in caught.value.message
