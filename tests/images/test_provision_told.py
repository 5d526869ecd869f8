"""What steps of an image see, and what Ansible and Puppet tell of a run: rows of data."""

import json
from pathlib import Path

import pytest

from dayfly.ansible.playbook import MARK, AnsibleError, Playbook
from dayfly.config.image import ImageRecipe, Provision
from dayfly.images.lock import Lock, LockError, lock_of, unlocked
from dayfly.images.provision.ansible import inventory
from dayfly.images.provision.idempotent import not_idempotent
from dayfly.images.provision.inputs import inputs_of, missing
from dayfly.images.provision.puppet import Applied, command_of

PATHS = [
    ".gitignore", "app.py", "ansible.cfg", "etc/motd", "etc/nginx/site", "etcetera", "site.yml",
    "group_vars/all.yml", "ops/site.yml", "ops/roles/web/tasks/main.yml", "puppet/manifests/a.pp",
    "puppet/hiera.yaml", "roles/web/tasks/main.yml", "requirements.txt", "requirements.yml",
]  # fmt: skip


@pytest.mark.parametrize(
    ("step", "seen"),
    [
        (Provision(packages=("nginx",)), []),
        (Provision(shell="make"), []),
        (Provision(files={"etc": "/etc"}), ["etc/motd", "etc/nginx/site"]),
        (Provision(files={"etc/motd": "/etc/motd", "app.py": "/srv/a"}), ["app.py", "etc/motd"]),
        (
            Provision(ansible="ops/site.yml"),
            ["ops/roles/web/tasks/main.yml", "ops/site.yml"],
        ),
        (
            Provision(ansible="site.yml"),
            ["ansible.cfg", "group_vars/all.yml", "requirements.yml", "roles/web/tasks/main.yml",
             "site.yml"],
        ),
        (Provision(puppet="puppet/manifests"), ["puppet/hiera.yaml", "puppet/manifests/a.pp"]),
    ],
)  # fmt: skip
def test_what_a_step_sees_of_the_source(step: Provision, seen: list[str]) -> None:
    assert list(inputs_of(step, PATHS)) == seen


def test_what_the_commit_lacks_is_named_with_its_key(tmp_path: Path) -> None:
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops/site.yml").touch()
    (tmp_path / "out").symlink_to("/etc")
    recipe = ImageRecipe(
        base="base.tar.xz",
        lock="image.lock",
        provision=(
            Provision(ansible="ops/site.yml"),
            Provision(ansible="ops/sites.yml"),
            Provision(files={"out/passwd": "/etc/passwd"}),
        ),
    )
    assert [str(problem) for problem in missing(recipe, tmp_path)] == [
        "image.base: the commit has no file base.tar.xz",
        "image.lock: the commit has no file image.lock",
        "image.provision[1].ansible: the commit has no ops/sites.yml",
        "image.provision[2].files: the commit has no out/passwd",
    ]


def event(kind: str, **data: object) -> str:
    return MARK + json.dumps({"kind": kind, **data})


def heard(*lines: str) -> Playbook:
    book = Playbook("site.yml", [].append)
    for line in lines:
        book.line(line)
    return book


def test_a_failed_task_is_named_with_what_it_printed() -> None:
    told = heard(
        event("task", name="install"),
        event("failed", name="install", says="non-zero return code\nE: no such package"),
        event("ended", played=True),
    ).failure(2)
    assert str(told) == "site.yml: task 'install' failed: non-zero return code"
    assert told.hint == "E: no such package"


def test_without_a_failed_task_the_last_lines_say_why() -> None:
    told = heard("ERROR! the role 'web' was not found").failure(1)
    assert str(told) == "site.yml failed: exit status 1"
    assert told.hint == "ERROR! the role 'web' was not found"
    locked = heard("ERROR! Attempting to decrypt but no vault secrets found").failure(4)
    assert str(locked) == "site.yml needs the password of its vault"
    assert "`vault` of the step" in locked.hint


def test_who_asks_gets_no_answer() -> None:
    with pytest.raises(AnsibleError, match="asks for input: vars_prompt asks for release"):
        heard(event("asked", what="vars_prompt asks for release"))


def test_tasks_that_change_something_each_time_are_named_once() -> None:
    told = str(not_idempotent("site.yml", ["a", "b", "a"]))
    assert told.startswith("site.yml has tasks that are not idempotent: 'a', 'b' changed")


def test_the_image_is_in_its_groups() -> None:
    told = json.dumps(inventory(("web",), "/usr/bin/python3"))
    assert json.loads(told)["all"]["children"] == {"web": {"hosts": {"image": {}}}}


def test_what_puppet_tells() -> None:
    told = Applied([].append)
    for line in [
        "Notice: Compiled catalog for image in environment production in 0.02 seconds",
        "Notice: /Stage[main]/Main/File[/srv/a]/ensure: defined content as '{md5}…'",
        "Error: Could not find command '/bin/nothing'",
        "Notice: Applied catalog in 0.1 seconds",
    ]:
        told.line(line)
    assert told.changed == ["/Stage[main]/Main/File[/srv/a]"]
    assert told.errors == ["Could not find command '/bin/nothing'"]


def test_puppet_finds_modules_and_data_beside_its_manifests(tmp_path: Path) -> None:
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops/hiera.yaml").touch()
    command = command_of(Provision(puppet="ops/manifests"), tmp_path)
    assert "--modulepath=/run/dayfly/puppet/ops/modules:" in command
    assert "--hiera_config=/run/dayfly/puppet/ops/hiera.yaml" in command
    assert "/run/dayfly/puppet/ops/manifests\n" in command


LOCK = Lock(apt={"nginx": "1.22.1-9", "libc6": "2.36"}, pip={"flask": "3.1.0"})


def test_a_lock_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "image.lock"
    file.write_text(LOCK.text)
    assert lock_of(file, "image.lock") == LOCK
    assert Lock().text == ""
    assert "Package: nginx\nPin: version 1.22.1-9\nPin-Priority: 1001\n" in LOCK.preferences
    assert LOCK.constraints == "flask==3.1.0\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[apt", "image.lock: no lock of an image"),
        ("[npm]\nx = '1'", "image.lock: found npm; a lock has the tables"),
        ("[apt]\nx = 1", "found a version that is no text"),
    ],
)
def test_a_damaged_lock_is_refused(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "image.lock"
    file.write_text(text)
    with pytest.raises(LockError, match=says.replace("[", r"\[")):
        lock_of(file, "image.lock")


def test_what_could_not_be_had_in_its_locked_version_is_named() -> None:
    made = Lock(apt={"nginx": "1.22.1-9+deb12u2", "libc6": "2.36"}, pip={"six": "1.16.0"})
    assert unlocked(LOCK, made) == (
        "nginx is locked to 1.22.1-9, and 1.22.1-9+deb12u2 was installed",
    )
