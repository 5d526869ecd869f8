"""python -m orders.worker: write the queued confirmation mails into the outbox."""

import logging
import os
import signal
import threading
import time

import psycopg

from orders.database import single
from orders.logs import start_logging

log = logging.getLogger("orders.worker")

MAIL_SECONDS = float(os.environ.get("ORDERS_MAIL_SECONDS", "0.005"))  # the templates are slow

TAKE = """
SELECT mails.id, mails.subject, orders.reference, orders.email, orders.customer,
       orders.article, orders.quantity
FROM mails JOIN orders ON orders.id = mails.order_id
WHERE mails.sent IS NULL
ORDER BY mails.id
LIMIT 1
FOR UPDATE OF mails SKIP LOCKED
"""

BODY = """Dear {customer},

thank you for your order {reference}: {quantity} x {article}.
We will tell you when it is on its way.

Your order desk
"""


def send_one(connection):
    """Take one mail, write it, mark it, in one transaction; False when none waits."""
    with connection.transaction():
        mail = connection.execute(TAKE).fetchone()
        if mail is None:
            return False
        time.sleep(MAIL_SECONDS)
        connection.execute(
            "INSERT INTO outbox (mail_id, recipient, subject, body) VALUES (%s, %s, %s, %s)",
            (mail["id"], mail["email"], mail["subject"], BODY.format(**mail)),
        )
        connection.execute("UPDATE mails SET sent = now() WHERE id = %s", (mail["id"],))
    log.info("mail for order %s written", mail["reference"])
    return True


def work(stop):
    with single() as connection:
        connection.autocommit = True
        while not stop.is_set():
            if not send_one(connection):
                stop.wait(0.2)


def main():
    start_logging()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())  # the mail in hand is finished first
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    log.info("worker started, release %s", os.environ.get("DAYFLY_RELEASE", "-"))
    while not stop.is_set():
        try:
            work(stop)
        except psycopg.OperationalError as error:
            log.warning("the database went away: %s", error)
            stop.wait(1)
    log.info("worker stopped")


if __name__ == "__main__":
    main()
