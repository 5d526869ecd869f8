"""What is said of a webhook or a command that does not take a message."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from dayfly.clock import Stop
from dayfly.environment.alerting import telling
from dayfly.environment.alerting.telling import UntoldError, Webhook, command, post
from dayfly.errors import StoppedError
from fed import Receiver, receiving


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiving(lambda _number, path, _body: (int(path[1:4]), {"says": "x" * 500})) as receiver:
        yield receiver


@pytest.mark.parametrize("status", [200, 202, 299])
def test_every_2xx_has_taken_it(hook: Receiver, status: int) -> None:
    post(Webhook(url=f"http://127.0.0.1:{hook.port}/{status}"), {"text": "é"})

    assert hook.requests == [("POST", f"/{status}", b'{"text": "\\u00e9"}')]


@pytest.mark.parametrize("status", [301, 400, 404, 500])
def test_everything_else_has_not(hook: Receiver, status: int) -> None:
    """Nobody is sent elsewhere either: the message, and its token, are for this address."""
    with pytest.raises(UntoldError) as caught:
        post(Webhook(url=f"http://127.0.0.1:{hook.port}/{status}/secret-way"), {})

    assert caught.value.message.startswith(f"http://127.0.0.1 answers {status}: ")
    assert len(caught.value.message) < 300
    assert "secret-way" not in caught.value.message


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    with pytest.raises(UntoldError, match=r"http://127\.0\.0\.1 does not answer: "):
        post(Webhook(url=f"http://127.0.0.1:{port}/"), {})


def test_what_speaks_no_tls_is_not_told(hook: Receiver) -> None:
    with pytest.raises(UntoldError, match=r"https://127\.0\.0\.1 does not answer: "):
        post(Webhook(url=f"https://127.0.0.1:{hook.port}/", token="secret"), {})

    assert hook.requests == []


def test_a_proxy_of_the_environment_variables_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with receiving(lambda *_: (200, {})) as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        post(Webhook(url="http://hooks.invalid/way"), {})
        monkeypatch.setenv("no_proxy", "hooks.invalid")
        with pytest.raises(UntoldError, match=r"^http://hooks\.invalid does not answer"):
            post(Webhook(url="http://hooks.invalid/way"), {})

    assert proxy.requests == [("POST", "http://hooks.invalid/way", b"{}")]


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_of_the_environment_variables_are_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for other in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(other, raising=False)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with receiving(lambda *_: (200, {}), authority.issue_cert("127.0.0.1")) as receiver:
        hook = Webhook(url=f"https://127.0.0.1:{receiver.port}/")
        with pytest.raises(UntoldError, match="certificate verify failed"):
            post(hook, {})
        monkeypatch.setenv(name, str(tmp_path / "ca.pem"))
        post(hook, {})

    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("exit 3", "the command: exit status 3"),
        ("echo one; echo no route to mail >&2; exit 1", "exit status 1: no route to mail"),
        ("no-such-program-here", "exit status 127: "),
    ],
)
def test_a_command_that_fails_says_why(text: str, says: str) -> None:
    with pytest.raises(UntoldError) as caught:
        command(text, {}, Stop())

    assert says in caught.value.message


def test_a_command_that_does_not_end_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "COMMAND_SECONDS", 0.2)
    with pytest.raises(UntoldError, match=r"the command: not done within 0\.2 s$"):
        command("sleep 60", {}, Stop())


def test_a_command_sees_what_is_told_and_nothing_of_the_server(tmp_path: Path) -> None:
    seen = tmp_path / "seen"

    command(f"env >{seen}", {"DAYFLY_ALERT": "errors; rm -rf /"}, Stop())

    names = dict(line.partition("=")[::2] for line in seen.read_text().splitlines())
    assert names["DAYFLY_ALERT"] == "errors; rm -rf /"
    assert "DAYFLY_HOME" not in names


def test_a_stop_ends_a_command() -> None:
    stop = Stop()
    stop.request("the server ends")

    with pytest.raises(StoppedError):
        command("sleep 60", {}, stop)
