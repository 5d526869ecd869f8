"""Loggers of Python as people have them send to the log server, over its own port."""

import importlib
import importlib.util
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest

from asked import TOKEN, Server, missing
from asked.documented import told


def of(package: str, name: str = "") -> Any:  # noqa: ANN401 - a module
    """A module of a package, which a laptop may lack."""
    try:
        found = importlib.util.find_spec(package)
    except ModuleNotFoundError:
        found = None
    if found is None:
        missing(package)
    return importlib.import_module(name or package)


def run(server: Server, package: str) -> dict[str, Any]:
    """What our page says that Python is told, and what it made."""
    of(package)
    made: dict[str, Any] = {}
    exec(told(server, f"from {package}"), made)
    return made


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
    provider = run(live, "opentelemetry.exporter.otlp.proto.http")["provider"]
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
    expected = {"scope.name": "shop.orders", "scope.version": "1.2", "customer": 7}
    assert lines[0]["fields"].items() >= (expected | {"path": '["a","b"]'}).items()
    assert lines[0]["host"] == "web-1"


def test_python_logging_loki_sends_with_its_labels(live: Server, logger: logging.Logger) -> None:
    logger.addHandler(run(live, "logging_loki")["handler"])

    logger.error("order %d failed", 7, extra={"tags": {"shop": "north"}})

    (line,) = found(live, "app:orders", 1)
    assert (line["message"], line["level"]) == ("order 7 failed", "error")
    assert line["fields"] == {"logger": "orders", "shop": "north"}


def test_splunk_handler_sends_its_events(live: Server, logger: logging.Logger) -> None:
    handler = run(live, "splunk_handler")["handler"]
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
