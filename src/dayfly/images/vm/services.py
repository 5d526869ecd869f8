"""What a VM starts: units of systemd for an app's processes, and all else of our own in it."""

from collections.abc import Mapping
from dataclasses import dataclass

from dayfly.images.builder import BuildError

OWN = "/usr/lib/dayfly"  # our files in it
KEPT = "/var/lib/dayfly"  # folders of the app that are written to
RUN = "/run/dayfly"
LABEL = "DAYFLY"  # of a drive that brings secrets
SECRETS = "/etc/dayfly/secrets"  # where they lie without one
_UNSET = (
    "LANG LOGNAME USER SHELL INVOCATION_ID JOURNAL_STREAM SYSTEMD_EXEC_PID MEMORY_PRESSURE_WATCH"
    " MEMORY_PRESSURE_WRITE"
)
_MORE = "etc/systemd/system"
_FOLDERS_UNIT = ".folders.service"  # names that no process can have have a dot


@dataclass(frozen=True, kw_only=True)
class Service:
    """One process of the app, and how machines of other runtimes would start it."""

    name: str  # web, worker, …
    launch: str  # what its shim reads; no secret is in it
    alone: bool  # SIGTERM goes to its first process only
    memory: int | None = None  # bytes
    cpus: float | None = None


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What makes a VM of an image."""

    app: str
    release: int
    shim: str
    services: tuple[Service, ...]
    user: tuple[str, ...]  # words of setpriv
    workdir: str
    tasks: int  # processes and threads that one service may have
    grace: float  # seconds between SIGTERM and SIGKILL
    secrets: tuple[str, ...] = ()  # names
    folders: tuple[str, ...] = ()  # below the workdir, that it writes to
    with_ssh: bool = False

    @property
    def host(self) -> str:
        return f"{self.app}-{self.release}"


def user_words(user: str, users: Mapping[str, str]) -> tuple[str, ...]:
    """An image's `USER` for setpriv, as docker understands it; BuildError where nobody is meant."""
    name, _, group = user.partition(":")
    name = name or "0"
    by_number = {about.split(":")[0]: known for known, about in users.items()}
    known = name if name in users else by_number.get(name)
    if known is None and not name.isdecimal():
        raise BuildError(f"the image runs as {name!r}, whom its /etc/passwd doesn't have")
    number, own = users[known].split(":")[:2] if known else (name, "0")
    groups = "--init-groups" if known and not group else f"--groups={group or own}"
    return (f"--reuid={number}", f"--regid={group or own}", groups)


def files_of(recipe: Recipe, kernel: str, root: str) -> dict[str, str]:
    """Text by path; `kernel` is the version, `root` the file system's name."""
    texts = {
        "etc/fstab": f"UUID={root} / ext4 defaults,errors=remount-ro 0 1\n",
        "etc/hostname": f"{recipe.host}\n",
        "etc/hosts": f"127.0.0.1 localhost\n127.0.1.1 {recipe.host}\n::1 localhost\n",
        "etc/machine-id": "",  # each gets one when it first starts
        "boot/grub/grub.cfg": _grub(kernel, root),
        "etc/systemd/network/80-dayfly.network": _NETWORK,
        f"{_MORE}/systemd-networkd-wait-online.service.d/dayfly.conf": _WAIT,
        f"{OWN}/shim": recipe.shim,
        f"{OWN}/secrets": _SECRETS,
        f"{OWN}/folders": _FOLDERS,
        f"{_MORE}/{recipe.app}{_FOLDERS_UNIT}": _folders_of(recipe),
    }
    if recipe.with_ssh:
        texts[f"{_MORE}/ssh.service.d/dayfly.conf"] = _HOST_KEYS
    for service in recipe.services:
        unit = f"{_MORE}/{recipe.app}-{service.name}"
        texts[f"{OWN}/{service.name}.launch"] = service.launch
        texts[f"{unit}.service"] = unit_of(recipe, service)
        texts[f"{unit}.output.service"] = _output_of(recipe, service)
    return {path.lstrip("/"): text for path, text in texts.items()}


def links_of(recipe: Recipe) -> dict[str, str]:
    """Links, by path, to where they lead."""
    units = [
        "/lib/systemd/system/systemd-networkd.service",
        "/lib/systemd/system/systemd-resolved.service",
        *(f"/{_MORE}/{recipe.app}-{service.name}.service" for service in recipe.services),
    ]
    wait = "systemd-networkd-wait-online.service"
    return {
        "etc/resolv.conf": "/run/systemd/resolve/resolv.conf",
        f"{_MORE}/network-online.target.wants/{wait}": f"/lib/systemd/system/{wait}",
        **{f"{_MORE}/multi-user.target.wants/{unit.rsplit('/')[-1]}": unit for unit in units},
    }


def unit_of(recipe: Recipe, service: Service) -> str:
    """The app sees what it sees in a container: a root that is read-only, and a /tmp of its own."""
    output, folders = f"{recipe.app}-{service.name}.output.service", f"{recipe.app}{_FOLDERS_UNIT}"
    binds = (
        f"BindPaths={KEPT}/{path}:{recipe.workdir.rstrip('/')}/{path}" for path in recipe.folders
    )
    lines = [
        "[Unit]",
        f"Description={recipe.app} {service.name}, release {recipe.release}",
        f"After=network-online.target {output} {folders}",
        "Wants=network-online.target",
        f"Requires={output} {folders}",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        f"ExecStartPre=+/bin/sh {OWN}/secrets {' '.join(recipe.secrets)}".rstrip(),
        f"EnvironmentFile=-{RUN}/secrets",
        f"UnsetEnvironment={_UNSET}",
        f"ExecStart={_command(recipe, service)}",
        f"WorkingDirectory={recipe.workdir}",
        "Restart=always",
        "RestartSec=2",
        f"KillMode={'mixed' if service.alone else 'control-group'}",
        f"TimeoutStopSec={recipe.grace:g}",
        "ProtectSystem=strict",
        "ProtectHome=no",
        f"ReadWritePaths={RUN}",
        "TemporaryFileSystem=/tmp:mode=1777,nosuid,nodev",
        *binds,
        f"TasksMax={recipe.tasks}",
        *([f"MemoryMax={service.memory}", "MemorySwapMax=0"] if service.memory else []),
        *([f"CPUQuota={service.cpus * 100:g}%"] if service.cpus else []),
        "",
    ]
    return "\n".join(lines)


def _folders_of(recipe: Recipe) -> str:
    """What is bound has to be there before the unit that binds it does anything."""
    words = (recipe.workdir, *recipe.user[:2], *recipe.folders)
    return f"""\
[Unit]
Description=folders that {recipe.app} writes to

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh {OWN}/folders {" ".join(words)}
"""


def _command(recipe: Recipe, service: Service) -> str:
    rights = ("--no-new-privs", "--bounding-set=-all", "--inh-caps=-all")
    told = (f"{OWN}/shim", f"{OWN}/{service.name}.launch", _pipe(service))
    return " ".join(("/usr/bin/setpriv", *recipe.user, *rights, "/bin/sh", *told))


def _pipe(service: Service) -> str:
    return f"{RUN}/{service.name}.output"


def _output_of(recipe: Recipe, service: Service) -> str:
    """Outlives the process: what it said last is read, too."""
    pipe, (user, *_) = _pipe(service), recipe.user
    owner = user.partition("=")[2]
    make = f"mkdir -p {RUN}; [ -p {pipe} ] || mkfifo -m 600 {pipe}; chown {owner} {pipe}"
    return f"""\
[Unit]
Description=what {recipe.app} {service.name} says

[Service]
ExecStartPre=/bin/sh -c '{make}'
ExecStart=/bin/sh -c 'exec cat <>{pipe}'
StandardOutput=journal+console
SyslogIdentifier={recipe.app}-{service.name}
Restart=always
"""


def _grub(kernel: str, root: str) -> str:
    options = f"root=UUID={root} ro console=tty0 console=ttyS0,115200 panic=30"
    return f"linux /boot/vmlinuz-{kernel} {options}\ninitrd /boot/initrd.img-{kernel}\nboot\n"


_NETWORK = "[Match]\nType=ether\n\n[Network]\nDHCP=yes\n"
_WAIT = """\
[Service]
ExecStart=
ExecStart=/lib/systemd/systemd-networkd-wait-online --any --timeout=30
"""
_HOST_KEYS = """\
[Service]
ExecStartPre=
ExecStartPre=/usr/bin/ssh-keygen -A
ExecStartPre=/usr/sbin/sshd -t
"""
_SECRETS = f"""\
#!/bin/sh
# secrets NAME...: lay out what the app may know, from the file `secrets` of a drive with the label
# {LABEL}, else from {SECRETS}. It has lines NAME=value, quoted as systemd's EnvironmentFile reads.
set -eu
umask 022
mkdir -p {RUN}
exec 9>{RUN}/secrets.lock
flock 9
umask 077
udevadm settle --timeout=5 || true
drive=$(blkid -L {LABEL} || true)
: >{RUN}/secrets.new
if [ "$drive" ]; then
    mkdir -p {RUN}/drive
    mount -o ro "$drive" {RUN}/drive
    cat {RUN}/drive/secrets >{RUN}/secrets.new || true
    umount {RUN}/drive
elif [ -f {SECRETS} ]; then
    cat {SECRETS} >{RUN}/secrets.new
fi
mv {RUN}/secrets.new {RUN}/secrets
missing=
for name in "$@"; do
    grep -q "^$name=" {RUN}/secrets || missing="$missing $name"
done
if [ "$missing" ]; then
    message="no value for the secret$missing: neither a drive {LABEL} nor {SECRETS} has it"
    echo "$message"
    echo "dayfly: $message" >/dev/console || true
    exit 1
fi
"""
_FOLDERS = f"""\
#!/bin/sh
# folders WORKDIR --reuid=N --regid=N PATH...: folders that the app writes to, with what the image
# has in them at first.
set -eu
workdir=$1 user=${{2#--reuid=}} group=${{3#--regid=}}
shift 3
for path in "$@"; do
    [ -e "{KEPT}/$path" ] && continue
    mkdir -p "{KEPT}/$path" "$workdir/$path"
    cp -a "$workdir/$path/." "{KEPT}/$path/"
    chown -R "$user:$group" "{KEPT}/$path"
done
"""
