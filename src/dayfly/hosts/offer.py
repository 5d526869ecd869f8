"""What the Dayfly of a host tells of the environment there, to whoever may read its token."""

import json
import shlex
from dataclasses import dataclass, field

from dayfly.command import CommandError
from dayfly.hosts.address import HostError
from dayfly.hosts.ssh import Ssh

_NO_DAYFLY = 91
_NO_ROOT = 92
_BEGINS = "-- what dayfly tells"  # after whatever a shell greets with
# The environment is the person's own, or the host's, which only root reads.
_SCRIPT = """\
home={home}
command -v dayfly >/dev/null || exit {no_dayfly}
own=${{home:-${{DAYFLY_HOME:-$HOME/.local/share/dayfly}}}}
set -- dayfly login --json
[ -z "$home" ] || set -- env "DAYFLY_HOME=$home" "$@"
echo '{begins}'
if [ "$(id -u)" = 0 ] || [ -r "$own/token" ]; then exec "$@"; fi
sudo -n true 2>/dev/null || exit {no_root}
exec sudo -n "$@"
"""


@dataclass(frozen=True, kw_only=True)
class Offer:
    environment: str
    address: str  # as the host itself reaches its server
    token: str = field(repr=False)
    ca: str = field(repr=False)  # PEM; empty without TLS


def offer(ssh: Ssh, home: str) -> Offer:
    """`home` is the environment's DAYFLY_HOME there; empty where it is the usual one."""
    try:
        return read(ssh.ask(script(home)), str(ssh.address))
    except CommandError as error:
        raise _refused(ssh, error) from error


def script(home: str) -> str:
    """For the host's /bin/sh."""
    return _SCRIPT.format(
        home=shlex.quote(home), no_dayfly=_NO_DAYFLY, no_root=_NO_ROOT, begins=_BEGINS
    )


def read(said: str, about: str) -> Offer:
    try:
        told = json.loads(said.partition(_BEGINS)[2])
        names = ("environment", "address", "token", "ca")
        return Offer(**{name: str(told[name]) for name in names})
    except (ValueError, LookupError, TypeError) as error:
        raise HostError(
            f"the Dayfly of {about} does not tell where its server is",
            hint=f"It may be an older one: dayfly host add {about}",
        ) from error


def _refused(ssh: Ssh, error: CommandError) -> HostError:
    about = ssh.address
    if error.status == _NO_DAYFLY:
        return HostError(
            f"there is no dayfly on {about} that a command over ssh finds",
            hint=f"`dayfly host add {about}` makes a host of it;"
            " one that lies elsewhere there can be linked into /usr/local/bin.",
        )
    if error.status == _NO_ROOT:
        who = ssh.settled()["user"]
        return HostError(
            f"{who} has no environment on {about}, and can't become root there for the host's own",
            hint="--home DIR names another DAYFLY_HOME there.",
        )
    return HostError(f"the Dayfly of {about} tells of no environment", hint=error.tail)
