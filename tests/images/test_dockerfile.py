"""The Dockerfile of an app that is built by steps."""

from pathlib import Path

import pytest

from dayfly.images.dockerfile import (
    CA_BUNDLE,
    arguments_of,
    ca_bundle_of,
    instructions_of,
    without_credentials,
)
from dayfly.images.progress import Progress
from dayfly.images.repeatable import REPEATABLE


def text_of(steps: tuple[str, ...], known: tuple[tuple[str, ...], ...]) -> str:
    made = instructions_of(("base:1",), steps, known, arguments=("B", "A"))
    return "\n".join(line.text for line in made[6:])


def test_a_leading_step_gets_only_the_files_it_reads() -> None:
    steps = ("pip install -r reqs/web.txt", 'echo "$HOME"')
    assert text_of(steps, (("reqs/web.txt",),)).splitlines()[:5] == [
        "ARG A B",
        'COPY ["app/reqs/web.txt", "/app/reqs/web.txt"]',
        'RUN ["sh", "-e", "-c", "pip install -r reqs/web.txt"]',
        'COPY ["app/", "/app/"]',
        'RUN ["sh", "-e", "-c", "echo \\"$HOME\\""]',
    ]


def test_nobody_is_root_in_the_end_and_no_history_is_left() -> None:
    lines = text_of((), ()).splitlines()
    assert lines[-1] == "USER 10001:10001"
    assert lines[-2].startswith("RUN rm -rf .git && ")


def test_paths_of_this_machine_mean_nothing_in_a_container() -> None:
    inherited = {
        "PATH": "/bin",
        "PIP_INDEX_URL": "https://packages.example.org",
        "PIP_FIND_LINKS": "/opt/wheels",
        "PIP_CERT": "/somewhere/ca.pem",
        "SSL_CERT_DIR": "/somewhere",
        "https_proxy": "http://proxy.example.org:3128",
    }
    assert arguments_of(inherited, {"MODE": "/production"}) == {
        "PIP_INDEX_URL": "https://packages.example.org",
        "PIP_CERT": CA_BUNDLE,
        "https_proxy": "http://proxy.example.org:3128",
        **REPEATABLE,
        "MODE": "/production",
    }


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("PIP_INDEX_URL", "https://ana:pw@x.org/simple", "https://x.org/simple"),
        ("PIP_EXTRA_INDEX_URL", "https://a:b@x.org https://c@y.org", "https://x.org https://y.org"),
        ("PIP_TIMEOUT", "60", "60"),
        ("NPM_CONFIG_EMAIL", "ana@x.org", "ana@x.org"),
        ("NPM_CONFIG__AUTH", "YW5hOnB3", ""),
        ("UV_INDEX_OURS_PASSWORD", "pw", ""),
        ("https_proxy", "http://ana:pw@x.org", "http://ana:pw@x.org"),  # docker keeps it nowhere
    ],
)
def test_an_image_says_nothing_that_opens_a_registry(name: str, value: str, shown: str) -> None:
    assert without_credentials({name: value}) == {name: shown}


def test_our_certificates_are_those_we_were_told_to_trust(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    assert ca_bundle_of({}) is None
    assert (
        ca_bundle_of({"PIP_CERT": str(tmp_path / "gone"), "SSL_CERT_FILE": str(bundle)}) == bundle
    )


def test_what_docker_prints_is_told_as_the_apps_steps() -> None:
    made = instructions_of(("base:1",), ("pip install six", "make"), ((),), arguments=())
    told: list[str] = []
    progress = Progress(made, told.append)
    printed = [
        "DEPRECATED: The legacy builder is deprecated and will be removed in a future release.",
        "Sending build context to Docker daemon  4.096kB",
        "Step 1/12 : FROM base:1",
        " ---> 0123456789ab",
        "Step 7/12 : RUN pip install six",
        " ---> Using cache",
        " ---> 1123456789ab",
        "Step 8/12 : COPY app/ /app/",
        " ---> 2123456789ab",
        "Step 9/12 : RUN make",
        " ---> Running in 3123456789ab",
        "make: *** No targets.  Stop.",
        "Removing intermediate container 3123456789ab",
        "The command 'sh -e -c make' returned a non-zero code: 2",
    ]
    for line in printed:
        progress.line(line)
    assert told == [
        "build step 1 of 2 is unchanged: pip install six",
        "build step 2 of 2: make",
        "make: *** No targets.  Stop.",
    ]
    assert progress.failure() == "build step 2 of 2, 'make', failed: exit status 2"
    assert progress.tail == ["make: *** No targets.  Stop."]
    assert progress.unfinished == ["2123456789ab"]
