"""A small CA: one file for each site, with its key, its certificate and who signed it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dayfly.durable import locked, translated, write_atomically
from dayfly.tunnel import revoked
from dayfly.tunnel.credentials import Credentials
from dayfly.tunnel.issued import Issued, holding, record
from dayfly.tunnel.issued import read as read_issued
from dayfly.tunnel.problem import TunnelError

CA_YEARS, SITE_YEARS = 20, 3
YEAR = timedelta(days=365.25)
BEFORE = timedelta(hours=1)  # for clocks that are behind


@dataclass(frozen=True)
class Authority:
    """Lies in a folder with its key, on one machine only."""

    folder: Path

    @property
    def exists(self) -> bool:
        return (self.folder / "ca.key").exists()

    def issue(
        self,
        *identities: str,
        site: str = "",
        now: datetime,
        lasts: timedelta = SITE_YEARS * YEAR,
    ) -> bytes:
        """Key, certificate and CA as PEM: all that a gateway or a server needs.

        The first identity is its name. The CA is made when it is needed first.
        `site`: for which of a tunnel's it is.
        """
        ca_key, ca = self._opened(now)
        until = min(now + lasts, self._end(ca, now))
        key = ec.generate_private_key(ec.SECP256R1())
        names = [_alternative(identity) for identity in identities]
        certificate = (
            _builder(identities[0], ca.subject, now, until)
            .public_key(key.public_key())
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage(
                    [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
                ),
                critical=False,
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()),
                critical=False,
            )
            .sign(ca_key, hashes.SHA256())
        )
        _record(self._issued, certificate, site)
        return _key_pem(key) + _pem(certificate) + _pem(ca)

    def issued(
        self, site: str, *, identity: str = "", now: datetime, file: Path | None = None
    ) -> list[Issued]:
        """What holds of a site, oldest first. `file`: with one that may be older than the record.

        It does not matter where the file of a site is now.
        """
        if file is not None and file.exists():
            self._know(read_credentials(file), site)
        known, revoked = read_issued(self._issued), frozenset(self._serials())
        return holding(known, site, identity, revoked=revoked, now=now)

    def revoke(self, serials: Sequence[int], file: Path, *, now: datetime) -> None:
        """Write the list of revoked certificates, with these; the other gateway is given it."""
        ca_key, ca = self._opened(now)
        with self._alone():
            known = list(dict.fromkeys([*self._serials(), *serials]))
            write_atomically(self._revoked, "".join(f"{serial}\n" for serial in known))
            since, lasts = now - BEFORE, CA_YEARS * YEAR
            write_atomically(file, revoked.written(known, ca_key, ca, since=since, lasts=lasts))

    @property
    def _issued(self) -> Path:
        return self.folder / "issued"

    @property
    def _revoked(self) -> Path:
        return self.folder / "revoked"

    def _serials(self) -> list[int]:
        """Of all that was revoked."""
        with translated(self._revoked):
            text = self._revoked.read_text() if self._revoked.exists() else ""
        return [int(each) for each in text.split()]

    def _know(self, found: Credentials, site: str) -> None:
        """Of a file that a Dayfly without this record wrote, if it is of this CA."""
        with translated(self.folder):
            ours = (self.folder / "ca.pem").read_bytes()
        certificate = x509.load_pem_x509_certificate(found.certificate)
        if found.ca == _pem(x509.load_pem_x509_certificate(ours)):
            _record(self._issued, certificate, site)

    def _opened(self, now: datetime) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        if not self.exists:
            with self._alone():
                if not self.exists:  # somebody else has not made it meanwhile
                    self._make(now)
        with translated(self.folder):
            key_pem = (self.folder / "ca.key").read_bytes()
            ca_pem = (self.folder / "ca.pem").read_bytes()
        key = serialization.load_pem_private_key(key_pem, None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TunnelError(f"{self.folder / 'ca.key'}: not a key that Dayfly made")
        return key, x509.load_pem_x509_certificate(ca_pem)

    def _end(self, ca: x509.Certificate, now: datetime) -> datetime:
        """Of what it signs, too; TunnelError where it has come."""
        until = ca.not_valid_after_utc
        if until <= now:
            raise TunnelError(
                f"{self.folder}: the CA expired on {until:%Y-%m-%d}",
                hint=f"Move {self.folder} away: another CA is made then, and every gateway needs"
                " a certificate of it.",
            )
        return until

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with translated(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(self.folder / "ca.lock"):
            yield

    def _make(self, now: datetime) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _named(f"Dayfly CA {x509.random_serial_number():x}"[:32])
        usage = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
             "key_agreement", "encipher_only", "decipher_only"), False,
        )  # fmt: skip
        ca = (
            _builder(None, name, now, now + CA_YEARS * YEAR)
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.KeyUsage(**usage, key_cert_sign=True, crl_sign=True), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .sign(key, hashes.SHA256())
        )
        write_atomically(self.folder / "ca.pem", _pem(ca))
        write_atomically(self.folder / "ca.key", _key_pem(key))


def read_credentials(path: Path) -> Credentials:
    """Of a site's PEM file; TunnelError where it is none."""
    with translated(path):
        pem = path.read_bytes()
    try:
        key = serialization.load_pem_private_key(pem, None)
        own, *others = x509.load_pem_x509_certificates(pem)
    except (ValueError, TypeError) as error:
        raise TunnelError(f"{path}: not a key with its certificates, as PEM") from error
    if not others:
        raise TunnelError(f"{path}: the certificate of the CA is missing in it")
    if own.public_key() != key.public_key():
        raise TunnelError(f"{path}: its key does not belong to its first certificate")
    _require_signed(path, own, others[-1])
    return Credentials(
        key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        certificate=_pem(own),
        ca=_pem(others[-1]),
        until=own.not_valid_after_utc,
        ca_until=others[-1].not_valid_after_utc,
        names=frozenset(_names(own)),
    )


def _require_signed(path: Path, own: x509.Certificate, ca: x509.Certificate) -> None:
    """Others are told of the CA and of nobody between: they could not follow."""
    try:
        own.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise TunnelError(
            f"{path}: the CA in it, its last certificate, did not sign its first one"
        ) from error


def single(pem: str) -> str:
    """The one certificate that a text holds, written anew; ValueError where it is not just one.

    What is compared is then all that is trusted: nothing rides along.
    """
    (only,) = x509.load_pem_x509_certificates(pem.encode())
    return _pem(only).decode()


def fingerprint(pem: str) -> str:
    """By which people compare a certificate: SHA-256 of it."""
    return x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA256()).hex()


def _record(file: Path, certificate: x509.Certificate, site: str) -> None:
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    until = certificate.not_valid_after_utc
    serial = certificate.serial_number
    record(file, Issued(serial=serial, name=str(name.value), until=until, site=site))


def _names(certificate: x509.Certificate) -> Iterator[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return
    yield from found.value.get_values_for_type(x509.DNSName)
    yield from map(str, found.value.get_values_for_type(x509.IPAddress))


def _builder(
    identity: str | None, issuer: x509.Name, now: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(issuer if identity is None else _named(identity))
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BEFORE)
        .not_valid_after(until)
    )


def _alternative(identity: str) -> x509.GeneralName:
    """What calls itself by an address is known by that."""
    try:
        return x509.IPAddress(ip_address(identity))
    except ValueError:
        return x509.DNSName(identity)


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
