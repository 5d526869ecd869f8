"""What steps of an image see, and what Ansible and Puppet tell of a run: rows of data."""

import gzip
import json
from pathlib import Path

import pytest

from dayfly.ansible.playbook import MARK, AnsibleError, Playbook
from dayfly.config.image import ImageRecipe, Provision
from dayfly.images.bases import require_files
from dayfly.images.builder import BuildError
from dayfly.images.lock import Lock, LockError, beside, lock_of, unlocked
from dayfly.images.provision.ansible import inventory
from dayfly.images.provision.chef import Converged, only_cookbook, settings_of
from dayfly.images.provision.chef import command_of as run_of_chef
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
        (Provision(chef="ops/cookbooks"), ["ops/roles/web/tasks/main.yml", "ops/site.yml"]),
        (Provision(chef="cookbooks"), ["roles/web/tasks/main.yml"]),
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


DOC = """\
Recipe: web::default
  * file[/srv/a] action create
    - create new file /srv/a
    - update content in file /srv/a from none to 8f434
  * file[/srv/b] action create (up to date)
  * execute[reload] action nothing (skipped due to action :nothing)
  * directory[/srv/c] action create
[2026-11-27T10:00:00+00:00] FATAL: Mixlib::ShellOut::ShellCommandFailed: execute[bad] had an error
"""


def test_what_chef_tells() -> None:
    told = Converged([].append)
    for line in DOC.splitlines():
        told.line(line)
    assert told.changed == ["file[/srv/a]"]
    assert told.errors == ["Mixlib::ShellOut::ShellCommandFailed: execute[bad] had an error"]


@pytest.mark.parametrize(
    ("program", "recipes", "words"),
    [
        ("/opt/cinc/bin/cinc-client", (), "--local-mode --no-fork"),
        ("/usr/bin/chef-solo", ("web", "base::users"), "recipe[web],recipe[base::users]"),
    ],
)
def test_the_command_line_of_chef(
    tmp_path: Path, program: str, recipes: tuple[str, ...], words: str
) -> None:
    (tmp_path / "ops/cookbooks/web").mkdir(parents=True)
    (tmp_path / "ops/roles").mkdir()
    (tmp_path / "ops/node.json").touch()
    step = Provision(chef="ops/cookbooks", recipes=recipes)
    command = run_of_chef(step, tmp_path, program, "step")
    assert command.startswith(f"{program} --config /run/dayfly/chef/dayfly.rb ")
    assert words in command
    assert ("--local-mode" in command) is (not program.endswith("solo"))
    assert "--json-attributes /run/dayfly/chef/ops/node.json" in command
    told = settings_of(step, tmp_path)
    assert 'cookbook_path ["/run/dayfly/chef/ops/cookbooks"]' in told
    assert 'role_path "/run/dayfly/chef/ops/roles"' in told
    assert "data_bag_path" not in told


def test_of_two_cookbooks_somebody_has_to_choose(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "base").mkdir()
    with pytest.raises(BuildError, match="There are the cookbooks base, web") as refused:
        only_cookbook(tmp_path, "step")
    assert "recipes = [" in refused.value.hint


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
    assert list(beside(LOCK, made)) == [
        "the lock has no version for what pip installed: six",
        "the lock has versions for what pip did not install: flask",
    ]
    assert list(beside(LOCK, LOCK)) == []


def test_links_of_files_that_lead_out_of_what_is_copied_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "deploy/conf"
    folder.mkdir(parents=True)
    (folder / "plain").write_text("x")
    (folder / "neighbour").symlink_to("plain")
    (folder / "image").symlink_to("/etc/motd")
    (folder / "shared").symlink_to("../shared/conf")
    (folder / "around").symlink_to("../conf/plain")
    (tmp_path / "deploy/latest").symlink_to("conf/plain")
    (tmp_path / "now").symlink_to("deploy")
    files = ("deploy/conf", "deploy/latest", "now/conf")
    recipe = ImageRecipe(provision=(Provision(files={name: f"/etc/{name}" for name in files}),))

    assert [problem.says.partition(",")[0] for problem in missing(recipe, tmp_path)] == [
        "deploy/conf/around is a link to ../conf/plain",
        "deploy/conf/shared is a link to ../shared/conf",
        "deploy/latest is a link to conf/plain",
        "now is a link to deploy",
    ]


@pytest.mark.parametrize(
    ("name", "raw", "says"),
    [
        ("ops/base.tar", b"", "it is no tar archive"),
        ("ops/base.tar.gz", b"garbage", "it is no tar archive"),
        ("ops/base.tar.gz", gzip.compress(10240 * b"\0", mtime=0)[:20], "it is no tar archive"),
        ("ops/base.tar.xz", b"\xfd7zXZ\0garbage", "it is no tar archive"),
        ("ops/base.tar", 10240 * b"\0", "there is nothing in it"),
    ],
)
def test_a_tarball_that_is_none_can_not_be_a_base(
    tmp_path: Path, name: str, raw: bytes, says: str
) -> None:
    file = tmp_path / "base"
    file.write_bytes(raw)
    with pytest.raises(BuildError, match=f"the base {name} can't be had: {says}"):
        require_files(file, name)
