"""Images that are built again from their lock: the same commit is the same image, bit by bit."""

from dataclasses import replace

import pytest

from dayfly.config.image import ImageRecipe, Provision
from dayfly.environment.built import print_of
from dayfly.images.differences import differences
from dayfly.images.repeatable import reason_of
from workshop import STEPS, Workshop, workshop

# A user, a key of a host and a machine's name, of which a build would make new ones each time;
# a Python package of Debian, and compiled sets, which have no order of their own.
MADE = """\
useradd --system --create-home worker
mkdir -p /etc/ssh
printf key > /etc/ssh/ssh_host_x_key
echo "ssh-x AAAA root@$(cat /proc/sys/kernel/hostname)" > /etc/ssh/ssh_host_x_key.pub
cat /proc/sys/kernel/random/uuid > /etc/machine-id
"""
APP = "import six\nWORDS = {'a', 'b', 'c', 'd'}\nprint('e' in {'e', 'f', 'g', six.__name__})\n"


def built_twice(shop: Workshop, recipe: ImageRecipe) -> tuple[str, str, list[str]]:
    """Fingerprints of two builds of the same files and what differs; nothing of the first is left.

    A variable that docker's builds alone see is another one, so that its cache knows no step again.
    """
    turn = [{"TURN": "1"}, {"TURN": "2"}] if recipe.provision else [{}, {}]
    shop.project.write("app.py", APP)
    first = shop.build(replace(shop.app(*STEPS, env=turn[0]), image=recipe))
    one = shop.builder.contents(first)
    shop.builder.clear()
    if recipe.provision:
        shop.project.write("image.lock", one.lock.text)
        recipe = replace(recipe, lock="image.lock")
    again = shop.build(replace(shop.app(*STEPS, env=turn[1]), image=recipe))
    other = shop.builder.contents(again)
    told = [each.name for each in differences(one.without(OWN), other.without(OWN))]
    return print_of(one.without(OWN)), print_of(other.without(OWN)), told


OWN = ("app/image.lock",)  # which the second has, and the first made


def test_a_tree_that_is_built_again_is_the_same() -> None:
    with workshop("process") as shop:
        one, other, told = built_twice(shop, ImageRecipe())
    assert told[:9] == []
    assert one == other


@pytest.mark.docker
def test_an_image_that_is_built_again_from_its_lock_is_the_same() -> None:
    steps = (Provision(packages=("python3-six",)), Provision(shell=MADE))
    with workshop("docker") as shop:
        one, other, told = built_twice(shop, ImageRecipe(provision=steps))
        holds = shop.builder.contents(shop.builder.images()[0])
    assert told[:9] == []
    assert one == other
    assert not any(name.startswith("etc/ssh/ssh_host") for name in holds.files)
    assert "worker" in holds.users
    assert "python3-six" in holds.apt


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/app/__pycache__/app.cpython-311.pyc", "is compiled of the file beside it"),
        ("/etc/ssh/ssh_host_ed25519_key", "is a key, made anew in each build"),
        ("/etc/passwd", "lists the users"),
        ("/var/lib/dpkg/status", "lists the packages"),
        ("/app/app.py", ""),
        ("/etc/motd", ""),
    ],
)
def test_why_a_file_of_two_builds_may_differ(path: str, why: str) -> None:
    assert reason_of(path).startswith(why)
