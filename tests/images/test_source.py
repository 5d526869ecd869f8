"""Source on its way from a person's working tree to a checkout on the server."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.images.bundle import bundle, commit_dirty, uncommitted
from dayfly.images.git import SourceError, is_name
from dayfly.images.source import Sources
from project import ENVIRONMENT, Project


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    return Sources(tmp_path / "sources")


def send(project: Project, sources: Sources, ref: str = "HEAD") -> str:
    """Send as the client does, thin against what the server says it has."""
    file = project.folder.parent / "sent.bundle"
    commit = bundle(project.folder, ref, sources.known("orders"), file)
    assert sources.receive("orders", file) == commit
    return commit


def exported(sources: Sources, commit: str, to: Path) -> Path:
    sources.export("orders", commit, to)
    return to


def test_a_commit_arrives_with_its_branch_tags_and_description(
    project: Project, sources: Sources
) -> None:
    commit = project.commit("Begin the order desk", **{"app.py": "print(1)\n"})
    project.git("tag", "v1.0")
    project.git("tag", "-a", "-m", "signed off", "v1.0-approved")
    assert send(project, sources) == commit
    for name in ("main", "v1.0", "v1.0-approved", commit[:8], commit):
        assert sources.resolve("orders", name) == commit
    described = sources.describe("orders", "main")
    assert (described.subject, described.author) == ("Begin the order desk", "Ada")
    assert described.time == 1714979289
    assert sources.read("orders", commit, "app.py") == "print(1)\n"


def test_the_second_bundle_is_thin_and_the_sender_unchanged(
    project: Project, sources: Sources, tmp_path: Path
) -> None:
    project.commit(**{"big.txt": "\n".join(str(os.urandom(8)) for _ in range(20_000))})
    send(project, sources)
    before = project.git("for-each-ref")
    second = project.commit(**{"small.txt": "2"})
    send(project, sources)
    assert (tmp_path / "sent.bundle").stat().st_size < 2_000
    assert sources.read("orders", second, "small.txt") == "2"
    assert project.git("for-each-ref").splitlines()[0].split()[1:] == before.split()[1:]


def test_a_commit_that_is_known_arrives_again_with_a_new_tag(
    project: Project, sources: Sources
) -> None:
    first = project.commit(a="1")
    send(project, sources)
    project.git("tag", "late")
    second = project.commit(a="2")
    send(project, sources)
    assert sources.resolve("orders", "late") == first
    project.git("tag", "later")
    assert send(project, sources, "HEAD") == second
    assert sources.resolve("orders", "later") == second
    assert send(project, sources, first[:10]) == first, "an older one, by its short id"


def test_what_was_received_stays_when_its_branch_is_rewritten(
    project: Project, sources: Sources, tmp_path: Path
) -> None:
    first = project.commit(a="1")
    send(project, sources)
    project.git("commit", "-q", "--amend", "-m", "Rewritten")
    second = send(project, sources)
    assert sources.resolve("orders", "main") == second != first
    subprocess.run(
        ["git", "-C", sources.folder / "orders.git", "gc", "-q", "--prune=now"], check=True
    )
    assert (exported(sources, first, tmp_path / "out") / "a").read_text() == "1"


def test_a_branch_may_become_a_folder_of_branches(project: Project, sources: Sources) -> None:
    project.commit()
    project.git("checkout", "-q", "-b", "feature")
    send(project, sources)
    project.git("branch", "-m", "feature", "feature/x")
    commit = project.commit("More")
    assert send(project, sources) == commit == sources.resolve("orders", "feature/x")


def test_a_plain_bundle_of_git_is_accepted(
    project: Project, sources: Sources, tmp_path: Path
) -> None:
    commit = project.commit()
    project.git("bundle", "create", "-q", str(tmp_path / "plain"), "HEAD", "main")
    assert sources.receive("orders", tmp_path / "plain") == commit


def test_a_bundle_without_head_says_how_to_make_one(
    project: Project, sources: Sources, tmp_path: Path
) -> None:
    project.commit()
    project.git("bundle", "create", "-q", str(tmp_path / "plain"), "main")
    with pytest.raises(SourceError, match="does not say which commit"):
        sources.receive("orders", tmp_path / "plain")


def test_a_bundle_on_unknown_commits_is_refused(
    project: Project, sources: Sources, tmp_path: Path
) -> None:
    first = project.commit()
    project.commit()
    bundle(project.folder, "HEAD", [first], tmp_path / "thin")
    with pytest.raises(SourceError, match="does not have"):
        sources.receive("orders", tmp_path / "thin")


@pytest.mark.parametrize("content", [b"", b"no bundle", b"# v2 git bundle\n\nPACK", b"\0" * 5000])
def test_garbage_is_no_bundle(sources: Sources, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "garbage").write_bytes(content)
    with pytest.raises(SourceError):
        sources.receive("orders", tmp_path / "garbage")


def test_a_cut_bundle_changes_nothing(project: Project, sources: Sources, tmp_path: Path) -> None:
    first = project.commit(a="1")
    send(project, sources)
    project.commit(a="2" * 5000)
    bundle(project.folder, "HEAD", [], tmp_path / "whole")
    (tmp_path / "cut").write_bytes((tmp_path / "whole").read_bytes()[:-30])
    with pytest.raises(SourceError, match="cannot be taken in"):
        sources.receive("orders", tmp_path / "cut")
    assert sources.resolve("orders", first) == first


@pytest.mark.parametrize(
    "name",
    ["--upload-pack=x", "-x", "", "a..b", "../x", "HEAD^", "HEAD~1", "main:app.py", "@{-1}", "@",
     "a b", "a\nb", "x" * 300, ":/fix", "main^{tree}", "/etc/passwd", "*"],
)  # fmt: skip
def test_expressions_of_git_are_no_names(project: Project, sources: Sources, name: str) -> None:
    project.commit()
    send(project, sources)
    with pytest.raises(SourceError, match="cannot name a commit"):
        sources.resolve("orders", name)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=30))
def test_what_may_name_a_commit_is_what_git_allows_as_a_branch(name: str) -> None:
    """A name we accept can't be an option or an expression; git's own names are accepted."""
    if is_name(name):
        assert not set(name) & set(" ~^:?*[\\")
        assert not name.startswith("-")
        assert ".." not in name


@pytest.mark.parametrize("app", ["", "..", "a/b", "Orders", "-x", "a.git", "1a"])
def test_app_names_never_leave_the_folder(sources: Sources, app: str) -> None:
    with pytest.raises(SourceError, match="cannot name an app"):
        sources.known(app)


def test_an_unknown_name_is_answered_with_what_is_near(project: Project, sources: Sources) -> None:
    project.commit()
    project.git("tag", "v1.0.0")
    send(project, sources)
    with pytest.raises(SourceError, match=r"no commit, branch or tag 'v1\.0\.1'") as caught:
        sources.resolve("orders", "v1.0.1")
    assert "v1.0.0" in caught.value.hint


def test_a_missing_file_is_named_with_its_commit(project: Project, sources: Sources) -> None:
    commit = project.commit()
    send(project, sources)
    with pytest.raises(
        SourceError, match=f"commit {commit[:12]} of orders has no file dayfly.toml"
    ):
        sources.read("orders", commit, "dayfly.toml")
    with pytest.raises(SourceError, match="no path inside"):
        sources.read("orders", commit, "../../etc/passwd")


def test_an_export_keeps_modes_links_odd_names_and_the_commits_time(
    project: Project, sources: Sources, tmp_path: Path
) -> None:
    project.write("run.sh", "#!/bin/sh\n", mode=0o755)
    project.write("dir with space/ü\n'\".txt", "odd\r\n")
    project.write(".gitattributes", "* text=auto\n")
    (project.folder / "link").symlink_to("run.sh")
    (project.folder / "folder-link").symlink_to("dir with space")
    commit = project.commit()
    send(project, sources)
    out = exported(sources, commit, tmp_path / "out")
    assert stat.S_IMODE((out / "run.sh").stat().st_mode) == 0o755
    assert stat.S_IMODE((out / "dir with space/ü\n'\".txt").stat().st_mode) == 0o644
    assert (out / "link").readlink() == Path("run.sh")
    assert (out / "folder-link").is_symlink()
    assert {path.lstat().st_mtime for path in out.iterdir() if path.name != ".git"} == {1714979289}
    assert Project(out).git("-c", "safe.directory=*", "status", "--porcelain") == ""


def test_an_export_knows_its_version(project: Project, sources: Sources, tmp_path: Path) -> None:
    """The ecosystem's own tool reads it: what setuptools_scm asks git for is there."""
    project.commit()
    project.git("tag", "-a", "-m", "", "v2.5.0")
    commit = project.commit("Later")
    send(project, sources)
    out = exported(sources, commit, tmp_path / "out")
    described = Project(out).git("describe", "--dirty", "--tags", "--long", "--match", "*[0-9]*")
    assert described == f"v2.5.0-1-g{commit[:7]}"
    assert "remote" not in (out / ".git" / "config").read_text()


@pytest.mark.timeout(240)
def test_setuptools_scm_reads_the_version_of_an_export(
    project: Project, sources: Sources, tmp_path: Path
) -> None:
    project.commit()
    project.git("tag", "v2.5.0")
    out = exported(sources, send(project, sources), tmp_path / "out")
    packages = tmp_path / "packages"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--target", str(packages)]
    subprocess.run([*pip, "setuptools_scm>=8"], check=True, env={**ENVIRONMENT, "PIP_USER": "0"})
    seen = subprocess.run(
        [sys.executable, "-m", "setuptools_scm"],
        cwd=out,
        env={**ENVIRONMENT, "PYTHONPATH": str(packages)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert seen.stdout.strip() == "2.5.0"


def test_submodules_are_refused_by_name(project: Project, sources: Sources, tmp_path: Path) -> None:
    other = Project.begun(tmp_path / "other")
    other.commit(a="1")
    project.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other.folder),
                "vendor/other")  # fmt: skip
    commit = project.commit()
    send(project, sources)
    with pytest.raises(SourceError, match="submodule vendor/other"):
        sources.export("orders", commit, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_lfs_pointers_are_refused_by_name(
    project: Project, sources: Sources, tmp_path: Path
) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n"
    commit = project.commit(**{"static/logo.png": pointer})
    send(project, sources)
    with pytest.raises(SourceError, match=r"static/logo\.png is a Git-LFS pointer"):
        sources.export("orders", commit, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_uncommitted_work_is_seen(project: Project) -> None:
    project.write("ignored.log", "x")
    project.commit(**{"a": "1", "b": "1", "c": "some text\n" * 9, ".gitignore": "*.log\n"})
    assert uncommitted(project.folder) == ()
    project.write("a", "2")
    project.write("new folder/ü", "2")
    project.write("later.log", "x")
    (project.folder / "b").unlink()
    project.git("mv", "c", "d")
    assert uncommitted(project.folder) == ("a", "b", "c", "d", "new folder/")


def test_a_dirty_commit_touches_neither_branch_nor_index_nor_files(
    project: Project, sources: Sources
) -> None:
    head = project.commit(a="1", gone="1")
    project.write("a", "2")
    project.write("new", "2")
    (project.folder / "gone").unlink()
    project.git("add", "new")
    before = (project.git("status", "--porcelain"), (project.folder / ".git/index").read_bytes())
    commit = commit_dirty(project.folder, "Uncommitted work")
    after = (project.git("status", "--porcelain"), (project.folder / ".git/index").read_bytes())
    assert after == before
    assert project.git("rev-parse", "HEAD") == head == project.git("rev-parse", f"{commit}^")
    assert send(project, sources, commit) == commit
    assert sources.read("orders", commit, "a") == "2"
    assert sources.read("orders", commit, "new") == "2"
    with pytest.raises(SourceError):
        sources.read("orders", commit, "gone")


def test_outside_a_repository_the_way_in_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="not in a git repository") as caught:
        bundle(tmp_path, "HEAD", [], tmp_path / "bundle")
    assert "git init" in caught.value.hint


def test_a_shallow_clone_is_refused_with_the_remedy(project: Project, tmp_path: Path) -> None:
    project.commit()
    project.commit()
    clone = tmp_path / "clone"
    project.git("clone", "-q", "--depth=1", f"file://{project.folder}", str(clone))
    with pytest.raises(SourceError, match="shallow") as caught:
        bundle(clone, "HEAD", [], tmp_path / "bundle")
    assert "--unshallow" in caught.value.hint


def test_a_folder_of_another_user_is_no_obstacle(project: Project, sources: Sources) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    commit = project.commit(a="1")
    for path in (project.folder, project.folder / ".git"):
        os.chown(path, 65534, 65534)
    assert uncommitted(project.folder) == ()
    assert send(project, sources) == commit
