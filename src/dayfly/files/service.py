"""The archive of an environment as a service: `python -m dayfly.files.service FOLDER`.

FOLDER has what it is told, and its lock says that it runs.
"""

import logging
import sys
from pathlib import Path

from dayfly.durable import locked
from dayfly.errors import DayflyError
from dayfly.files import credentials
from dayfly.files.s3.serving import Serving, serve
from dayfly.files.starting import LOCK, load


def main(folder: Path) -> int:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    try:
        told = load(folder)
        credentials.begin(Path(told.accounts))
        with locked(folder / LOCK):  # one that is on its way down may hold it for a moment
            serve(
                Serving(
                    root=Path(told.root),
                    index=Path(told.index),
                    accounts=Path(told.accounts),
                    listen=told.listen,
                    workers=told.workers,
                    domains=(*told.domains, "localhost"),
                    balancer=Path(told.socket) if told.socket else None,
                )
            )
    except DayflyError as error:
        logging.getLogger("files").error("%s %s", error.message, error.hint)  # noqa: TRY400
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
