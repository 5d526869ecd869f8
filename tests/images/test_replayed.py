"""Images that are built again, with another version of the app and other secrets."""

from dataclasses import replace
from pathlib import Path

import pytest

from dayfly.command import output_of
from dayfly.config.image import ImageRecipe, Provision
from dayfly.images.lock import Lock
from dayfly.images.salt import salt_of, salted
from workshop import inside, workshop

PYPROJECT = """\
[build-system]
requires = ["setuptools>=70"]
build-backend = "setuptools.build_meta"
[project]
name = "orders"
version = "1.0"
dependencies = ["six"]
[tool.setuptools]
py-modules = ["app"]
"""


@pytest.mark.docker
def test_a_lock_counts_for_what_the_app_needs_and_neither_for_itself_nor_its_build() -> None:
    own = {"six": "1.16.0", "setuptools": "66.1.1"}  # the latter is older than the build needs
    recipe = ImageRecipe(provision=(Provision(shell="true"),), lock="image.lock")
    with workshop("docker") as shop:
        shop.project.write("pyproject.toml", PYPROJECT)
        shop.project.write("image.lock", Lock(pip=own).text)
        made = shop.builder.contents(shop.build(replace(shop.app("pip install ."), image=recipe)))
        told = "\n".join(shop.lines)

    assert own.items() <= made.pip.items()
    assert made.pip["orders"] == "1.0"
    assert made.lock.pip == {"six": "1.16.0"}
    assert not any(name.startswith("opt/dayfly") for name in made.files)
    assert "the lock has no version for what apt installed: " in told


@pytest.mark.docker
def test_a_secret_that_changes_is_seen_and_what_a_step_is_told_is_kept_nowhere() -> None:
    step = Provision(shell='printf %s "$TOKEN" | sha256sum > /etc/token.hash', secrets=("TOKEN",))
    files = Provision(files={"conf": "/etc/orders"})
    recipe = ImageRecipe(provision=(Provision(shell="date +%N > /etc/first"), files, step))
    registry = "https://ana:s3cr3t@packages.example.org"
    told = {"TOKEN": "one"}
    with workshop("docker") as shop:
        inherited = {"NPM_CONFIG_REGISTRY": registry, "https_proxy": "http://ana:hidden@x.invalid"}
        shop.builder = replace(shop.builder, inherited=inherited, secrets=lambda _app, _names: told)
        build = 'env | sort | grep -o "=http.*" > names; test -z "$FTP_PROXY"'
        app = replace(shop.app(build), image=recipe)
        shop.project.write("conf/a/plain", "x")
        for name, target in (("conf/b", "a/plain"), ("conf/a/c", "../a/plain"), ("conf/d", "/etc")):
            (shop.project.folder / name).symlink_to(target)
        first = shop.build(app)
        told["TOKEN"] = "two"
        other = shop.build(app)
        one, two = (inside(image, "cat /etc/first /etc/token.hash") for image in (first, other))
        seen = inside(other, "cat names")
        links = inside(other, "cd /etc/orders; readlink b a/c d; cat b a/c")
        kept = output_of(["docker", "history", "--no-trunc", other.reference])

    assert one.split()[0] == two.split()[0]
    assert one != two
    assert seen.split() == [f"={value}" for value in inherited.values()]
    assert links.split() == ["a/plain", "../a/plain", "/etc", "xx"]
    assert "s3cr3t" not in kept
    assert "hidden" not in kept


def test_the_name_of_secrets_tells_nobody_else_what_they_are(tmp_path: Path) -> None:
    own, others = salt_of(tmp_path / "one"), salt_of(tmp_path / "other")
    secrets = {"TOKEN": "one"}

    assert salted(secrets, own) == salted(dict(secrets), salt_of(tmp_path / "one"))
    assert salted(secrets, own) != salted({"TOKEN": "two"}, own)
    assert salted(secrets, own) != salted(secrets, others)
    assert salted({}, own) == ""
    assert (tmp_path / "one/.salt").stat().st_mode & 0o077 == 0
