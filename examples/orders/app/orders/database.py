"""Connections to the order database."""

import os
from contextlib import contextmanager
from functools import cache

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool


def url():
    try:
        return os.environ["DATABASE_URL"]
    except KeyError:
        raise SystemExit(
            "DATABASE_URL is not set, e.g. postgresql://orders@localhost/orders"
        ) from None


@cache
def pool():
    """One pool per process, opened with the first request: gunicorn forks before that."""
    return ConnectionPool(
        url(),
        min_size=1,
        max_size=8,
        timeout=10,
        kwargs={"row_factory": dict_row},
        check=ConnectionPool.check_connection,
        open=True,
    )


@contextmanager
def transaction():
    with pool().connection() as connection:
        yield connection


def single():
    """One connection of its own, for the programs that run beside the web pages."""
    return psycopg.connect(url(), row_factory=dict_row)
