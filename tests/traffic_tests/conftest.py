import ssl
from collections.abc import Iterator

import pytest
import trustme

from planted import Certificate, Handler, Planted, Server


@pytest.fixture
def planted() -> Iterator[Planted]:
    running: list[Server] = []

    def start(handler: Handler, tls: ssl.SSLContext | None = None) -> str:
        running.append(Server(handler, tls))
        return running[-1].start()

    yield start
    for server in running:
        server.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued.private_key_and_cert_chain_pem.write_to_path(folder / "site.pem")
    return Certificate(folder / "ca.pem", folder / "site.pem")
