"""Loggers of Python as people have them send to the log server, over its own port."""

import importlib
import importlib.util
import logging
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from asked import TOKEN, Server, missing


def of(package: str, name: str = "") -> Any:  # noqa: ANN401 - a module
    """A module of a package, which a laptop may lack."""
    try:
        found = importlib.util.find_spec(package)
    except ModuleNotFoundError:
        found = None
    if found is None:
        missing(package)
    return importlib.import_module(name or package)


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """Of its own, which nothing else listens to."""
    made = logging.Logger("orders")  # noqa: LOG001 - the usual one pytest listens to
    yield made
    for handler in made.handlers:
        handler.close()


def found(server: Server, query: str, count: int) -> list[dict[str, Any]]:
    until = time.monotonic() + 15
    while len(lines := server.search(query, order="oldest").lines) < count:
        assert time.monotonic() < until, server.search().body
        time.sleep(0.1)
    return lines


def test_opentelemetry_sends_what_is_emitted(live: Server) -> None:
    sdk = of("opentelemetry.sdk", "opentelemetry.sdk._logs")
    export = of("opentelemetry.sdk", "opentelemetry.sdk._logs.export")
    resources = of("opentelemetry.sdk", "opentelemetry.sdk.resources")
    http = "opentelemetry.exporter.otlp.proto.http"
    exporter = of(http, f"{http}._log_exporter").OTLPLogExporter(
        endpoint=f"{live.address}/v1/logs",
        headers={"Authorization": f"Bearer {TOKEN}"},
        compression=of(http).Compression.Gzip,
    )
    about = {"service.name": "orders", "service.version": "41", "host.name": "web-1"}
    provider = sdk.LoggerProvider(resource=resources.Resource.create(about))
    provider.add_log_record_processor(export.BatchLogRecordProcessor(exporter))
    logger = provider.get_logger("shop.orders", "1.2")
    warning = of("opentelemetry._logs").SeverityNumber.WARN
    at = time.time_ns()

    for number in range(300):
        logger.emit(
            timestamp=at + number,
            severity_number=warning,
            severity_text="WARN",
            body=f"slow: {number} ms",
            attributes={"customer": 7, "path": ["a", "b"]},
        )
    provider.shutdown()

    lines = found(live, "app:orders release:41 level:warning", 200)
    assert live.search("slow | count()").lines == [{"count": 300}]
    assert lines[1]["message"] == "slow: 1 ms"
    assert live.search(f"time:{at + 1}").lines[0]["message"] == "slow: 1 ms"
    told = {"scope.name": "shop.orders", "scope.version": "1.2", "customer": 7}
    assert lines[0]["fields"].items() >= (told | {"path": '["a","b"]'}).items()
    assert lines[0]["host"] == "web-1"


def test_python_logging_loki_sends_with_its_labels(live: Server, logger: logging.Logger) -> None:
    handler = of("logging_loki").LokiHandler(
        url=f"{live.address}/loki/api/v1/push",
        tags={"application": "orders"},
        auth=("any", TOKEN),
        version="1",
    )
    logger.addHandler(handler)

    logger.error("order %d failed", 7, extra={"tags": {"shop": "north"}})

    (line,) = found(live, "app:orders", 1)
    assert (line["message"], line["level"]) == ("order 7 failed", "error")
    assert line["fields"] == {"logger": "orders", "shop": "north"}


def test_splunk_handler_sends_its_events(live: Server, logger: logging.Logger) -> None:
    address = urlsplit(live.address)
    handler = of("splunk_handler").SplunkHandler(
        host=address.hostname,
        port=address.port,
        token=TOKEN,
        index="main",
        hostname="web-1",
        source="orders",
        sourcetype="python",
        protocol="http",
        flush_interval=0.1,
    )
    logger.addHandler(handler)

    for number in range(50):
        logger.info("order %d", number)
    logger.error("failed")
    handler.force_flush()

    lines = found(live, "host:web-1", 51)
    assert [line["message"] for line in lines] == [*(f"order {n}" for n in range(50)), "failed"]
    assert {line["fields"]["index"] for line in lines} == {"main"}


def test_opensearch_py_sends_in_bulk(live: Server) -> None:
    opensearch = of("opensearchpy")
    with opensearch.OpenSearch(live.address, http_auth=("any", TOKEN)) as client:
        assert client.info()["version"]["number"]
        documents = [{"_index": "logs", "message": f"line {n}"} for n in range(700)]
        wrong = [{"_op_type": "delete", "_index": "logs", "_id": "x"}]
        taken, errors = opensearch.helpers.bulk(client, documents + wrong, raise_on_error=False)

    assert (taken, [error["delete"]["status"] for error in errors]) == (700, [400])
    assert live.search("line | count()").lines == [{"count": 700}]
