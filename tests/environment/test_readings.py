"""Under which names the kept output of a release is found."""

import pytest

from dayfly.environment.readings import means

OWN = "orders-2-web-1/files/log/orders.log"


@pytest.mark.parametrize(
    ("wanted", "source", "meant"),
    [
        ("", OWN, True),
        ("build", "build", True),
        ("orders-2-web-1", OWN, True),
        (OWN, OWN, True),
        ("log/orders.log", OWN, True),
        ("orders-2-web-1/log/orders.log", OWN, True),
        ("orders-2-web-2/log/orders.log", OWN, False),
        ("orders.log", OWN, False),
        ("orders-2-web", OWN, False),
        ("log", "build", False),
    ],
)
def test_what_is_asked_for(wanted: str, source: str, meant: bool) -> None:
    assert means(wanted, source) is meant
