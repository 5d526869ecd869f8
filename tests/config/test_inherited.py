import pytest

from dayfly.config.inherited import inherited_for_builds


@pytest.mark.parametrize(
    ("name", "passed"),
    [
        ("PATH", True),
        ("LANG", True),
        ("https_proxy", True),
        ("HTTPS_PROXY", True),
        ("PIP_INDEX_URL", True),
        ("npm_config_registry", True),
        ("SSL_CERT_FILE", True),
        ("DATABASE_URL", False),
        ("DAYFLY_HOME", False),
        ("SECRET_KEY", False),
        ("PYTHONPATH", False),
        ("LD_PRELOAD", False),
    ],
)
def test_a_build_sees_only_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, name: str, passed: bool
) -> None:
    monkeypatch.setenv(name, "value")

    assert (inherited_for_builds().get(name) == "value") is passed
