"""The Dockerfile of an app that is built by steps, as text."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dayfly.images.repeatable import REPEATABLE

CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"  # in the image: where Debian's programs look
OWN = "/opt/dayfly-build"  # in the build: our scripts, certificates, and versions that pip takes
CARRIED = "/opt/dayfly-made"  # in the build: what steps wrote elsewhere
# What is empty comes last: docker's builder can't copy onto a layer that is.
_TAKEN = (("/opt/venv", "/opt/venv"), ("/app", "/app"), (CARRIED, "/"))
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
    starts: Sequence[str] = (),
) -> tuple[Instruction, ...]:
    """Leading steps get only the files they read, so that docker's cache knows them again.

    The context holds the source in `app/` and, where there are steps, our own files in `own/`.
    Without steps there is no virtual environment: nobody would put anything into it.
    Arguments are for the build alone: the image keeps no variable but PATH and VIRTUAL_ENV.
    But it keeps their history, where whoever has it reads them; only proxies are not in it.
    In SEALED, where it is one, steps find others, as a shell declares them.
    With a second base the steps' tools stay behind: it gets the app, its virtual environment, and
    what steps wrote elsewhere, but no Debian packages, which are told.
    `starts` are instructions that say what a base starts whose layers don't know it: they were
    made as root, and come last, since docker's cache never knows an emptied ENTRYPOINT again.
    For each instruction docker makes a container and removes it, so what can be one is one.
    """
    base, *below = bases
    lines = [
        *_begun(base),
        *(() if starts else (Instruction("USER 0"),)),
        *_declared({*arguments} & {*REPEATABLE}),
    ]
    if steps:
        lines += (Instruction(f"COPY own/ {OWN}/"), Instruction(f"RUN sh -e {OWN}/begin.sh"))
    lines += _declared({*arguments} - {*REPEATABLE})
    runs = _runs(steps, UNSEAL if SEALED in arguments else "")
    for run, inputs in zip(runs, known, strict=False):
        lines += (_copy(f"app/{name}", f"/app/{name}") for name in inputs)
        lines.append(run)
    lines += [SOURCE, *runs[len(known) :]]
    end = f"sh -e {OWN}/end.sh{f' {CARRIED}' if below else ''}" if steps else "rm -rf .git"
    lines.append(Instruction(f"RUN {end} && {{ {_COMPILE}; }}"))
    if below:
        lines += [Instruction("RUN mkdir -p /opt/venv"), *_begun(below[0])]
        lines += (Instruction(f"COPY --from=0 {place} {to}") for place, to in _TAKEN)
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
