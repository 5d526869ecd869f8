"""On to Elasticsearch or OpenSearch: day-named indices, and ids that never change.

A document that is there already counts as delivered, so nothing is there twice. One whose fields do
not fit the index is sent once more with its fields as one text.
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from dayfly import typed
from dayfly.logs.feeding.entry import AgainError, Entry, Outcome, UntakenError, document
from dayfly.logs.feeding.settings import Feed
from dayfly.logs.feeding.web import Web, shown
from dayfly.logs.query import instants
from dayfly.logs.query.elastic import INDEX
from dayfly.logs.record import Record

FIELDS = "fields_text"  # where fields are that don't fit
_encode = msgspec.json.Encoder().encode
_OK_BELOW, _THERE, _MISFIT, _TOO_LARGE, _BUSY, _BROKEN = 300, 409, 400, 413, 429, 500
_TODAY = (401, 403, 404)  # somebody has to set it right; it is the receiver, not the records


class Elasticsearch:
    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._web = Web(feed, _authorization(feed))
        self._prepared = False

    def close(self) -> None:
        self._web.close()

    def deliver(self, entries: Sequence[Entry]) -> Outcome:
        if not self._prepared:
            self._prepare()
        body = b"\n".join(line for each in entries for line in self._lines(each)) + b"\n"
        status, said = self._web.ask("POST", "/_bulk", body, "application/x-ndjson")
        if status < _OK_BELOW:
            return _outcome(entries, said)
        if status in (_BUSY, *_TODAY) or status >= _BROKEN:
            raise AgainError(f"{self._feed.url} answers {shown(status, said)}")
        raise UntakenError(f"{self._feed.url} answers {shown(status, said)}")

    def _prepare(self) -> None:
        """How indices are mapped that begin to be. Without the right to say so others have said."""
        template = {
            "index_patterns": [f"{self._feed.index}-*"],
            "priority": 100,
            "template": INDEX,
        }
        path = f"/_index_template/{self._feed.index}"
        status, said = self._web.ask("PUT", path, _encode(template), "application/json")
        if status == _BUSY or status >= _BROKEN:
            raise AgainError(f"{self._feed.url} answers {shown(status, said)}")
        self._prepared = True

    def _lines(self, entry: Entry) -> Iterator[bytes]:
        day = instants.iso(entry.record.time)[:10].replace("-", ".")
        yield _encode({"create": {"_index": f"{self._feed.index}-{day}", "_id": entry.id}})
        yield _encode(_plain(entry.record) if entry.plain else document(entry.record))


def _plain(record: Record) -> dict[str, Any]:
    told = document(replace(record, fields={}))
    return {**told, FIELDS: _encode(dict(record.fields)).decode()}


def _outcome(entries: Sequence[Entry], said: bytes) -> Outcome:
    again: list[Entry] = []
    refused: list[tuple[Entry, str]] = []
    try:
        items = [next(iter(item.values())) for item in typed.plain(said)["items"]]
        answers = [(int(item["status"]), item.get("error")) for item in items]
    except (msgspec.DecodeError, LookupError, TypeError, AttributeError, StopIteration) as error:
        raise AgainError(f"this is no answer to _bulk: {shown(200, said)}") from error
    if len(answers) != len(entries):
        raise AgainError(f"{len(entries)} documents, {len(answers)} answers")
    for entry, (status, error_) in zip(entries, answers, strict=True):
        if status < _OK_BELOW or status == _THERE:
            continue
        if status in (_BUSY, *_TODAY) or status >= _BROKEN:
            again.append(entry)
        elif status == _MISFIT and not entry.plain:
            again.append(replace(entry, plain=True))
        else:
            refused.append((entry, shown(status, _encode(error_))))
    return Outcome(again=again, refused=refused)


def _authorization(feed: Feed) -> dict[str, str]:
    secret = feed.secret()
    if feed.user:
        shown_ = base64.b64encode(f"{feed.user}:{secret}".encode()).decode()
        return {"Authorization": f"Basic {shown_}"}
    return {"Authorization": f"ApiKey {secret}"} if secret else {}
