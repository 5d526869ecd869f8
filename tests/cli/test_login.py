"""A server elsewhere that is not who it says: the token never reaches it."""

import io
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dayfly.cli.elsewhere import login
from dayfly.cli.session import Session
from dayfly.config.contexts import contexts_file
from dayfly.errors import DayflyError, UsageError
from dayfly.tunnel.authority import Authority, fingerprint
from dayfly.tunnel.credentials import today

SECRET = "the-token-of-the-environment"


@dataclass
class Stranger:
    """A server with a certificate of its own CA, which tells what it likes of who signed it."""

    own: str
    genuine: str
    told: str = ""
    addresses: dict[str, str] = field(default_factory=dict)
    given: list[str] = field(default_factory=list)  # as Authorization


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stranger]:
    folder = tmp_path_factory.mktemp("stranger")
    for name in ("own", "genuine"):
        (folder / f"{name}.pem").write_bytes(
            Authority(folder / name).issue("127.0.0.1", now=today())
        )
    one = Stranger(*((folder / name / "ca.pem").read_text() for name in ("own", "genuine")))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "own.pem")
    with listening(one, context) as https, listening(one, None) as http:
        one.addresses = {"https": https, "http": http}
        yield one


@contextmanager
def listening(stranger: Stranger, context: ssl.SSLContext | None) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            stranger.given += self.headers.get_all("Authorization", [])
            open_ = self.path == "/api/authority"
            body = stranger.told if open_ else '{"environment": "production"}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            scheme = "https" if context else "http"
            yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stranger: Stranger) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "stdin", io.StringIO(SECRET))
    stranger.given.clear()


def log_in(address: str, wanted: str | None = None, *, in_clear: bool = False) -> None:
    """As `dayfly login ADDRESS --fingerprint …`."""
    status = login(
        Session(None, None), address=address, fingerprint=wanted, home="", in_clear=in_clear,
        ssh_config=None, json=False,
    )  # fmt: skip
    assert status == 0


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ("{genuine}", "certificate verify failed"),
        ("{genuine}{own}", "is no server of Dayfly"),
        ("{own}{genuine}", "is no server of Dayfly"),
        ("{own}", "another CA than expected answers"),
        ("", "no CA that --fingerprint could be compared with"),
        ("hello", "is no server of Dayfly"),
    ],
)
def test_a_fingerprint_keeps_the_token_from_who_is_in_between(
    stranger: Stranger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str, says: str
) -> None:
    stranger.told = told.format(own=stranger.own, genuine=stranger.genuine)
    (tmp_path / "system.pem").write_text(stranger.own)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "system.pem"))  # even one known to all

    with pytest.raises(DayflyError, match=says):
        log_in(stranger.addresses["https"], fingerprint(stranger.genuine))

    assert stranger.given == []
    assert not contexts_file().exists()


def test_what_was_compared_is_what_is_kept(stranger: Stranger) -> None:
    stranger.told = f"a word before\n{stranger.own}and behind\n"
    shown = fingerprint(stranger.own).upper()
    log_in(stranger.addresses["https"], ":".join(shown[i : i + 2] for i in range(0, 64, 2)))

    assert stranger.given == [f"Bearer {SECRET}"]
    kept = contexts_file().read_text()
    assert repr(stranger.own)[1:-1] in kept
    assert "a word before" not in kept


@pytest.mark.parametrize(
    ("address", "wanted", "says"),
    [
        ("http://10.99.0.1:8081", None, "the token would go there in clear"),
        ("http://127.0.0.1:8081", "ab" * 32, "http:// has no certificate that a fingerprint"),
        ("https://127.0.0.1:8081", "ab" * 7, "16 and more hexadecimal digits"),
        ("https://127.0.0.1:8081", "SHA256:" + "x" * 43, "16 and more hexadecimal digits"),
        *((address, None, "an address looks like https://") for address in (
            "https://", "https:///x", "10.2.0.1:8081", "https://127.0.0.1:99999", "https://[::1",
            "https://127.0.0.1:0", "https://ada@127.0.0.1", "https://127.0.0.1/api", "ftp://far",
        )),
    ],
)  # fmt: skip
def test_what_can_not_be_meant_is_wrong_usage(address: str, wanted: str | None, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        log_in(address, wanted)


def test_in_clear_goes_to_this_machine_unless_more_is_said(stranger: Stranger) -> None:
    log_in(stranger.addresses["http"])
    assert stranger.given == [f"Bearer {SECRET}"]


def test_in_clear_goes_elsewhere_when_that_is_said() -> None:
    with pytest.raises(DayflyError, match=r"does not answer at http://0\.0\.0\.0:1"):
        log_in("http://0.0.0.0:1", in_clear=True)


@pytest.mark.parametrize("told", ["", "two words", "a\x00b"])
def test_a_token_is_one_word(
    stranger: Stranger, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(told))
    with pytest.raises(UsageError, match="on standard input"):
        log_in(stranger.addresses["http"])
    assert stranger.given == []
