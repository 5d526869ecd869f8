"""What other users of the host see of an environment: nothing."""

import os
import subprocess
from pathlib import Path

import pytest

from production import project, running
from workshop import open_folder

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.haproxy,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
]

SOMEBODY = 1_899_999_999


def test_another_user_reads_nothing_of_an_environment() -> None:
    """Nor does another app's machine: each runs under a user of its own."""
    with open_folder() as folder, running(folder) as prod:
        app = project(folder / "kinds")
        prod.released(app, app.commit())
        prod.home.path.chmod(0o711)

        seen = subprocess.run(
            ["find", str(prod.home.path), "-readable"],
            user=SOMEBODY,
            group=SOMEBODY,
            extra_groups=[],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        ).stdout.decode()

        assert [path.name for path in prod.home.output.iterdir()]
        assert seen.split() == []
        names = [m["machine"] for m in prod.machines(app.app)]
        archive = prod.home.path / "archive"
        assert (archive / ".dayfly" / "archive.json").exists()
        for path in [
            *(prod.home.machine(name) / "app" for name in names),
            *(prod.home.output / name / "output.log" for name in names),
            archive / ".dayfly" / "archive.json",
            archive / "data" / ".." / "data",  # through it, whether it has files or not
        ]:
            reached = subprocess.run(
                ["test", "-e", str(path)], user=SOMEBODY, group=SOMEBODY, check=False
            )
            assert reached.returncode == 1, path


def test_an_environments_end_takes_its_own_and_nothing_else() -> None:
    with open_folder() as folder:
        with running(folder) as prod:
            app = project(folder / "kinds")
            prod.released(app, app.commit())
            (prod.home.path / "holiday.jpg").write_text("not ours")

            wrong = prod.type("destroy", "somebody-else")
            before = prod.processes_of()
            said = prod.typed("destroy", "test")
            ended = [pid for pid in before if not Path(f"/proc/{pid}").exists()]

        assert ended == before
        assert before
        assert wrong.status == 1
        assert "holiday.jpg" in said
        assert [path.name for path in prod.home.path.iterdir()] == ["holiday.jpg"]
