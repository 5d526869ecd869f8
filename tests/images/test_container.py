"""Images of the docker runtime that come from the app's own Dockerfile, and what they leave."""

import subprocess
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from dayfly.clock import Stop, wait_until
from dayfly.config.app import App, Build
from dayfly.config.image import ImageRecipe
from dayfly.environment.processes import pids_of
from dayfly.images.atwork import AtWork
from dayfly.images.base import BASE
from dayfly.images.bases import base_of
from dayfly.images.builder import BuildError
from dayfly.images.container import ContainerBuilder
from dayfly.images.exported import contents_of_image
from dayfly.images.lock import Lock
from workshop import STEPS, Workshop, inside, workshop

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def shop() -> Iterator[Workshop]:
    with workshop("docker") as made:
        made.build(made.app("true"))  # makes the base, and what steps stand on
        yield made


def docker(*words: str) -> str:
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=True).stdout


def sources(image: str) -> str:
    """Every app.py in an image, which may be gone again."""
    find = ["--entrypoint=find", image, "/", "-xdev", "-name", "app.py", "-exec", "cat", "{}", "+"]
    done = subprocess.run(
        ["docker", "run", "--rm", "--network=none", "--user=0", *find],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout


def test_an_apps_own_dockerfile_is_built_as_it_is(shop: Workshop) -> None:
    dockerfile = f"FROM {BASE}\nARG https_proxy\nCOPY app.py /srv/\nRUN echo own words\nUSER 33\n"
    shop.project.write("deploy/Dockerfile", dockerfile)
    shop.project.write(".dockerignore", ".git\n")
    image = shop.build(App(app="orders", build=Build(dockerfile="deploy/Dockerfile")))
    assert inside(image, "id -u; ls /srv").split() == ["33", "app.py"]
    assert any("own words" in line for line in shop.lines)


@pytest.mark.parametrize("name", ["../Dockerfile", "/etc/passwd", "missing"])
def test_a_dockerfile_lies_in_the_source(shop: Workshop, name: str) -> None:
    with pytest.raises(BuildError, match="the source has no file"):
        shop.build(App(app="orders", build=Build(dockerfile=name)))


def test_an_image_runs_as_nobody_and_keeps_no_setting_of_the_build(shop: Workshop) -> None:
    image = shop.build(shop.app(*STEPS, env={"MODE": "production"}))
    assert inside(image, "id -u") == "10001"
    names = {line.partition("=")[0] for line in inside(image, "env").splitlines()}
    assert names == {"HOSTNAME", "HOME", "PATH", "VIRTUAL_ENV", "PWD"}


# A gem, a user, and a program: what people install where their tools put it.
ELSEWHERE = """\
mkdir -p /var/lib/gems "/srv/some data" && echo gem > /var/lib/gems/mine
useradd --create-home worker && echo model > "/srv/some data/model" && ln -s "/srv/some data" data
printf '#!/bin/sh\necho told' > /usr/local/bin/tool && chmod 755 /usr/local/bin/tool
mkdir -p /root/.cache && echo secret > /root/.cache/token
"""


def test_an_image_has_what_its_steps_made_wherever_and_not_what_they_made_it_with(
    shop: Workshop,
) -> None:
    apt = "apt-get -qq update && apt-get -qq install -y --no-install-recommends xxd"
    image = shop.build(shop.app(*STEPS, "git rev-parse HEAD > commit", apt, ELSEWHERE))

    made = "tool; cat /var/lib/gems/mine data/model; id -un worker; stat -c %U:%a /home/worker"
    assert inside(image, made).split() == ["told", "gem", "model", "worker", "worker:755"]
    tools = "command -v git pip3 pip xxd; ls -A /opt; cat commit; python3 -c 'import six'"
    assert inside(image, tools).split() == ["venv", image.commit]
    files = shop.builder.contents(image).files
    bundle = next(name for name in files if name.endswith("certs/ca-certificates.crt"))
    assert files[bundle] == contents_of_image(BASE).files[bundle], "as it was before the build"
    assert "root/.cache/token" not in files
    told = "Debian packages that build steps install are not in the image: xxd "
    assert any(told in line for line in shop.lines)
    assert shop.builder.contents(image).pip.keys() == {"six", "setuptools"}

    image = shop.build(shop.app("pip install pip-api==0.0.34"))
    assert inside(image, "pip --version").startswith("pip ")
    assert not any("Debian packages" in line for line in shop.lines)


def test_a_build_that_is_stopped_leaves_no_image_with_the_source(shop: Workshop) -> None:
    leading = "pip install six==1.14.0"
    shop.build(shop.app(leading))  # so that the time is for what comes after it
    source = f"print({uuid4().hex!r})\n"
    shop.project.write("app.py", source)
    app = shop.app(leading, "test -f awake || sleep 300", deadline=10)
    with pytest.raises(BuildError) as failed:
        shop.build(app)

    named = "build step 2 of 2, 'test -f awake || sleep 300', did not end before the deadline"
    assert failed.value.message.startswith(named)
    dangling = docker("image", "ls", "--quiet", "--filter=dangling=true").split()
    assert [image for image in dangling if source in sources(image)] == []


def test_a_lock_is_for_the_machine_and_names_what_it_has_not_got(shop: Workshop) -> None:
    """Debian ties tools to the newest Python, which the lock may not have."""
    old = Lock(apt={"python3.11": "3.11.2-6", "python3.11-minimal": "3.11.2-6"})
    shop.project.write("image.lock", old.text)
    app = replace(shop.app("true"), image=ImageRecipe(lock="image.lock"))
    with pytest.raises(BuildError, match="not what the lock says: python3") as failed:
        shop.build(app)

    assert "3.11.2-6" in failed.value.message
    assert not any("for the build alone" in line for line in shop.lines)


def test_an_image_that_is_removed_leaves_nothing_that_its_steps_made(shop: Workshop) -> None:
    image = shop.build(shop.app("pip install six==1.13.0", env={"TURN": uuid4().hex}))
    assert isinstance(shop.builder, ContainerBuilder)
    tags = f"--filter=reference=dayfly-{shop.builder.environment}/orders:*{image.key}"
    assert len(docker("image", "ls", "--quiet", tags).split()) == 2
    (known,) = docker("image", "ls", "--quiet", tags.replace(":*", ":steps-*")).split()
    shop.builder.remove(image)
    assert docker("image", "ls", "--quiet", tags) == ""
    assert known not in docker("image", "ls", "--quiet", "--all").split()


def test_a_dockerignore_of_the_app_is_for_its_dockerfile_only(shop: Workshop) -> None:
    shop.project.write(".dockerignore", "*\n")
    image = shop.build(shop.app())
    assert inside(image, "ls app.py") == "app.py"


def test_a_failed_build_leaves_no_image_with_the_source(shop: Workshop) -> None:
    def there() -> set[str]:
        return set(docker("image", "ls", "--quiet", "--all").split())

    shop.build(shop.app("true"))
    before = there()
    source = f"print({uuid4().hex!r})\n"
    shop.project.write("app.py", source)
    with pytest.raises(BuildError):
        shop.build(shop.app("exit 47"))
    # Other tests build images at the same time, so new ones are asked for this source.
    assert [image for image in there() - before if source in sources(image)] == []
    assert "exit 47" not in docker("ps", "--all", "--no-trunc", "--format={{.Command}}")


def test_what_a_server_that_died_has_left_building_ends_at_the_next_start(shop: Workshop) -> None:
    app = App(app="orders", build=Build(dockerfile="Dockerfile"))
    seconds = f"3{uuid4().int % 10**6}"
    shop.project.write("Dockerfile", f"FROM {BASE}\nRUN sleep {seconds}\n")
    with ThreadPoolExecutor(1) as pool:
        building = pool.submit(shop.build, app)
        wait_until(lambda: pids_of(["sleep", seconds]), seconds=60, what="the step begins")
        shop.builder.sweep()
        assert isinstance(building.exception(60), BuildError)
    wait_until(lambda: not pids_of(["sleep", seconds]), seconds=30, what="the end of the step")


def test_a_container_in_which_a_server_that_died_built_goes_at_the_next_start(
    shop: Workshop,
) -> None:
    assert isinstance(shop.builder, ContainerBuilder)
    image = shop.build(shop.app())
    left, other = (
        f"dayfly-build-{name}-orders" for name in (shop.builder.environment, uuid4().hex[:8])
    )
    try:
        for name in (left, other):
            docker("run", "--detach", f"--name={name}", image.reference, "sleep", "300")
        shop.builder.sweep()
        names = docker("container", "ls", "--all", "--format={{.Names}}").split()
        assert left not in names
        assert other in names
    finally:
        docker("rm", "--force", left, other)


def test_images_of_others_are_not_ours(shop: Workshop) -> None:
    image = shop.build(shop.app())
    with workshop("docker") as other:
        assert other.builder.images() == ()
        other.builder.remove(image)
    assert shop.builder.find("orders", image.commit) is not None


def test_a_tarball_of_the_source_is_a_base_and_known_again(tmp_path: Path) -> None:
    archive = tmp_path / "ops/base.tar"
    archive.parent.mkdir()
    with tarfile.open(archive, "w") as tar:
        (tmp_path / "motd").write_text(uuid4().hex)
        tar.add(tmp_path / "motd", "etc/motd")

    def base() -> str:
        return base_of("ops/base.tar", tmp_path, tmp_path, print, Stop()).name

    name = base()
    try:
        assert base() == name
        assert "etc/motd" in contents_of_image(name).files
    finally:
        docker("image", "rm", name)


def test_layers_are_left_alone_while_an_app_is_built() -> None:
    at_work = AtWork()
    with at_work.on("orders"):
        with at_work.nobody_on("orders") as free:
            assert not free
        with at_work.nobody_on("shop") as free:
            assert free
    with at_work.nobody_on("orders") as free:
        assert free
