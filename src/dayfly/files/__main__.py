"""The archive alone: `python -m dayfly.files DIR --listen ADDR --accounts FILE`."""

import logging
import sys
from argparse import ArgumentParser
from pathlib import Path

from dayfly.errors import DayflyError
from dayfly.files.s3.expiring import DAY_SECONDS
from dayfly.files.s3.request import DEFAULT_REGION
from dayfly.files.s3.serving import Serving, serve


def main(arguments: list[str]) -> int:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    told = _parser().parse_args(arguments)
    try:
        serve(
            Serving(
                root=told.folder,
                index=told.index or told.folder / ".dayfly" / "index",
                accounts=told.accounts,
                listen=told.listen,
                workers=told.workers,
                domains=("localhost", *told.domain),
                region=told.region,
                day=told.lifecycle_day,
            )
        )
    except DayflyError as error:
        logging.getLogger("files").error("%s %s", error.message, error.hint)  # noqa: TRY400
        return 1
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m dayfly.files")
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--listen", default="127.0.0.1:9000", metavar="HOST:PORT")
    parser.add_argument("--accounts", type=Path, required=True, metavar="FILE")
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    parser.add_argument(
        "--index", type=Path, metavar="DIR", help="on a local disk; DIR/.dayfly/index by itself"
    )
    parser.add_argument(
        "--domain", action="append", default=[], help="each bucket is a host below it"
    )
    parser.add_argument("--region", default=DEFAULT_REGION)
    parser.add_argument(
        "--lifecycle-day", type=float, default=DAY_SECONDS, metavar="SECONDS", help="for tests"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
