"""JSON with half a letter, as programs in UTF-16 cut it: taken, whoever sends it how."""

import pytest

from asked import Server

HALF = b"half \\ud83d of a letter"
BULK = b'{"create":{"_id":"\\ud83d"}}\n{"message":"%s","\\udc00":"\\ud800","n":NaN}\n' % HALF
LOKI = b'{"streams":[{"stream":{"app":"web","x":"\\ud800"},"values":[["1","%s"]]}]}' % HALF
HEC = b'{"event":"%s","fields":{"x":"\\ud800"}}' % HALF
HEC_OBJECT = b'{"event":{"message":"%s","\\udc00":1}}' % HALF
LINE = b'{"message":"%s","time":1,"x":"\\ud800"}' % HALF
OTLP = (
    b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1",'
    b'"body":{"stringValue":"%s"}}]}]}]}' % HALF
)


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/_bulk", "application/x-ndjson", BULK),
        ("/loki/api/v1/push", "application/json", LOKI),
        ("/services/collector", "application/json", HEC),
        ("/services/collector", "application/json", HEC_OBJECT),
        ("/insert/jsonline", "application/json", LINE.replace(b"message", b"_msg")),
        ("/ingest", "application/json", LINE),
        ("/v1/logs", "application/json", OTLP),
    ],
)
def test_half_a_letter_is_replaced(server: Server, path: str, kind: str, body: bytes) -> None:
    answer = server.ask("POST", path, body, Content_Type=kind)

    assert answer.status in {200, 204}, answer
    assert server.messages() == ["half � of a letter"]
