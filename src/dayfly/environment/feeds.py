"""Feeds as environment.toml declares them, handed over to the log server."""

from pathlib import Path

from dayfly.config.environment import LogFeed
from dayfly.config.home import Home
from dayfly.config.names import OPERATOR
from dayfly.logs.feeding.settings import Feed


def handed(home: Home, name: str, feed: LogFeed) -> Feed:
    """The secret stays where it is: the log server reads it there, also a later one."""
    return Feed(
        name=name,
        kind=feed.kind,
        url=feed.url,
        query=feed.query,
        index=feed.index,
        user=feed.user or "",
        secret_file=str(home.secrets / f"{OPERATOR}.json") if feed.secret else "",
        secret_name=feed.secret or "",
        ca_file=str(home.path / feed.ca) if feed.ca else "",
        acknowledged=feed.acknowledged,
        most_behind=int(feed.most_behind),
    )


def as_read(name: str, feed: LogFeed) -> Feed:
    """Wherever the environment lies: what may be wrong with a feed has nothing to do with it."""
    return handed(Home(Path()), name, feed)
