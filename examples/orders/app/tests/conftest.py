"""The tests need DATABASE_URL: an empty database that may be filled."""

import os

os.environ.setdefault("SECRET_KEY", "only for tests")

import pytest

from orders.database import single
from orders.migrate import migrate
from orders.web import app


@pytest.fixture(scope="session", autouse=True)
def schema():
    migrate()


@pytest.fixture(autouse=True)
def working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # uploads/, exports/


@pytest.fixture
def connection():
    with single() as connection:
        connection.autocommit = True
        yield connection


@pytest.fixture
def shop():
    return app.test_client()
