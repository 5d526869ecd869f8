"""What a host is before anything is done to it, and what is in the way."""

from collections.abc import Iterator
from dataclasses import dataclass

from dayfly.command import CommandError
from dayfly.hosts.address import HostError
from dayfly.hosts.ssh import Ssh

RELEASES = ("12", "13")  # of Debian
NEEDED = 3 * 1024**3  # bytes, for packages and Dayfly; images and data come on top
MARKS = "/etc/dayfly/host"  # what was found and done there; the role's dayfly_marks
_SHOWN = 500  # characters of an answer that is none
_HOME = "/var/lib/dayfly"
_SCRIPT = f"""\
[ -r /etc/os-release ] && . /etc/os-release
echo "system=${{PRETTY_NAME:-unknown}}"; echo "id=${{ID:-}}"; echo "release=${{VERSION_ID:-}}"
echo "user=$(id -un)"; [ "$(id -u)" = 0 ] || echo becomes=yes
if [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; then echo root=yes; fi
command -v python3 >/dev/null && echo python=yes
[ -d /run/systemd/system ] && echo systemd=yes
echo "free=$(df -Pk /var | awk 'NR == 2 {{ print $4 * 1024 }}')"
echo "port=$(echo "${{SSH_CONNECTION:-}}" | cut -d ' ' -f 4)"
echo "boot=$(cat /proc/sys/kernel/random/boot_id) $(cut -d ' ' -f 22 /proc/1/stat)"
[ -e {MARKS} ] && echo made=yes
[ -e {MARKS}/people ] || [ -e {MARKS}/person ] && echo people=yes
grep -qxFs "$(id -un)" {MARKS}/people && echo came=yes
[ -e {MARKS}/before ] && ! grep -qx python3 {MARKS}/before && echo pythonless=yes
[ -e {_HOME}/id ] && echo environment=yes
true
"""


@dataclass(frozen=True, kw_only=True)
class Facts:
    system: str
    debian: str  # "12"; empty where it is something else
    user: str
    root: bool  # the user is root, or becomes it without a password
    becomes: bool  # it is not root already
    python: bool
    systemd: bool
    free: int  # bytes
    port: int  # where its sshd listens
    boot: str  # differs after each start
    made: bool  # it was added before, at least in part
    people: bool  # some were given something
    came: bool  # the user was not there before
    pythonless: bool  # it had no Python before
    environment: bool  # one has its data there

    def as_root(self, command: str) -> str:
        """A command for its shell; a bare host has a sudo only for those who need it."""
        return f"sudo {command}" if self.becomes else command


def facts_of(ssh: Ssh) -> Facts:
    """HostError where no shell understands the question, or the answer is none."""
    about = str(ssh.address)
    try:
        return read(ssh.ask(_SCRIPT), about)
    except CommandError as error:
        raise _no_host(about, error.tail) from error


def read(said: str, about: str) -> Facts:
    try:
        return _read(said)
    except (LookupError, ValueError) as error:
        raise _no_host(about, said) from error


def _no_host(about: str, said: str) -> HostError:
    answer = said.strip()[:_SHOWN]
    return HostError(
        f"{about} does not tell what it is, as a Debian with a POSIX shell does",
        hint="A host is made of Debian 12 or 13, and who logs in has sh or bash."
        + (f" It answered:\n{answer}" if answer else " It answered nothing."),
    )


def _read(said: str) -> Facts:
    told = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    return Facts(
        system=told["system"],
        debian=told["release"] if told["id"] == "debian" else "",
        user=told["user"],
        root="root" in told,
        becomes="becomes" in told,
        python="python" in told,
        systemd="systemd" in told,
        free=int(float(told["free"] or 0)),
        port=int(told["port"] or 22),
        boot=told["boot"],
        made="made" in told,
        people="people" in told,
        came="came" in told,
        pythonless="pythonless" in told,
        environment="environment" in told,
    )


def require(facts: Facts, about: str) -> None:
    """HostError with everything that is in the way."""
    if problems := list(in_the_way(facts)):
        says, hints = zip(*problems, strict=True)
        raise HostError(f"{about}: {'; '.join(says)}", hint="\n".join(filter(None, hints)))


def in_the_way(facts: Facts) -> Iterator[tuple[str, str]]:
    """What is wrong, and what to do about it."""
    if facts.debian not in RELEASES:
        yield f"it runs {facts.system}, and a host is made of Debian 12 or 13", ""
    if not facts.systemd:
        yield "it was not started by systemd, which keeps a host's services up", ""
    if not facts.root:
        rule = f"{facts.user} ALL=(ALL) NOPASSWD: ALL"
        yield (
            f"{facts.user} can't become root there without a password (sudo)",
            f"As root, with sudo installed: echo '{rule}' > /etc/sudoers.d/{facts.user}",
        )
    if facts.free < NEEDED and not facts.made:
        free, needed = facts.free / 1024**3, NEEDED / 1024**3
        yield f"/var has {free:.1f} GB free, and {needed:.0f} GB are needed", ""
