"""A database's URL as the JVM's driver takes it."""

import pytest

from dayfly.database.jdbc import for_flyway


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://ann:p%40ss@db/shop", ("db:5432/shop", "ann", "p@ss")),
        ("postgresql://ann@db:6432/shop?sslmode=require&connect_timeout=3",
         ("db:6432/shop?sslmode=require", "ann", "")),
        ("postgresql://ann@a:1,b:2/shop", ("a:1,b:2/shop", "ann", "")),
        ("postgresql://ann@a,b:2/shop", ("a:5432,b:2/shop", "ann", "")),
        ("host=a,b port=7 dbname=shop", ("a:7,b:7/shop", "", "")),
        ("postgresql://ann@[::1]:5433/shop", ("[::1]:5433/shop", "ann", "")),
        ("postgresql:///shop", ("localhost:5432/shop", "", "")),
        ("postgresql://ann@db/a%20b%3Fc", ("db:5432/a%20b%3Fc", "ann", "")),
    ],
)  # fmt: skip
def test_where_flyway_finds_a_database(url: str, expected: tuple[str, str, str]) -> None:
    place, user, password = expected
    assert for_flyway(url) == {
        "FLYWAY_URL": f"jdbc:postgresql://{place}",
        "FLYWAY_USER": user,
        "FLYWAY_PASSWORD": password,
    }


def test_its_sessions_bear_a_name_and_obey_options() -> None:
    url = "postgresql://ann@db/shop?options=-c%20jit%3Doff"
    found = for_flyway(url, name="dayfly migrate 7", options="-c lock_timeout=900")
    assert found["FLYWAY_URL"].partition("?")[2] == (
        "ApplicationName=dayfly+migrate+7&options=-c+jit%3Doff+-c+lock_timeout%3D900"
    )


def test_a_unix_socket_is_nothing_for_the_jvm() -> None:
    assert for_flyway("postgresql:///shop?host=/run/postgresql") == {}
