"""Whatever an app takes its database from, it finds the copy there."""

import pytest

from dayfly.database.redirected import to_copy

PRODUCTION = "postgresql://shop:s3cret@db.example.com:5433/shop"
POOL = "postgresql://shop:s3cret@pool.example.com:6432/shop"
COPY = "postgresql://shop:other@127.0.0.1:40001/dayfly_7"
OTHER = "postgresql://stats:x@stats.example.com/stats"


def led(**variables: str) -> dict[str, str]:
    return to_copy(variables, [PRODUCTION, ""], COPY, url="DATABASE_URL")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (PRODUCTION, COPY),
        (POOL, COPY),
        ("postgres://app@DB.example.com/shop", COPY.replace("postgresql", "postgres")),
        (
            "postgresql+asyncpg://shop:s3cret@db.example.com:5433/shop?prepared=0&sslmode=require",
            COPY.replace("postgresql", "postgresql+asyncpg") + "?prepared=0",
        ),
        (
            "jdbc:postgresql://db.example.com:5433/shop?user=shop&password=s3cret",
            "jdbc:postgresql://127.0.0.1:40001/dayfly_7?user=shop&password=other",
        ),
        (
            f'{{"default": "{PRODUCTION}", "stats": "{OTHER}"}}',
            f'{{"default": "{COPY}", "stats": "{OTHER}"}}',
        ),
        (
            "host=db.example.com port=5433 user=shop password=s3cret dbname=shop",
            "user=shop password=other dbname=dayfly_7 host=127.0.0.1 port=40001",
        ),
        (OTHER, OTHER),
        ("postgresql://shop:s3cret@db.example.com/other", None),
        ("redis://db.example.com:6379/shop", None),
        ("host = a hotel", None),
        ("postgresql://[", None),
        ("", None),
    ],
)
def test_each_kind_of_url(value: str, expected: str | None) -> None:
    assert led(READ_URL=value)["READ_URL"] == (value if expected is None else expected)


@pytest.mark.parametrize(
    ("variables", "changed"),
    [
        (
            {
                "DB_HOST": "db.example.com",
                "DB_PORT": "5433",
                "DB_USERNAME": "shop",
                "DB_PASSWORD": "s3cret",
                "DB_DATABASE": "shop",
            },
            {
                "DB_HOST": "127.0.0.1",
                "DB_PORT": "40001",
                "DB_PASSWORD": "other",
                "DB_DATABASE": "dayfly_7",
            },
        ),
        # What stands in the app's settings is right for production alone: its port is added.
        (
            {"POSTGRES_HOST": "db.example.com", "POSTGRES_PASSWORD": "s3cret"},
            {
                "POSTGRES_HOST": "127.0.0.1",
                "POSTGRES_PORT": "40001",
                "POSTGRES_PASSWORD": "other",
            },
        ),
        ({"DB_PASSWORD": "s3cret"}, {"DB_PASSWORD": "other", "DB_PORT": "40001"}),
        ({"SMTP_HOST": "db.example.com", "SMTP_PORT": "25", "SMTP_USER": "shop"}, {}),
        ({"REDIS_HOST": "db.example.com", "REDIS_DB": "0", "REDIS_PASSWORD": "r"}, {}),
        ({"STATS_DB_HOST": "db.example.com", "STATS_DB_NAME": "stats"}, {}),
        ({"PORT": "8000", "USER": "shop", "HOSTNAME": "web-1", "APP_NAME": "shop"}, {}),
    ],
)
def test_parts(variables: dict[str, str], changed: dict[str, str]) -> None:
    found = led(**variables)
    assert {name: found[name] for name in {*variables, *changed}} == {**variables, **changed}


def test_a_production_on_this_host_is_not_its_other_services() -> None:
    variables = {"REDIS_HOST": "localhost", "REDIS_PORT": "6379", "DB_HOST": "127.0.0.1"}
    found = to_copy(variables, ["postgresql:///shop"], COPY, url="DATABASE_URL")
    assert (found["REDIS_HOST"], found["REDIS_PORT"]) == ("localhost", "6379")
    assert (found["DB_HOST"], found["DB_PORT"]) == ("127.0.0.1", "40001")


def test_libpqs_own_variables() -> None:
    found = led(PGSERVICE="production", PGHOST="db.example.com", PGPASSFILE="/home/x/.pgpass")
    assert "PGSERVICE" not in found
    assert "PGPASSFILE" not in found
    assert found["DATABASE_URL"] == COPY
    assert found["PGHOST"] == found["PGHOSTADDR"] == "127.0.0.1"
    assert (found["PGPORT"], found["PGDATABASE"], found["PGPASSWORD"]) == (
        "40001",
        "dayfly_7",
        "other",
    )
    assert found["PGOPTIONS"] == "-c default_tablespace=only_on_the_copy"
    assert found["FLYWAY_URL"].startswith("jdbc:postgresql://127.0.0.1:40001/dayfly_7")


def test_another_postgresql_of_the_app_stays_reachable() -> None:
    found = led(STATS_URL=OTHER, PGOPTIONS="-c jit=off")
    assert "PGHOSTADDR" not in found
    assert found["PGOPTIONS"] == "-c jit=off"
