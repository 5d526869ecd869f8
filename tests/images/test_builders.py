"""What holds for images of every runtime."""

import os
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from dayfly.clock import Stop
from dayfly.errors import StoppedError
from dayfly.files.gathering import files, key_of
from dayfly.images.builder import BuildError
from workshop import STEPS, Workshop, inside, workshop

RUNTIMES = ["process", pytest.param("docker", marks=pytest.mark.docker)]


@pytest.fixture(params=RUNTIMES, scope="module")
def shop(request: pytest.FixtureRequest) -> Iterator[Workshop]:
    with workshop(request.param) as made:
        made.build(made.app(*STEPS))  # so that the tests below need no downloads, in any order
        yield made


def heard(shop: Workshop, text: str) -> bool:
    return any(text in line for line in shop.lines)


def test_an_image_holds_the_app_and_what_its_steps_installed(shop: Workshop) -> None:
    shop.project.write("app.py", "import six\nprint(six.__version__)\n")
    image = shop.build(shop.app(*STEPS))
    assert inside(image, "python3 app.py") == "1.16.0"
    assert image.size > 1_000_000
    assert image.app == "orders"


def test_files_of_an_image_are_read_from_outside_and_through_no_link(
    shop: Workshop, tmp_path: Path
) -> None:
    """Under a second name of a file, too, where the first one is not wanted."""
    makes = (
        "mkdir -p apart dist/dir.whl; echo app > dist/app.whl; echo two > apart/one;"
        " ln apart/one dist/two.whl; ln -s /etc/passwd dist/link.whl; ln -s /etc apart/etc"
    )
    image = shop.build(shop.app(makes))
    key = partial(key_of, places={"dist/*.whl": "builds/", "apart/etc/*": "far/"})

    folder = shop.builder.files(image, lambda path: key(path) is not None, tmp_path / "into")

    found = {each.key: os.pread(each.descriptor, 9, 0) for each in files(folder, key)}
    assert found == {"builds/app.whl": b"app\n", "builds/two.whl": b"two\n"}


def test_the_same_source_is_the_same_image(shop: Workshop) -> None:
    app = shop.app(*STEPS)
    commit = shop.project.commit()
    first = shop.build(app)
    again = shop.builder.build(
        app, first.commit, shop.home / "sources" / first.commit, on_line=shop.lines.append,
        stop=Stop(),
    )  # fmt: skip
    assert (again.key, again.reference, again.seconds) == (first.key, first.reference, 0)
    assert commit != first.commit


def test_a_change_of_code_repeats_no_step_and_takes_little(shop: Workshop) -> None:
    app = shop.app(*STEPS)
    first = shop.build(app)
    before = inside(first, "python3 app.py")
    shop.project.write("app.py", "print('two')\n")
    started = time.monotonic()
    second = shop.build(app)
    took = time.monotonic() - started
    assert heard(shop, "build step 1 of 1 is unchanged: pip install -r requirements.txt")
    assert inside(second, "python3 app.py; python3 -c 'import six'") == "two"
    assert inside(first, "python3 app.py") == before, "the image before stays as it was"
    assert took < 10, "seconds, on a busy machine; the measured figure is a fraction"


def test_a_change_of_what_a_step_reads_repeats_it(shop: Workshop) -> None:
    shop.project.write("requirements.txt", "six==1.15.0\n")
    image = shop.build(shop.app(*STEPS))
    shop.project.write("requirements.txt", "six==1.16.0\n")
    assert not heard(shop, "unchanged")
    assert inside(image, "python3 -c 'import six; print(six.__version__)'") == "1.15.0"


def test_later_steps_see_the_whole_source_and_its_version(shop: Workshop) -> None:
    shop.project.git("tag", "-f", "v3.0")
    shop.project.commit()
    shop.project.git("tag", "-f", "v3.1")
    steps = (*STEPS, "git describe --tags > version", "cat app.py > copy; echo $MODE >> copy")
    image = shop.build(shop.app(*steps, env={"MODE": "it's $HOME"}))
    assert inside(image, "cat version").startswith("v3.1-1-g")
    assert inside(image, "tail -1 copy") == "it's $HOME"
    assert inside(image, "ls -d .git || true") == "", "the history is no part of the image"


def test_a_step_that_changes_what_a_layer_holds_changes_this_image_only(shop: Workshop) -> None:
    path = "$(python3 -c 'import six; print(six.__file__)')"
    image = shop.build(shop.app(*STEPS, f"echo 'changed = 1' >> {path}"))
    assert inside(image, "python3 -c 'import six; print(six.changed)'") == "1"
    other = shop.build(shop.app(*STEPS))
    assert inside(other, "python3 -c 'import six; print(hasattr(six, \"changed\"))'") == "False"


def test_a_failing_step_is_named_with_its_status_and_last_lines(shop: Workshop) -> None:
    before = shop.builder.images()
    with pytest.raises(BuildError, match=r"build step 2 of 2, .* failed: exit status 7") as caught:
        shop.build(shop.app(*STEPS, "echo no luck; exit 7"))
    assert caught.value.hint == "no luck"
    assert shop.builder.images() == before


def test_the_first_failing_line_of_a_step_fails_it(shop: Workshop) -> None:
    with pytest.raises(BuildError, match="exit status 1"):
        shop.build(shop.app("false\ntrue"))


def test_a_stop_ends_the_build(shop: Workshop) -> None:
    before = shop.builder.images()
    stop = shop.stop = Stop()
    shop.on_line = lambda line: stop.request("Ctrl-C") if line == "begun" else None
    started = time.monotonic()
    with pytest.raises(StoppedError, match="Ctrl-C"):
        shop.build(shop.app("echo begun; sleep 120"))
    shop.stop = Stop()
    assert time.monotonic() - started < 60
    assert shop.builder.images() == before


def test_a_build_ends_at_its_deadline(shop: Workshop) -> None:
    with pytest.raises(BuildError, match="did not end before the deadline of"):
        shop.build(shop.app("sleep 120", deadline=3))


def test_images_are_found_by_commit_and_removed_for_good(shop: Workshop) -> None:
    image = shop.build(shop.app(*STEPS))
    found = shop.builder.find("orders", image.commit)
    assert found is not None
    assert found.reference == image.reference
    assert shop.builder.find("other", image.commit) is None
    assert shop.builder.images()[0].key == image.key
    shop.builder.remove(image)
    shop.builder.remove(image)
    assert shop.builder.find("orders", image.commit) is None


def test_an_app_without_steps_is_its_source(shop: Workshop) -> None:
    image = shop.build(shop.app())
    assert inside(image, "ls app.py") == "app.py"


def test_builds_see_only_what_they_are_given(shop: Workshop, tmp_path: Path) -> None:
    image = shop.build(shop.app("env > seen"))
    seen = {line.partition("=")[0] for line in inside(image, "cat seen").splitlines()}
    assert "PYTEST_CURRENT_TEST" not in seen
    assert "PATH" in seen


def test_nobody_waits_for_what_a_step_left_running(shop: Workshop) -> None:
    before = threading.active_count()
    image = shop.build(shop.app("sleep 60 > /dev/null 2>&1 & echo begun"))
    assert threading.active_count() == before
    assert image.seconds < 30
