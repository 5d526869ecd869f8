"""`dayfly login`: make an environment elsewhere known."""

from typing import Any

from dayfly.cli.commands import Commands
from dayfly.cli.session import Session
from dayfly.cli.ssh import declare_config


def declare(commands: Commands) -> None:
    login_ = commands.add_reader(
        "login", login, "Keep the address and token of an environment elsewhere, for -e NAME."
    )
    login_.add_argument(
        "address",
        nargs="?",
        metavar="ADDRESS",
        help="like https://10.2.0.10:8081, or ssh://deploy@10.8.0.5 where only ssh is let in;"
        " without it: what to type elsewhere to reach this one, with --json its token too",
    )
    login_.add_argument(
        "--fingerprint", metavar="HEX",
        help="of the CA, as the operator of the environment tells; with ssh:// SHA256:… of the"
        " host's key, which was compared there",
    )  # fmt: skip
    login_.add_argument(
        "--home", default="", metavar="DIR",
        help="with ssh://: DAYFLY_HOME there, where it is not the usual one",
    )  # fmt: skip
    login_.add_argument(
        "--in-clear", action="store_true",
        help="with http:// to another machine: the token goes there unencrypted, now and later",
    )  # fmt: skip
    declare_config(login_)


def login(session: Session, **told: Any) -> int:  # noqa: ANN401 - as they were declared
    from dayfly.cli.elsewhere import login as run  # noqa: PLC0415 - reads certificates, for this only

    return run(session, **told)
