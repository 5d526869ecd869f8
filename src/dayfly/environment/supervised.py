"""The services' descriptions as pure text: for supervisord, and for systemd."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LOGS, FORWARDER, FILES, BALANCER, SERVER = "logs", "forwarder", "files", "balancer", "server"
TUNNEL, GUARD = (
    "tunnel",
    "tunnel-guard",
)  # on a gateway, which may have nothing else of an environment
# Those that have to see the machines end, and those that end before.
AFTER_MACHINES, BEFORE_MACHINES = (FORWARDER, FILES, LOGS), (SERVER, BALANCER)


@dataclass(frozen=True, kw_only=True)
class Service:
    """A process that has to run for as long as the environment is up."""

    name: str
    argv: Sequence[str]
    what: str
    stop_seconds: int
    place: int  # services start in this order, and end in the reverse
    after: Sequence[str] = ()  # units of systemd that start before it, where they are there


def services(python: Path, home: Path) -> tuple[Service, ...]:
    """The services of an environment: logs, files, what keeps HAProxy up, the server."""
    return (
        Service(
            name=LOGS,
            argv=_module(python, "dayfly.logs", home / "logs"),
            what="the log store",
            stop_seconds=30,
            place=1,
        ),
        Service(
            name=FORWARDER,
            argv=_module(python, "dayfly.logs.forwarder", home / "forwarder"),
            what="the forwarder of logs",
            stop_seconds=20,
            place=2,
        ),
        Service(
            name=FILES,
            argv=_module(python, "dayfly.files.service", home / "files"),
            what="the file archive",
            stop_seconds=30,
            place=3,
        ),
        Service(
            name=BALANCER,
            argv=_module(python, "dayfly.balancer.keeper", home),
            what="the balancer",
            stop_seconds=60,
            place=4,
        ),
        Service(
            name=SERVER,
            argv=_module(python, "dayfly.console", home),
            what="the server: API, console, releases",
            stop_seconds=150,
            place=5,
        ),
    )


def _module(python: Path, name: str, folder: Path) -> tuple[str, ...]:
    """One that crashes writes where it was into its log."""
    return (str(python), "-X", "faulthandler", "-m", name, str(folder))


def tunnel(python: Path, home: Path) -> Service:
    """What keeps a gateway's IKE daemon up."""
    return Service(
        name=TUNNEL,
        argv=_module(python, "dayfly.tunnel.keeper", home),
        what="the site-to-site tunnel",
        stop_seconds=20,
        place=1,
        # The machine's own IKE daemon has the ports where both want them.
        after=("strongswan.service", "strongswan-starter.service", "ipsec.service"),
    )


def guard(home: Path, environment: str, script: Path) -> dict[str, str]:
    """Its unit: what lets nothing leave in clear is there before the network, as a firewall is.

    The order is that of nftables.service, and behind it, as that one begins by emptying
    everything; also when it is read again or started anew. It needs a shell, and nothing of ours.
    """
    return {
        unit_name(environment, GUARD): f"""\
[Unit]
Description=Dayfly {environment}: nothing for the other site of the tunnel leaves in clear
DefaultDependencies=no
RequiresMountsFor={_quoted(home)}
Wants=network-pre.target
After=nftables.service
Before=network-pre.target shutdown.target
Conflicts=shutdown.target
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh {_systemd_word(str(script))}
ExecReload=/bin/sh {_systemd_word(str(script))}

[Install]
WantedBy=sysinit.target
"""
    }


def supervisord(all_services: Sequence[Service], run: Path) -> str:
    """supervisord.conf; `%` is its own sign for expansions and is doubled.

    Variables are not in it, as its syntax has no way to write every value: services inherit
    supervisord's own.
    """
    head = f"""\
[unix_http_server]
file={_escaped(run / "supervisor.sock")}
chmod=0600
[supervisord]
logfile={_escaped(run / "supervisord.log")}
pidfile={_escaped(run / "supervisord.pid")}
childlogdir={_escaped(run)}
umask=022
minfds=4096
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{_escaped(run / "supervisor.sock")}
"""
    return head + "".join(_program(service, run) for service in all_services)


def _program(service: Service, run: Path) -> str:
    return f"""\
[program:{service.name}]
command={" ".join(_quoted(word) for word in service.argv)}
priority={service.place}
autorestart=true
startsecs=1
startretries=1000
stopwaitsecs={service.stop_seconds}
redirect_stderr=true
stdout_logfile={_escaped(run / f"{service.name}.log")}
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=2
"""


def unit_name(environment: str, service: str) -> str:
    """`environment` is its id: two environments may have the same name."""
    return f"dayfly-{environment}-{service}.service"


def systemd_units(
    all_services: Sequence[Service], environment: str, env: Mapping[str, str]
) -> dict[str, str]:
    """Unit files by name. Machines live on when a service ends: only its main process is killed."""
    return {
        unit_name(environment, service.name): f"""\
[Unit]
Description=Dayfly {environment}: {service.what}
After={" ".join(("network-online.target", *service.after))}
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart={" ".join(_systemd_word(word) for word in service.argv)}
{_systemd_environment(env)}
Restart=always
RestartSec=100ms
KillMode=process
TimeoutStopSec={service.stop_seconds}
LimitNOFILE=65536
Delegate=yes

[Install]
WantedBy=multi-user.target
"""
        for service in all_services
    }


def _systemd_environment(env: Mapping[str, str]) -> str:
    return "\n".join(f"Environment={_systemd_word(f'{key}={value}')}" for key, value in env.items())


def _systemd_word(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def _quoted(word: object) -> str:
    escaped = _escaped(word).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _escaped(word: object) -> str:
    return str(word).replace("%", "%%")
