"""The list of revoked certificates: made by the CA, and read by the other gateway."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from dayfly.durable import translated
from dayfly.tunnel.problem import TunnelError

HINT = "`dayfly tunnel revoke SITE` writes it, on the one machine that signs."


def written(
    serials: Sequence[int],
    key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
    *,
    since: datetime,
    lasts: timedelta,
) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.subject)
        .last_update(since)
        .next_update(since + lasts)
        .add_extension(x509.CRLNumber(len(serials)), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
    )
    for serial in serials:
        revoked = x509.RevokedCertificateBuilder().serial_number(serial)
        builder = builder.add_revoked_certificate(revoked.revocation_date(since).build())
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def read_revoked(path: Path, ca: bytes) -> bytes:
    """As PEM; empty where there is no list. TunnelError where it is not one of this CA.

    An IKE daemon would take such a list without a word, and let in who was revoked.
    """
    if not path.exists():
        return b""
    with translated(path):
        pem = path.read_bytes()
    try:
        found = x509.load_pem_x509_crl(pem)
    except ValueError as error:
        raise TunnelError(f"{path}: no list of revoked certificates, as PEM", hint=HINT) from error
    if not _signed(found, x509.load_pem_x509_certificate(ca)):
        raise TunnelError(
            f"{path}: not of the CA that signed the certificate of this site", hint=HINT
        )
    return found.public_bytes(serialization.Encoding.PEM)


def _signed(found: x509.CertificateRevocationList, ca: x509.Certificate) -> bool:
    if found.issuer != ca.subject:
        return False
    try:
        return found.is_signature_valid(ca.public_key())  # type: ignore[arg-type]
    except (InvalidSignature, TypeError, ValueError):  # a key of another kind
        return False
