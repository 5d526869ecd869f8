"""What Dayfly takes from the environment variables it was started with; read nowhere else."""

import os

_BUILD_NAMES = frozenset({
    "LANG", "LC_ALL", "PATH",
    "http_proxy", "https_proxy", "no_proxy", "all_proxy",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
    "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO",
})  # fmt: skip
_BUILD_PREFIXES = ("PIP_", "UV_", "NPM_CONFIG_", "npm_config_")


def no_color() -> bool:
    return bool(os.environ.get("NO_COLOR"))


def debug() -> bool:
    """Whether errors are to be shown with their traceback."""
    return bool(os.environ.get("DAYFLY_DEBUG"))


def home_variable() -> str | None:
    return os.environ.get("DAYFLY_HOME") or None


def context_variable() -> str | None:
    return os.environ.get("DAYFLY_CONTEXT") or None


def logs_token() -> str:
    """What a log store elsewhere is shown."""
    return os.environ.get("DAYFLY_LOGS_TOKEN") or ""


def cache_variable() -> str | None:
    return os.environ.get("XDG_CACHE_HOME") or None


def inherited_with(**more: str) -> dict[str, str]:
    """Our whole environment and more, for a command that a person gives us to run."""
    return {**os.environ, **more}


def inherited_for_builds() -> dict[str, str]:
    """What a build may see of our environment: language, PATH, proxies, registries and their CAs.

    Everything else stays ours, so that no build depends on, or learns, what it was not given.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if name in _BUILD_NAMES or name.startswith(_BUILD_PREFIXES)
    }
