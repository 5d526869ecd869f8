"""Commands for the environment itself: up, down, check, console, destroy."""

from dayfly.cli.commands import Commands
from dayfly.cli.output import ask, clean, is_terminal, remark, say, say_json
from dayfly.cli.session import Session
from dayfly.cli.ssh import forwarded
from dayfly.errors import DayflyError


def declare(commands: Commands) -> None:
    up_ = commands.add("up", up, "Start the environment: balancer, server, console, log store.")
    up_.add_argument("--systemd", action="store_true", help="as systemd units, not supervisord")
    commands.add("down", down, "Stop it, its machines included. Data stays.")
    commands.add_reader("check", check, "Has this environment all it needs?")
    commands.add("console", console, "A one-time link that opens the console in a browser.")
    destroy_ = commands.add(
        "destroy", destroy, "Remove an environment and all its data. Nothing else ever does."
    )
    destroy_.add_argument("name", metavar="NAME", help="of the environment, to be sure")


def up(session: Session, *, systemd: bool) -> int:
    from dayfly.environment import services  # noqa: PLC0415 - heavy, and only needed here

    url = services.up(session.home(), systemd=systemd, say=say)
    say(f"The environment is up: {url}", f"Console: {_console_link(session)}")
    return 0


def down(session: Session) -> int:
    from dayfly.environment import services  # noqa: PLC0415

    services.down(session.home(), say=say)
    return 0


def check(session: Session, *, json: bool) -> int:
    """Exit status 1 when something is missing that this environment can't do without."""
    from dayfly.cli import needs  # noqa: PLC0415 - loads the settings

    findings = needs.findings(needs.observed(session.home()))
    if json:
        say_json([vars(finding) for finding in findings])
    else:
        say(*needs.lines(findings))
    return 1 if any(finding.missing for finding in findings) else 0


def console(session: Session) -> int:
    say(_console_link(session))
    if forwards := forwarded(session.context()):
        remark(f"A browser here reaches it while this runs: {clean(forwards)}")
    return 0


def destroy(session: Session, *, name: str) -> int:
    """On a terminal the name is asked for once more; services compare it with the real one."""
    from dayfly.environment import services  # noqa: PLC0415

    if is_terminal():
        question = f"All releases, kept files and secrets of {clean(name)} go. Type its name:"
        if ask(question) != name:
            raise DayflyError("Not the name: nothing was removed.")
    services.destroy(session.home(), name, say=say)
    say(f"{clean(name)} is removed.")
    return 0


def _console_link(session: Session) -> str:
    from dayfly.cli.release import who  # noqa: PLC0415 - see `up`

    return clean(session.client().post("/api/console-link", {"who": who()})["url"])
