"""Images of the process runtime: trees on disk."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dayfly.clock import wait_until
from dayfly.config.app import App, Build
from dayfly.images.builder import BuildError
from dayfly.images.interpreter import chosen
from dayfly.images.tree import TreeBuilder
from dayfly.machines.proc import alive
from workshop import UID, Workshop, inside, open_folder, workshop


@pytest.fixture(scope="module")
def shop() -> Iterator[Workshop]:
    with workshop("process") as made:
        made.build(made.app("true"))  # keeps the layer of the virtual environment in use
        yield made


def places(shop: Workshop) -> set[str]:
    return {path.name for path in (shop.home / "images/orders").iterdir()}


def test_an_image_is_read_only_and_its_apps_alone(shop: Workshop) -> None:
    shop.project.write("secret.py", "x = 1\n")
    image = shop.build(shop.app("echo made > made"))
    for path in (image.tree / "app/secret.py", image.tree / "app/made", image.tree / "app"):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o222
        assert path.stat().st_uid == os.geteuid()
    assert not stat.S_IMODE(image.tree.stat().st_mode) & 0o007
    assert (image.tree / "app/__pycache__").is_dir(), "compiled, as machines cannot"
    assert "build step 1 of 1: echo made > made" in (image.tree / "output.log").read_text()


def test_steps_run_as_the_apps_own_user(shop: Workshop) -> None:
    if UID is None:
        pytest.skip("only root can become another user")
    image = shop.build(shop.app("id -u > who; test ! -w /etc/passwd; echo $HOME >> who"))
    assert inside(image, "cat who").split() == [str(UID), str(shop.home / "cache/orders")]


def test_scripts_name_the_folder_they_lie_in(shop: Workshop) -> None:
    """No file of an image names the layer it was copied from."""
    first = shop.build(shop.app("pip install wheel==0.45.1"))
    shop.project.write("app.py", "print(2)\n")
    second = shop.build(shop.app("pip install wheel==0.45.1"))
    for image in (first, second):
        assert inside(image, "wheel version").startswith("wheel 0.45.1")
        assert (image.tree / "venv/bin/wheel").read_text().startswith(f"#!{image.tree}/venv/bin/")
        named = subprocess.run(
            ["grep", "-rl", "--exclude=*.pyc", "images/orders/layer-", str(image.tree / "venv")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert named.stdout == ""


def test_what_a_crash_left_is_removed_by_the_next_build(shop: Workshop) -> None:
    image = shop.build(shop.app())
    half = image.tree.with_name("0" * 32)
    shutil.copytree(image.tree, half, symlinks=True)
    (half / "image.json").unlink()
    (half / "app").chmod(0o555)
    shop.project.write("app.py", "print(2)\n")
    shop.build(shop.app())
    assert half.name not in places(shop)
    assert {image.key for image in shop.builder.images()} < places(shop)


def test_what_a_crash_left_at_work_ends_with_the_next_start(shop: Workshop) -> None:
    """In whatever session it is; what belongs to a finished image is nobody's business."""
    step = (
        "setsid sh -c 'echo $$ > left; exec sleep 300' > /dev/null 2>&1 &"
        " while [ ! -s left ]; do sleep 0.1; done"
    )
    images = [shop.build(shop.app(step, env={"NUMBER": name})) for name in ("one", "two")]
    pids = [int((image.tree / "app/left").read_text()) for image in images]
    try:
        (images[0].tree / "image.json").unlink()
        shop.builder.sweep()
        wait_until(lambda: not alive(pids[0]), seconds=10, what="the end of the step")
        assert not images[0].tree.exists()
        assert alive(pids[1])
    finally:
        os.kill(pids[1], signal.SIGKILL)


def test_a_failed_build_leaves_only_finished_layers(shop: Workshop) -> None:
    before = places(shop)
    with pytest.raises(BuildError):
        shop.build(shop.app("pip install no-such-package-anywhere-0"))
    with pytest.raises(BuildError):
        shop.build(shop.app("mkdir -p a/b; chmod 0 a; false"))
    assert places(shop) == before


def test_layers_go_with_the_last_image_made_of_them(shop: Workshop) -> None:
    before = places(shop)
    first = shop.build(shop.app("pip install six==1.17.0"))
    second = shop.build(shop.app("pip install six==1.17.0", "true"))
    assert len(places(shop) - before) == 3, "two images on one layer"
    shop.builder.remove(first)
    assert len(places(shop) - before) == 2
    shop.builder.remove(second)
    assert places(shop) == before


def test_a_full_disk_fails_the_build_and_leaves_nothing(shop: Workshop) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a small disk")
    with open_folder() as home:
        mounted = ["mount", "-t", "tmpfs", "-o", "size=60M,mode=755", "tmpfs", str(home)]
        if subprocess.run(mounted, capture_output=True, check=False).returncode != 0:
            pytest.skip("may not mount here")
        try:
            assert isinstance(shop.builder, TreeBuilder)
            small = replace(shop, builder=replace(shop.builder, folder=home / "images"))
            small.build(small.app())
            before = {path.name for path in (home / "images/orders").iterdir()}
            small.project.write("more", "")
            with pytest.raises(BuildError, match=r"disk full|No space left"):
                small.build(small.app("head -c 100000000 /dev/zero > big"))
            assert {path.name for path in (home / "images/orders").iterdir()} == before
        finally:
            subprocess.run(["umount", str(home)], check=True)


def test_a_dockerfile_is_for_the_docker_runtime(shop: Workshop) -> None:
    app = App(app="orders", build=Build(dockerfile="Dockerfile"))
    with pytest.raises(BuildError, match="which the process runtime cannot do"):
        shop.build(app)


def test_the_first_python_that_may_be_run_is_taken() -> None:
    with open_folder() as folder:
        old = folder / "python3"
        old.write_text('#!/bin/sh\necho \'["/old/python3", [3, 9, 1], "3.9", true]\'\n')
        old.chmod(0o755)
        with_old = chosen({"PATH": f"{folder}:/usr/bin"}, UID)
        assert with_old.program != Path("/old/python3")
        assert with_old.version >= (3, 11)
        bare = folder / "bare/python3"
        bare.parent.mkdir()
        bare.write_text('#!/bin/sh\necho \'["/bare/python3", [3, 99, 0], "3.99", false]\'\n')
        bare.chmod(0o755)
        assert chosen({"PATH": f"{bare.parent}:/usr/bin"}, UID).program == with_old.program


def test_a_python_of_a_private_folder_is_not_for_the_apps_user() -> None:
    if UID is None:
        pytest.skip("only root can become another user")
    with open_folder() as folder:
        (folder / "python3").symlink_to(Path(sys.executable).resolve())
        folder.chmod(0o700)
        assert chosen({"PATH": f"{folder}:/usr/bin"}, UID).program == Path("/usr/bin/python3")
