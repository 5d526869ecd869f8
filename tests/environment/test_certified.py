"""The certificate that the server shows."""

from datetime import timedelta
from pathlib import Path

import pytest

from dayfly.config.environment import Api
from dayfly.config.home import Home
from dayfly.environment.certified import certified, names
from dayfly.tunnel.authority import Authority, read_credentials
from dayfly.tunnel.credentials import today


@pytest.mark.parametrize(
    ("api", "first"),
    [
        (Api(listen="10.2.0.1:8081"), ["10.2.0.1", "localhost"]),
        (Api(listen="0.0.0.0:8081"), ["localhost", "127.0.0.1"]),
        (Api(listen="[::]:81", address="https://d.example"), ["localhost", "d.example"]),
    ],
)
def test_a_server_is_called_as_people_reach_it(api: Api, first: list[str]) -> None:
    assert names(api)[:2] == first
    assert {"localhost", "127.0.0.1", "::1"} <= set(names(api))


def test_a_certificate_stays_until_it_ends_or_names_something_else(tmp_path: Path) -> None:
    home, api = Home(tmp_path), Api(listen="10.2.0.1:8081", tls=True)
    first = certified(home, api).read_bytes()
    ca = read_credentials(home.certificate).ca
    assert certified(home, api).read_bytes() == first

    moved = certified(home, Api(listen="10.2.0.2:8081", tls=True)).read_bytes()
    assert moved != first
    soon = Authority(home.ca).issue(*names(api), now=today(), lasts=timedelta(days=20))
    home.certificate.write_bytes(soon)
    assert certified(home, api).read_bytes() != soon
    assert read_credentials(home.certificate).ca == ca  # who knows it knows it still
