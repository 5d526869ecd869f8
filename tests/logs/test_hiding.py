"""Secrets of applications are taken out of what the forwarder reads."""

import json
import os
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dayfly.config.redact import MASK
from dayfly.config.secrets import SecretError, Secrets
from dayfly.logs.forwarder.body import body
from dayfly.logs.forwarder.hiding import Hiding
from dayfly.logs.forwarder.stamps import Stamps
from dayfly.logs.store.files import zstd
from forwarding import unpacked

MACHINE = Stamps(app="orders", machine="orders-1-web-1")
NEIGHBOUR = Stamps(app="shop", machine="shop-1-web-1")
ACCESS = Stamps(process="balancer")
UTC = ZoneInfo("UTC")


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    folder = tmp_path / "secrets"
    folder.mkdir()
    return Secrets(folder)


def test_a_machine_has_the_secrets_of_its_app_and_the_host_has_all(secrets: Secrets) -> None:
    hiding = Hiding(secrets.folder)
    assert hiding.of(ACCESS)("open sesame") == "open sesame"

    secrets.set("orders", "KEY", "sesame")
    secrets.set("shop", "KEY", "abracadabra")

    said = "sesame abracadabra"
    assert hiding.of(MACHINE)(said) == f"{MASK} abracadabra"
    assert hiding.of(NEIGHBOUR)(said) == f"sesame {MASK}"
    assert hiding.of(ACCESS)(said) == f"{MASK} {MASK}"
    assert hiding.of(Stamps(app="other", machine="other-1-web-1"))(said) == said


def test_a_value_that_was_replaced_is_still_known_to_machines_that_run(secrets: Secrets) -> None:
    hiding = Hiding(secrets.folder)
    secrets.set("orders", "KEY", "the first")
    assert hiding.of(MACHINE)("the first") == MASK

    secrets.set("orders", "KEY", "the second")
    assert hiding.of(MACHINE)("the first, the second") == f"{MASK}, {MASK}"

    secrets.remove("orders", "KEY")
    assert hiding.of(MACHINE)("the second") == MASK


def test_a_folder_that_has_not_changed_is_not_read_again(secrets: Secrets) -> None:
    secrets.set("orders", "KEY", "sesame")
    os.utime(secrets.folder, (1, 1))
    hiding = Hiding(secrets.folder)

    assert hiding.of(MACHINE) is hiding.of(MACHINE)
    (secrets.folder / "orders.json").write_text("{")  # as nobody does
    assert hiding.of(MACHINE)("sesame") == MASK


def test_without_secrets_nothing_is_looked_for(tmp_path: Path) -> None:
    assert not Hiding(tmp_path / "none").of(ACCESS).is_in(b"anything")


def test_secrets_that_cannot_be_read_stop_what_may_have_them(secrets: Secrets) -> None:
    (secrets.folder / "orders.json").write_text("{")

    with pytest.raises(SecretError, match="damaged"):
        Hiding(secrets.folder).of(MACHINE)


def test_a_record_keeps_its_level_and_its_fields(secrets: Secrets) -> None:
    secrets.set("orders", "PIN", "471123")
    secrets.set("orders", "WORD", "error")
    hide = Hiding(secrets.folder).of(MACHINE)
    lines = [
        '{"level":"error","msg":"no error","pin":471123,"ms":3}',
        "level=error pin=471123 way=471123/9",
        "fine",
    ]

    packed = body(lines, MACHINE, 1, UTC, parse=True, hide=hide)

    made = unpacked(packed)
    assert [each.get("level") for each in made] == ["error", "error", None]
    assert made[0]["message"] == f"no {MASK}"
    assert made[0]["fields"] == {"pin": MASK, "ms": 3}
    assert made[1]["fields"]["way"] == f"{MASK}/9"
    assert made[2]["message"] == "fine"
    assert b"471123" not in zstd.decompress(packed)


def test_a_secret_is_found_in_what_a_logger_escaped(secrets: Secrets) -> None:
    secret = "pa\"ss'wo\\rd<&>é"
    secrets.set("orders", "KEY", secret)
    hide = Hiding(secrets.folder).of(MACHINE)
    quoted = json.dumps(secret)
    lines = [
        f"level=info msg={quoted} key={quoted}",
        json.dumps({"level": "info", "msg": f"for {secret}", "key": [secret], "raw": repr(secret)}),
        f"INFO:root:got {secret!r} and {secret.encode()!r}",
    ]

    packed = body(lines, MACHINE, 1, UTC, parse=True, hide=hide)

    made = unpacked(packed)
    assert made[0]["message"] == MASK
    assert made[0]["fields"] == {"key": MASK}
    assert made[1]["message"] == f"for {MASK}"
    assert made[2]["message"] == f"got '{MASK}' and b'{MASK}'"
    assert "wo" not in zstd.decompress(packed).decode().replace("word", "")
