"""Where the file archive answers for whom."""

from pathlib import Path

import pytest

from dayfly.config.load import load_environment
from dayfly.config.secrets import Secrets
from dayfly.environment.archive import public_url
from dayfly.files import credentials
from dayfly.files.s3.accounts import Key, read
from dayfly.files.tenants import Access, Tenants
from dayfly.release.bucket import variables


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", ""),
        ('files.host = "f.example"', "http://f.example:8080"),
        ('files.host = "f.example"\nbalancer.http = "0.0.0.0:80"', "http://f.example"),
        ('files.host = "f.example"\nbalancer.https.listen = "[::]:443"', "https://f.example"),
        ('files.host = "f.example"\nbalancer.https.listen = "[::]:8443"', "https://f.example:8443"),
    ],
)
def test_how_others_reach_the_archive(text: str, url: str) -> None:
    assert public_url(load_environment(text)) == url


def test_machines_are_told_both_addresses() -> None:
    access = Access(
        endpoint="http://127.0.0.1:8083",
        bucket="shop",
        public="https://f.example",
        key=Key("AKID", "secret"),
    )
    told = variables(access, "AKID-shop-1-web-1")

    assert told.env["AWS_ENDPOINT_URL"] == "http://127.0.0.1:8083"
    assert told.env["DAYFLY_FILES_URL"] == "https://f.example"
    assert told.env["AWS_ACCESS_KEY_ID"] == "AKID-shop-1-web-1"
    assert told.secrets == {"AWS_SECRET_ACCESS_KEY": "secret"}


def test_the_account_of_an_app_is_known_as_one(tmp_path: Path) -> None:
    """Also one of an environment that is older than the difference."""
    file, archive = tmp_path / "accounts.json", tmp_path / "archive"
    (tmp_path / "secrets").mkdir()
    tenants = Tenants(
        root=archive,
        index=archive / ".dayfly/index",
        accounts=file,
        secrets=Secrets(tmp_path / "secrets"),
        endpoint=lambda: "",
    )
    credentials.create(file, "ann")
    first = tenants.access("keeper", "keeper").key
    file.write_text(file.read_text().replace('"app": true', '"app": false'))

    assert tenants.access("keeper", "keeper").key == first
    assert {each.id: each.app for each in read(file).all} == {"ann": False, "keeper": True}
