"""The page about S3's API says what is so."""

import json
import re
from pathlib import Path

import pytest

from dayfly.files.s3 import accounts, incoming, request, signature
from dayfly.files.s3.call import MOST_HEADERS, MOST_PARAMETERS, call_of
from dayfly.files.s3.handlers import HANDLERS, STREAMED
from dayfly.files.s3.operations import ELSEWHERE, operation_of
from dayfly.files.s3.policy import parsed
from dayfly.files.s3.problem import S3Error
from dayfly.files.s3.server import MOST_DOCUMENT, MOST_OF_ANYBODY

PAGE = (Path(__file__).parents[3] / "docs/reference/s3.md").read_text()


def part(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def test_every_operation_is_on_the_page() -> None:
    told = re.findall(r"`([A-Z]\w+)`", "\n".join(re.findall(r"(?m)^\|.*", part("What there is"))))

    assert set(told) == {*HANDLERS, *STREAMED, "PostObject"}


def test_everything_that_is_elsewhere_is_on_the_page() -> None:
    lines = part("What there is not").splitlines()
    told = re.findall(r"`([\w-]+)`", next(line for line in lines if line.startswith("`abac`")))

    assert set(told) == ELSEWHERE
    for name in told:
        with pytest.raises(S3Error, match="is not implemented"):
            operation_of(call_of("GET", "/b", name), request.Address("b"))


def test_the_accounts_file_of_the_page_is_read(tmp_path: Path) -> None:
    (block,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "accounts.json"
    path.write_text(block)

    found = accounts.read(path)
    assert found.by_key["AKMAIN"][0].id == json.loads(block)["accounts"][0]["id"]


def test_the_names_of_accounts_in_policies_are_those_of_the_page() -> None:
    for name in ("ID", "arn:aws:iam::ID:root", "arn:aws:iam:::user/ID"):
        assert f"`{name}`" in PAGE or name == "ID"
        statement = {"Effect": "Allow", "Principal": {"AWS": name.replace("ID", "x")},
                     "Action": "s3:*", "Resource": "arn:aws:s3:::b"}  # fmt: skip
        policy = parsed(json.dumps({"Statement": statement}).encode())
        asked = {"action": "s3:ListBucket", "resource": "b"}
        from dayfly.files.s3.policy import Asked  # noqa: PLC0415 - only here

        assert policy.decides(Asked(account="x", **asked)) == "allow"
        assert policy.decides(Asked(account="y", **asked)) == ""


def test_the_limits_are_those_of_the_page() -> None:
    assert incoming.MOST_BYTES == 5 * 1024**3
    assert MOST_DOCUMENT == 4 * 1024**2
    assert MOST_OF_ANYBODY == 64 * 1024
    assert MOST_HEADERS == 16 * 1024
    assert MOST_PARAMETERS == 100
    assert incoming.PATIENCE_SECONDS == 60
    assert incoming.SLOWEST == 1024
    assert signature.SKEW_SECONDS == 15 * 60
    assert signature.LONGEST_SECONDS == 7 * 24 * 3600
    assert request.DEFAULT_REGION == "us-east-1"
