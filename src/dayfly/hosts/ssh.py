"""Commands on a host over ssh, whose key has to be known: the one place that starts ssh."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dayfly.command import CommandError, output_of, run, which
from dayfly.errors import DayflyError
from dayfly.hosts.address import Address, HostError
from dayfly.hosts.keys import Key, keys_of, known_as, remember, vouched

CONNECT_SECONDS = 10
# Nobody is there to answer, and a host that shows another key is another host.
STRICT = (
    "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes",
    "-o", f"ConnectTimeout={CONNECT_SECONDS}", "-o", "ServerAliveInterval=10",
)  # fmt: skip
# Each kind is a connection of its own, and Debian 13 shuts out who makes many without logging in.
SCANNED = ("ed25519", "ecdsa,rsa")
_FAILED = 255  # ssh's own exit status


@dataclass(frozen=True, kw_only=True)
class Ssh:
    """A person's own ssh: their keys, agent, configuration and known hosts."""

    address: Address
    config: Path | None = None  # instead of ~/.ssh/config
    typed: str = (
        "dayfly host add "  # before an address: the command that takes a key which was compared
    )

    @property
    def options(self) -> tuple[str, ...]:
        return (*(("-F", str(self.config)) if self.config else ()), *STRICT)

    def argv(self, *more: str) -> list[str]:
        address = self.address
        user = ("-l", address.user) if address.user else ()
        port = ("-p", str(address.port)) if address.port else ()
        return ["ssh", *self.options, *user, *port, *more, "--", address.host]

    def ask(self, script: str, *, seconds: float = 60) -> str:
        """What a script for the host's /bin/sh prints; CommandError where it fails."""
        try:
            return output_of([*self.argv(), script], seconds=seconds)
        except CommandError as error:
            raise self._translated(error) from error

    def tell(self, script: str, *, seconds: float = 900) -> None:
        """The same for what may take long."""
        try:
            run([*self.argv(), script], seconds=seconds)
        except CommandError as error:
            raise self._translated(error) from error

    def settled(self) -> dict[str, str]:
        """What ssh would do: hostname, port, user, userknownhostsfile."""
        said = output_of([*self.argv("-G")])
        return dict(line.split(" ", 1) for line in said.splitlines() if " " in line)

    def offered(self) -> tuple[Key, ...]:
        """The keys that whoever answers there shows; nobody has vouched for them."""
        about = self.settled()
        scan = ["ssh-keyscan", "-T", "5", "-p", about["port"], "-t"]
        for kinds in SCANNED:
            with suppress(CommandError):
                if found := keys_of(output_of([*scan, kinds, "--", about["hostname"]])):
                    return found
        return ()

    def trust(self, fingerprint: str) -> Path:
        """Take the key that a person has compared into their known hosts; returns the file."""
        return remember(vouched(self.offered(), fingerprint, str(self.address)), self.settled())

    def _translated(self, error: CommandError) -> DayflyError:
        """What a command of the host says of itself stays as it is; its name is the host's."""
        if error.status not in {_FAILED, None}:
            how = error.message.rpartition(": ")[2]
            told = f"a command on {self.address} failed: {how}"
            return CommandError(told, status=error.status, tail=error.tail)
        return self.unreachable(error.tail, error.message)

    def unreachable(self, said: str, otherwise: str = "") -> HostError:
        """What ssh said when it ended, for people; `otherwise` where it said nothing."""
        if which("ssh") is None:
            return HostError("there is no ssh here", hint="apt install openssh-client")
        if "REMOTE HOST IDENTIFICATION HAS CHANGED" in said:
            return self._changed()
        if "Host key verification failed" in said:
            return self._unknown()
        if "Permission denied" in said:
            who = self.settled()["user"]
            return HostError(
                f"{self.address} does not let {who} in: {_last(said)}",
                hint=f"ssh-copy-id {self.address} puts your key there; `ssh {self.address}` has"
                " to work without a password.",
            )
        return HostError(f"{self.address} can't be reached: {_last(said) or otherwise}")

    def _unknown(self) -> HostError:
        keys = self.offered()
        shown = [f"  {key.kind} {key.fingerprint}" for key in keys]
        best = keys[0].fingerprint if keys else "SHA256:…"
        hint = "\n".join(
            [
                "Whoever answers there shows",
                *(shown or ["  no key at all"]),
                "Compare it with the host's own: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
                f"If it is the same: {self.typed}{self.address} --fingerprint {best}",
            ]
        )
        return HostError(f"the key of {self.address} is not known here", hint=hint)

    def _changed(self) -> HostError:
        shown = ", ".join(f"{key.kind} {key.fingerprint}" for key in self.offered())
        name = known_as(self.settled())
        return HostError(
            f"{self.address} shows another key than the one that is known: {shown or 'no key'}",
            hint="Somebody may be in between. Only if the host was made anew: "
            f"ssh-keygen -R '{name}', then again.",
        )


def _last(said: str) -> str:
    return next((line for line in reversed(said.splitlines()) if line.strip()), "")
