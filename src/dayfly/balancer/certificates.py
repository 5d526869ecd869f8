"""Certificates of the balancer: PEM files in one folder, taken in without a reload."""

import hashlib
import re
import ssl
from dataclasses import dataclass
from pathlib import Path

from dayfly.balancer.render import CERTIFICATES
from dayfly.balancer.routing import BalancerError
from dayfly.balancer.runtime import command, expect

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.pem")


@dataclass(frozen=True, kw_only=True)
class Certificate:
    path: str  # relative to the balancer's folder, as HAProxy knows it
    text: str
    fingerprint: str  # SHA-1 of the site's own certificate, as HAProxy shows it


def certificates(folder: Path, relative: str) -> tuple[tuple[Certificate, ...], tuple[str, ...]]:
    """Those that can be used, by name, and what is wrong with the others.

    One that HAProxy can't read would keep it from starting, so it never gets to see it.
    """
    good: list[Certificate] = []
    wrong: list[str] = []
    for path in sorted((folder / relative).glob("*.pem")) if relative else ():
        try:
            good.append(_read(path, f"{relative.rstrip('/')}/{path.name}"))
        except BalancerError as error:
            wrong.append(error.message)
    return tuple(good), tuple(wrong)


def listed_certificates(folder: Path) -> list[str]:
    """The paths that were rendered last."""
    return (folder / CERTIFICATES).read_text().split()


def apply_certificates(folder: Path, wanted: tuple[Certificate, ...]) -> tuple[str, ...]:
    """Add, replace and remove until HAProxy has those wanted; returns the paths that changed."""
    listed = _listed(folder)
    changed = []
    for each in wanted:
        if each.path not in listed:
            if each.path not in command(folder, "show ssl cert"):
                expect(folder, f"new ssl cert {each.path}", "New empty certificate store")
            _set(folder, each)
            expect(folder, f"add ssl crt-list {CERTIFICATES} {each.path}", "Success")
            changed.append(each.path)
        elif _fingerprint(folder, each.path) != each.fingerprint:
            _set(folder, each)
            changed.append(each.path)
    for path in listed - {each.path for each in wanted}:
        expect(folder, f"del ssl crt-list {CERTIFICATES} {path}", "deleted")
        expect(folder, f"del ssl cert {path}", "deleted")
        changed.append(path)
    return tuple(changed)


def _read(path: Path, known_as: str) -> Certificate:
    if not _NAME.fullmatch(path.name) or re.search(r"\s", known_as):
        raise BalancerError(f"{path}: only letters, digits, '_', '.' and '-' in a file's name")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, password=_no_password)
        text = path.read_text()
        first = text[text.index("-----BEGIN CERTIFICATE-----") :].split("-----END", 1)[0]
        der = ssl.PEM_cert_to_DER_cert(f"{first}-----END CERTIFICATE-----\n")
    except (OSError, ValueError) as error:
        raise BalancerError(
            f"{path}: {error.strerror if isinstance(error, OSError) else error}",
            hint="It needs the certificate, its chain and the key without a password, as PEM.",
        ) from error
    digest = hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
    return Certificate(path=known_as, text=text, fingerprint=digest)


def _no_password() -> str:
    raise ValueError("the key has a password")


def _listed(folder: Path) -> set[str]:
    lines = command(folder, f"show ssl crt-list {CERTIFICATES}").splitlines()
    return {line.split()[0] for line in lines if line and not line.startswith("#")}


def _fingerprint(folder: Path, path: str) -> str:
    shown = command(folder, f"show ssl cert {path}")
    found = re.search(r"FingerPrint: ([0-9A-F]{40})", shown)
    return found[1] if found else ""


def _set(folder: Path, certificate: Certificate) -> None:
    lines = (line.strip() for line in certificate.text.splitlines())
    text = "\n".join(line for line in lines if line)
    expect(folder, f"set ssl cert {certificate.path}", "Transaction", payload=text)
    expect(folder, f"commit ssl cert {certificate.path}", "Success")
