"""One look at a machine: a GET, and what came back."""

import http.client
from collections.abc import Sequence
from dataclasses import dataclass

from dayfly.config.app import Health

GOOD = range(200, 400)


@dataclass(frozen=True)
class ProbeResult:
    """`status` of the answer, or else `failure`: refused, timeout, or what went wrong."""

    status: int | None = None
    failure: str = ""

    @property
    def good(self) -> bool:
        return self.status in GOOD

    def __str__(self) -> str:
        return f"answered {self.status}" if self.status else self.failure


def probe(address: str, health: Health) -> ProbeResult:
    """One GET. The policy's `timeout` holds for connecting and for each read."""
    ip, port = address.rsplit(":", 1)
    connection = http.client.HTTPConnection(ip, int(port), timeout=health.timeout)
    try:
        headers = {"Host": health.host, "User-Agent": "dayfly-health"}
        connection.request("GET", health.path, headers=headers)
        return ProbeResult(status=connection.getresponse().status)
    except ConnectionRefusedError:
        return ProbeResult(failure="connection refused")
    except TimeoutError:
        return ProbeResult(failure=f"no answer within {health.timeout:g} s")
    except (OSError, http.client.HTTPException) as error:
        return ProbeResult(failure=str(error) or type(error).__name__)
    finally:
        connection.close()


def is_healthy(results: Sequence[ProbeResult], passes: int) -> bool:
    """The policy: the last `passes` probes in a row were good."""
    last = results[-passes:]
    return len(last) == passes and all(result.good for result in last)
