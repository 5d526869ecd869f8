"""From the settings to all that a gateway needs, and what is made safe before a tunnel is there."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from dayfly.command import run
from dayfly.config.home import Home
from dayfly.config.load import settings_of
from dayfly.config.names import OPERATOR
from dayfly.config.secrets import Secrets
from dayfly.config.tunnel import Tunnel
from dayfly.config.tunnel_rules import Network
from dayfly.durable import translated, write_atomically
from dayfly.tunnel.aws import AwsTunnel, read_aws
from dayfly.tunnel.changes import Argv, changes, leftovers, script
from dayfly.tunnel.credentials import Credentials, today
from dayfly.tunnel.firewall import firewall
from dayfly.tunnel.guard import Guard, left
from dayfly.tunnel.host import kernel_has_esp, require_engine, translates
from dayfly.tunnel.own import addresses, to_take
from dayfly.tunnel.place import Place, State
from dayfly.tunnel.plan import Plan, planned, within
from dayfly.tunnel.problem import TunnelError

NONE = "environment.toml has no [tunnel]"


@dataclass(frozen=True, kw_only=True)
class Prepared:
    plan: Plan
    credentials: Credentials | None = field(default=None, repr=False)
    crl: bytes = b""

    @property
    def fingerprint(self) -> str:
        """Another one, when something of it has changed."""
        keys = [peer.key or "" for peer in self.plan.peers]
        shown = self.credentials
        own, ca = (shown.certificate, shown.ca) if shown else (b"", b"")
        return sha256(repr((self.plan, keys, own, ca, self.crl)).encode()).hexdigest()[:16]


def tunnel_of(home: Home) -> Tunnel:
    """What is declared; TunnelError where nothing is."""
    declared = settings_of(home).tunnel
    if declared is None:
        hint = "docs/reference/tunnel.md of Dayfly shows how two sites are declared."
        raise TunnelError(f"{home.environment_toml}: {NONE}", hint=hint)
    return declared


def plan_of(home: Home, declared: Tunnel) -> Plan:
    key = None
    if declared.secret is not None:
        key = _key(home, declared.secret)
    return planned(declared, key, lambda file: read_aws_file(home.path / file))


def prepare(home: Home, place: Place) -> Prepared:
    """TunnelError when the key, the certificate or the file of AWS is missing or of no use."""
    plan = plan_of(home, tunnel_of(home))
    if says := within(plan.peers, plan):
        raise TunnelError(says, hint="The other gateway needs an address outside the networks.")
    if not plan.with_certificates:
        return Prepared(plan=plan)
    path, credentials = place.credentials(plan.here), shown_by(place, plan)
    if credentials is None:
        raise TunnelError(
            f"{path}: the certificate of this site is missing",
            hint=f"`dayfly tunnel certificate {plan.here}` writes it, on the one machine that"
            " signs; copy it from there.",
        )
    if credentials.has_expired(today()):
        hint = (
            f"`dayfly tunnel certificate {plan.here}` writes a new one, on the machine that signs."
        )
        raise TunnelError(f"{path}: {credentials.expiry(today())}", hint=hint)
    _require_own(path, plan, credentials)
    from dayfly.tunnel.revoked import read_revoked  # noqa: PLC0415 - heavy; keys need none

    crl = read_revoked(place.revoked, credentials.ca)
    return Prepared(plan=plan, credentials=credentials, crl=crl)


def _require_own(path: Path, plan: Plan, credentials: Credentials) -> None:
    """Names only: what calls itself by a distinguished name or by mail is strongSwan's to find."""
    for peer in plan.peers:
        identity = peer.own_identity
        named = identity in credentials.names or set(identity) & set("=@")
        if peer.key is None and credentials.names and not named:
            shown = ", ".join(sorted(credentials.names))
            raise TunnelError(
                f"{path}: a certificate of {shown}, and this site is {identity}",
                hint=f"`dayfly tunnel certificate {plan.here}` writes the right one.",
            )


def shown_by(place: Place, plan: Plan) -> Credentials | None:
    """What this gateway shows the other one; None where it has none."""
    path = place.credentials(plan.here)
    if not plan.with_certificates or not path.exists():
        return None
    from dayfly.tunnel.authority import read_credentials  # noqa: PLC0415 - heavy; keys need none

    return read_credentials(path)


def secure(guard: Guard, prepared: Prepared) -> State:
    """Routes and rules by which nothing leaves in clear, with the way back noted before."""
    kernel, place, plan = kernel_has_esp(), guard.place, prepared.plan
    require_engine(kernel=kernel)
    before = place.state()
    taken = to_take(plan.ours, addresses(), before.ours_taken, kernel=kernel)
    place.make()
    undo = _undo(prepared, taken, kernel=kernel)
    state = State(
        undo=tuple(dict.fromkeys((*undo, *before.undo))),
        kernel=kernel,
        settings=prepared.fingerprint,
        networks=tuple(map(str, plan.theirs)),
        taken=tuple(map(str, taken)),
    )
    if state != before:
        place.remember(state)
    folder = place.folder.resolve()
    _write(place.firewall, firewall(plan, folder, translated=translates(), kernel=kernel))
    _write(place.closed, script(changes(plan.theirs, place.firewall)))
    guard.hold()
    return state


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        write_atomically(path, text)


def let_go(place: Place, prepared: Prepared, state: State) -> None:
    """Of what settings before these had made, once nothing uses it any more."""
    wanted = _undo(prepared, state.ours_taken, kernel=state.kernel)
    for argv in state.undo:
        if argv not in wanted:
            run(list(argv), check=False, seconds=10)
    if wanted != state.undo:
        place.remember(replace(state, undo=wanted))


def _undo(prepared: Prepared, taken: Sequence[Network], *, kernel: bool) -> tuple[Argv, ...]:
    """The daemon's own things first: what holds back is taken away last."""
    wanted = changes(prepared.plan.theirs, Path(), taken)  # the way back names no file
    after = leftovers(prepared.plan, kernel=kernel)
    return (*after, *(change.undo for change in reversed(wanted)))


def take_back(place: Place, state: State) -> None:
    """Whatever of it is still there; TunnelError names what stays."""
    for argv in state.undo:
        run(list(argv), check=False, seconds=10)
    if stays := left(place):
        raise TunnelError(
            f"{', '.join(stays)} can't be taken away",
            hint="`dayfly tunnel down` tries it again; `nft list ruleset`, `ip rule` and"
            " `ip route` show what is there.",
        )
    for path in (place.state_file, place.firewall, place.closed):
        path.unlink(missing_ok=True)


def clear_leftovers(prepared: Prepared, *, kernel: bool) -> None:
    """Of a daemon that was killed, before the next one makes the same."""
    for argv in leftovers(prepared.plan, kernel=kernel):
        run(list(argv), check=False, seconds=10)


def _key(home: Home, name: str) -> str:
    values = Secrets(home.secrets).read(OPERATOR)
    if name not in values:
        raise TunnelError(
            f"no value for the secret {name}, the pre-shared key of the tunnel",
            hint="`dayfly tunnel key` stores it: the same on both gateways.",
        )
    return values[name]


def read_aws_file(path: Path) -> tuple[AwsTunnel, ...]:
    with translated(path):
        raw = path.read_bytes()
    try:
        return read_aws(raw.decode(), str(path))
    except UnicodeDecodeError as error:
        raise TunnelError(f"{path}: is not UTF-8 text") from error
