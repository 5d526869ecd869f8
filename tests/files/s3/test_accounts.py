"""The accounts file, and the forms that a browser posts."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from dayfly.files.s3 import postpolicy
from dayfly.files.s3.accounts import Account, AccountsError, read
from dayfly.files.s3.problem import S3Error

KEY = {"access_key_id": "AK", "secret_access_key": "s"}


def written(folder: Path, told: object) -> Path:
    path = folder / "accounts.json"
    path.write_text(told if isinstance(told, str) else json.dumps(told))
    return path


def test_accounts_are_found_by_key_id_and_email(tmp_path: Path) -> None:
    accounts = read(
        written(
            tmp_path,
            {"accounts": [{"id": "main", "display_name": "M", "email": "m@x", "keys": [KEY]}]},
        )
    )

    main = accounts.by_id["main"]
    assert accounts.by_key["AK"] == (main, "s")
    assert accounts.of_email("m@x") == main
    assert accounts.of_email("") is None
    assert accounts.name_of("main") == "M"


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("{", "Input data was truncated"),
        ({"accounts": [{"name": "x"}]}, "name"),
        ({"accounts": [{"id": "a"}, {"id": "a"}]}, "id 'a' is empty or there twice"),
        (
            {"accounts": [{"id": "a", "keys": [KEY]}, {"id": "b", "keys": [KEY]}]},
            "access_key_id 'AK' is empty or there twice",
        ),
    ],
)
def test_an_accounts_file_that_is_wrong(tmp_path: Path, told: object, why: str) -> None:
    path = written(tmp_path, told)

    with pytest.raises(AccountsError) as error:
        read(path)

    assert why in error.value.message
    assert str(path) in error.value.message


@pytest.mark.parametrize(
    ("account", "bucket", "may"),
    [
        (Account(id="keeper", app=True), "keeper", True),
        (Account(id="keeper", app=True), "keeper.thumbs", True),
        (Account(id="keeper", app=True), "victim", False),
        (Account(id="keeper", app=True), "keeper-2", False),  # a name that an app may have
        (Account(id="keeper", app=True), "keeper.trial", False),
        (Account(id="keeper", app=True), "keeper.trial.x", False),
        (Account(id="keeper", app=True), "keeper.trials", True),
        (Account(id="keeper", app=True), "victim.trial", False),
        (Account(id="keeper.trial", app=True), "keeper.trial", True),
        (Account(id="keeper.trial", app=True), "keeper", False),
        (Account(id="ann"), "pictures", True),
        (Account(id="keeper", app=True, operator=True), "victim", True),
    ],
)
def test_an_app_makes_no_bucket_that_another_one_could_want(
    account: Account, bucket: str, may: bool
) -> None:
    assert account.may_make(bucket) == may


def form(
    conditions: list[Any], expiration: str = "2030-01-01T00:00:00Z", **fields: str
) -> dict[str, str]:
    policy = json.dumps({"expiration": expiration, "conditions": conditions})
    return {
        "bucket": "b",
        "key": "up/a.txt",
        "policy": base64.b64encode(policy.encode()).decode(),
        **fields,
    }


ANY_KEY = ["starts-with", "$key", "up/"]
BUCKET = {"bucket": "b"}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (form([BUCKET, ANY_KEY]), ""),
        (form([BUCKET, {"Key": "up/a.txt"}]), ""),
        (form([BUCKET, ANY_KEY], acl="private"), "AccessDenied"),
        (form([BUCKET, ANY_KEY, ["eq", "$acl", "private"]], acl="private"), ""),
        (form([BUCKET, ANY_KEY, ["eq", "$acl", "private"]], acl="public-read"), "AccessDenied"),
        (form([BUCKET, ANY_KEY], **{"x-ignore-this": "1"}), ""),
        (form([BUCKET, ["starts-with", "$key", "down/"]]), "AccessDenied"),
        (form([{"bucket": "other"}, ANY_KEY]), "AccessDenied"),
        (form([ANY_KEY]), "AccessDenied"),
        (form([BUCKET, ANY_KEY, ["content-length-range", 0, 10]]), ""),
        (form([BUCKET, ANY_KEY, ["content-length-range", 0]]), "InvalidPolicyDocument"),
        (form([BUCKET, ANY_KEY, ["content-length-range", -1, 5]]), "InvalidPolicyDocument"),
        (form([{}]), "InvalidPolicyDocument"),
        (form([BUCKET, ["near", "$key", "x"]]), "InvalidPolicyDocument"),
        (form([BUCKET, ANY_KEY], "2020-01-01T00:00:00Z"), "AccessDenied"),
        (form([BUCKET, ANY_KEY], "tomorrow"), "InvalidPolicyDocument"),
        ({"policy": "%%%"}, "InvalidPolicyDocument"),
        ({"policy": base64.b64encode(b"[]").decode()}, "InvalidPolicyDocument"),
        (
            {"policy": base64.b64encode(b'{"expiration": "2030-01-01T00:00:00Z"}').decode()},
            "InvalidPolicyDocument",
        ),
    ],
)
def test_whether_a_form_meets_its_policy(fields: dict[str, str], code: str) -> None:
    try:
        postpolicy.check(fields, now=1_793_577_600.0)
        found = ""
    except S3Error as error:
        found = error.code

    assert found == code


@pytest.mark.parametrize(
    ("size", "code"), [(4, "EntityTooSmall"), (5, ""), (10, ""), (11, "EntityTooLarge")]
)
def test_the_size_of_a_posted_file(size: int, code: str) -> None:
    limits = postpolicy.check(
        form([BUCKET, ANY_KEY, ["content-length-range", 5, 10]]), now=1_793_577_600.0
    )
    try:
        limits.check(size, whole=True)
        found = ""
    except S3Error as error:
        found = error.code

    assert found == code
