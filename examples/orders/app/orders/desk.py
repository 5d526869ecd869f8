"""What can be done with an order."""

import logging
import re
import secrets
from datetime import date

from psycopg.errors import UniqueViolation

log = logging.getLogger("orders.desk")

ARTICLES = {
    "Garden bench, oak": 24900,
    "Garden table, oak": 38900,
    "Flower box, larch": 4900,
    "Bird house": 2900,
    "Hammock": 7900,
}

# By name: a prepared "SELECT *" of a running process fails as soon as a column is added.
COLUMNS = "id, reference, customer, email, article, quantity, price_cents, note, created, shipped"


class BadOrder(Exception):
    """The customer's input can't be an order; the message says why."""


class KnownReference(Exception):
    """There is an order with this reference already."""


def new_reference():
    return f"{date.today():%y%m%d}-{secrets.token_hex(3).upper()}"


def parse_order(form):
    """A form or JSON object as the columns of an order; BadOrder when it can't be one."""
    order = {
        "reference": str(form.get("reference") or new_reference()).strip(),
        "customer": str(form.get("customer") or "").strip(),
        "email": str(form.get("email") or "").strip(),
        "article": str(form.get("article") or "").strip(),
        "note": str(form.get("note") or "").strip(),
    }
    if not re.fullmatch(r"[\w.-]{1,80}", order["reference"]):
        raise BadOrder("The reference may hold letters, digits, dots and dashes.")
    if not order["customer"]:
        raise BadOrder("Who orders? The customer's name is missing.")
    if "@" not in order["email"]:
        raise BadOrder("The e-mail address is needed for the confirmation.")
    if order["article"] not in ARTICLES:
        raise BadOrder(f"We don't sell {order['article'] or 'nothing'}.")
    try:
        order["quantity"] = int(form.get("quantity", 1))
    except (TypeError, ValueError):
        raise BadOrder("The quantity is a number.") from None
    if not 1 <= order["quantity"] <= 1000:
        raise BadOrder("The quantity is between 1 and 1000.")
    order["price_cents"] = ARTICLES[order["article"]] * order["quantity"]
    return order


def create(connection, order):
    """Store an order and queue its confirmation, both or neither."""
    names = list(order)
    columns, values = ", ".join(names), ", ".join(f"%({name})s" for name in names)
    try:
        with connection.transaction():
            row = connection.execute(
                f"INSERT INTO orders ({columns}) VALUES ({values}) RETURNING {COLUMNS}", order
            ).fetchone()
            connection.execute(
                "INSERT INTO mails (order_id, subject) VALUES (%s, %s)",
                (row["id"], f"Your order {row['reference']}"),
            )
    except UniqueViolation:
        raise KnownReference(order["reference"]) from None
    log.info("order %s: %s x %s", row["reference"], row["quantity"], row["article"])
    return row


def newest(connection, limit):
    return connection.execute(
        f"SELECT {COLUMNS} FROM orders ORDER BY created DESC, id DESC LIMIT %s", (limit,)
    ).fetchall()


def count(connection):
    return connection.execute("SELECT count(*) AS n FROM orders").fetchone()["n"]


def find(connection, reference):
    return connection.execute(
        f"SELECT {COLUMNS} FROM orders WHERE reference = %s", (reference,)
    ).fetchone()


def ship(connection, reference):
    connection.execute(
        "UPDATE orders SET shipped = coalesce(shipped, now()) WHERE reference = %s", (reference,)
    )
    log.info("order %s shipped", reference)
