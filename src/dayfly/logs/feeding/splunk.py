"""On to Splunk's HTTP event collector: at least once.

Without `acknowledged` an event counts as delivered when Splunk has taken it, before it is indexed.
"""

import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import msgspec

from dayfly import typed
from dayfly.clock import SECOND, DeadlineError, wait_until
from dayfly.logs.feeding.entry import TIME, AgainError, Entry, Outcome, UntakenError, document
from dayfly.logs.feeding.settings import Feed
from dayfly.logs.feeding.web import Web, shown

ACK_SECONDS, POLL_SECONDS = 60.0, 0.5
_encode = msgspec.json.Encoder().encode
_OK = 200
_WRONG = (400, 413)  # what was sent; everything else is the receiver's


class Splunk:
    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._channel = str(uuid4())
        headers = {"Authorization": f"Splunk {feed.secret()}"}
        if feed.acknowledged:
            headers["X-Splunk-Request-Channel"] = self._channel
        self._web = Web(feed, headers)

    def close(self) -> None:
        self._web.close()

    def deliver(self, entries: Sequence[Entry]) -> Outcome:
        body = b"\n".join(_encode(self._event(each)) for each in entries)
        status, said = self._post("/services/collector/event", body)
        if status in _WRONG:
            raise UntakenError(f"{self._feed.url} answers {shown(status, said)}")
        if status != _OK:
            raise AgainError(f"{self._feed.url} answers {shown(status, said)}")
        if self._feed.acknowledged:
            self._await(said)
        return Outcome()

    def _event(self, entry: Entry) -> dict[str, Any]:
        record = entry.record
        told = document(record)
        del told[TIME]
        seconds, part = divmod(record.time, SECOND)
        event = {"time": f"{seconds}.{part:09d}", "sourcetype": "_json", "event": told}
        places = {"host": record.host, "source": record.stream, "index": self._feed.index}
        return {**event, **{name: value for name, value in places.items() if value}}

    def _await(self, said: bytes) -> None:
        """Until Splunk has indexed it; it forgets acknowledgements when it is started again."""
        try:
            number = typed.plain(said)["ackId"]
        except (msgspec.DecodeError, KeyError, TypeError) as error:
            raise AgainError(
                f"{self._feed.url} acknowledges nothing: its token must allow it"
            ) from error
        began = time.monotonic()
        try:
            wait_until(
                lambda: self._indexed(number),
                seconds=ACK_SECONDS,
                what="Splunk's acknowledgement",
                poll=POLL_SECONDS,
            )
        except DeadlineError as error:
            passed = time.monotonic() - began
            raise AgainError(f"{self._feed.url} has not indexed it in {passed:.0f} s") from error

    def _indexed(self, number: object) -> bool:
        path = f"/services/collector/ack?channel={self._channel}"
        status, said = self._post(path, _encode({"acks": [number]}))
        if status != _OK:
            raise AgainError(f"{self._feed.url} answers {shown(status, said)}")
        acks = typed.plain(said).get("acks", {})
        return bool(acks.get(str(number)))

    def _post(self, path: str, body: bytes) -> tuple[int, bytes]:
        return self._web.ask("POST", path, body, "application/json")
