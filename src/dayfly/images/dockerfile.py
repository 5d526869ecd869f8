"""The Dockerfile of an app that is built by steps, as text."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dayfly.images.repeatable import REPEATABLE

CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"  # in the image: where Debian's programs look
LOCK = "/opt/dayfly-lock"  # in the build: versions that pip takes
USER = 10001  # runs the app: no root in a machine, and no user of a host

_CA_VARIABLES = frozenset({
    "SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
})  # fmt: skip
_OURS_ONLY = frozenset({"PATH", "LANG", "LC_ALL", "SSL_CERT_DIR"})
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# docker knows these undeclared, and shows them to nobody who looks at the image later.
PROXY = re.compile(r"(https?|ftp|no|all)_proxy", re.IGNORECASE)
# One that hardly anybody has tells steps what must not be read in an image's history.
SEALED = "FTP_PROXY"
UNSEAL = f'eval "${SEALED}"; '
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
_OF_SECRETS = re.compile("auth|key|passw|secret|token", re.IGNORECASE)  # names of variables
_COMPILE = (
    "command -v python3 >/dev/null && "
    r"python3 -m compileall -qq -x '/(node_modules|\.git)/' . || true"
)
# What brought packages into the virtual environment is no part of it, unless one of them asks.
_NO_PIP = (
    "for place in /opt/venv/lib/python3*/site-packages; do "
    "grep -hsiE '^Requires-Dist: *pip *([^a-z0-9._ -]|$)' \"$place\"/*.dist-info/METADATA | "
    "grep -qv 'extra *==' || "
    'rm -rf "$place"/pip "$place"/pip-*.dist-info /opt/venv/bin/pip /opt/venv/bin/pip3*; done'
)
_BEGAN = "/opt/venv/pyvenv.cfg"  # was written just before the steps
_LEFT = (
    f"if [ -e {_BEGAN} ] && [ -d /var/lib/dpkg/info ]; then "
    "set -- $(cd /var/lib/dpkg/info; "
    f"find . -name '*.list' -cnewer {_BEGAN} | sed 's/^..//; s/[.]list$//; s/:.*//' | sort); "
    '[ $# = 0 ] || echo "Debian packages that build steps install are not in the image:" '
    '"$* (what the app needs belongs to provision under [image], the rest to tools)"; fi'
)


@dataclass(frozen=True)
class Instruction:
    text: str
    step: str = ""  # of an app's own step: its command
    title: str = ""


SOURCE = Instruction('COPY ["app/", "/app/"]')


def instructions_of(
    bases: Sequence[str],
    steps: Sequence[str],
    known: Sequence[tuple[str, ...]],
    *,
    arguments: Sequence[str],
    ca_bundle: bool,
    starts: Sequence[str] = (),
) -> tuple[Instruction, ...]:
    """Leading steps get only the files they read, so that docker's cache knows them again.

    The context holds the source in `app/`, `ca.crt` with `ca_bundle`, and `lock/` with an
    argument PIP_CONSTRAINT.
    Arguments are for the build alone: the image keeps no variable but PATH and VIRTUAL_ENV.
    But it keeps their history, where whoever has it reads them; only proxies are not in it.
    In SEALED, where it is one, steps find others, as a shell declares them.
    With a second base the steps' tools stay behind: it gets the app and its virtual environment,
    but no certificates; Debian packages that steps installed themselves are told.
    `starts` are instructions that say what a base starts whose layers don't know it: they were
    made as root, and come last, since docker's cache never knows an emptied ENTRYPOINT again.
    For each instruction docker makes a container and removes it, so what can be one is one.
    """
    base, *below = bases
    lines = [
        *_begun(base),
        *(() if starts else (Instruction("USER 0"),)),
        *_declared({*arguments} & {*REPEATABLE}),
        Instruction("RUN ! command -v python3 >/dev/null || python3 -m venv /opt/venv"),
    ]
    if ca_bundle:
        lines.append(Instruction(f"COPY ca.crt {CA_BUNDLE}"))
    constrained = "PIP_CONSTRAINT" in arguments
    if constrained:
        lines.append(Instruction(f"COPY lock/ {LOCK}/"))
    lines += _declared({*arguments} - {*REPEATABLE})
    runs = _runs(steps, UNSEAL if SEALED in arguments else "")
    for run, inputs in zip(runs, known, strict=False):
        lines += (_copy(f"app/{name}", f"/app/{name}") for name in inputs)
        lines.append(run)
    lines += [SOURCE, *runs[len(known) :]]
    own = f" {LOCK}" if constrained else ""
    left = (_LEFT,) if below else ()
    lines.append(Instruction(f"RUN {'; '.join((f'rm -rf .git{own}', _NO_PIP, *left, _COMPILE))}"))
    if below:
        lines += [Instruction("RUN mkdir -p /opt/venv"), *_begun(below[0])]
        lines += (Instruction(f"COPY --from=0 {path} {path}") for path in ("/opt/venv", "/app"))
    lines += (Instruction(text) for text in starts)
    return (*lines, Instruction(f"USER {USER}:{USER}"))


def labels_of(labels: Mapping[str, str]) -> Instruction:
    words = (f"{name}={json.dumps(labels[name])}" for name in labels)
    return Instruction(f"LABEL {' '.join(words)}")


def _declared(names: Collection[str]) -> list[Instruction]:
    told = sorted(name for name in names if not PROXY.fullmatch(name))
    return [Instruction(f"ARG {' '.join(told)}")] if told else []


def _begun(base: str) -> list[Instruction]:
    """The stages have no names: docker knows the first by its number."""
    return [
        Instruction(f"FROM {base}"),
        Instruction(f"ENV VIRTUAL_ENV=/opt/venv PATH=/opt/venv/bin:${{PATH:-{_DEFAULT_PATH}}} "),
        Instruction("WORKDIR /app"),
    ]


def arguments_of(inherited: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str]:
    """What a build in a container may know of our environment: nothing that is a path of ours."""
    ours = {
        name: CA_BUNDLE if name in _CA_VARIABLES else value
        for name, value in inherited.items()
        if name not in _OURS_ONLY and (name in _CA_VARIABLES or not value.startswith("/"))
    }
    return {**ours, **REPEATABLE, **env}


def without_credentials(arguments: Mapping[str, str]) -> dict[str, str]:
    """Arguments as anybody may read them, apart from proxies."""
    return {
        name: value if PROXY.fullmatch(name) else _shown(name, value)
        for name, value in arguments.items()
    }


def _shown(name: str, value: str) -> str:
    return "" if _OF_SECRETS.search(name) else _CREDENTIALS.sub("", value)


def ca_bundle_of(inherited: Mapping[str, str]) -> Path | None:
    """The certificates we were told to trust, where that is said."""
    named = (Path(inherited[name]) for name in sorted(_CA_VARIABLES) if inherited.get(name))
    return next((path for path in named if path.is_file()), None)


def _runs(steps: Sequence[str], begin: str) -> list[Instruction]:
    commands = (json.dumps(["sh", "-e", "-c", begin + step]) for step in steps)
    return [
        Instruction(f"RUN {command}", step, f"build step {n} of {len(steps)}")
        for n, (command, step) in enumerate(zip(commands, steps, strict=True), start=1)
    ]


def _copy(origin: str, to: str) -> Instruction:
    return Instruction(f"COPY {json.dumps([origin, to])}")
