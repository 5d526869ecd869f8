"""Everything goes to stdout and to log/orders.log, which the office reads."""

import logging
import sys
from logging.handlers import WatchedFileHandler
from pathlib import Path

LINE = "%(asctime)s %(levelname)s %(name)s %(message)s"


def start_logging():
    Path("log").mkdir(exist_ok=True)
    logging.basicConfig(
        level=logging.INFO,
        format=LINE,
        handlers=[logging.StreamHandler(sys.stdout), WatchedFileHandler("log/orders.log")],
    )
    logging.getLogger("psycopg.pool").setLevel(logging.WARNING)
