"""What is kept of a machine's output, and what is not shown of it."""

import pytest

from production import Production, Project

pytestmark = [pytest.mark.acceptance, pytest.mark.haproxy]

PLANTED = (
    "mkdir -p log; ln -s /etc/passwd log/planted.log; echo mine > log/own.log; exec python3 app.py"
)


def test_a_log_file_is_kept_and_a_planted_link_is_not_followed(
    prod: Production, kinds: Project
) -> None:
    number = prod.released(
        kinds,
        kinds.commit(
            changes={"exec python3 app.py": PLANTED},
            more='[logs]\nfiles = ["log/*.log"]\n',
        ),
    )

    said = prod.typed("logs", "--release", str(number))

    assert "own.log: mine" in said
    assert "root:x:0" not in said
    assert "planted" not in said
    of_one_file = prod.typed("logs", "--release", str(number), "--source", "log/own.log")
    assert {line.rpartition(": ")[2] for line in of_one_file.splitlines()} == {"mine"}


def test_what_was_never_kept_is_told_with_what_there_is(prod: Production, kinds: Project) -> None:
    serving = str(prod.client.get("/api/releases")[0]["release"])

    ran = prod.type("logs", "--release", serving, "--machine", "kinds-9-web-1")

    assert ran.status == 1
    assert "keeps no output of 'kinds-9-web-1'" in ran.said
