"""The small CA of an environment."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from dayfly.tunnel.authority import CA_YEARS, YEAR, Authority, read_credentials
from dayfly.tunnel.credentials import today
from dayfly.tunnel.problem import TunnelError
from dayfly.tunnel.revoked import read_revoked


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


def test_a_site_gets_one_file_with_all_it_needs(authority: Authority, tmp_path: Path) -> None:
    for site in ("dev", "production"):
        (tmp_path / f"{site}.pem").write_bytes(authority.issue(site, now=today()))
    dev, production = (read_credentials(tmp_path / f"{site}.pem") for site in ("dev", "production"))

    assert dev.ca == production.ca
    own = x509.load_pem_x509_certificate(dev.certificate)
    own.verify_directly_issued_by(x509.load_pem_x509_certificate(dev.ca))
    assert own.subject.rfc4514_string() == "CN=dev"
    assert dev.expiry(today()) == ""
    assert "PRIVATE" not in repr(dev)
    assert (authority.folder / "ca.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("lasts", "says"),
    [
        (timedelta(days=20), "the certificate of this gateway expires on "),
        (timedelta(seconds=-1), "the certificate of this gateway expired on "),
    ],
)
def test_the_end_of_a_certificate_is_told_before_it_comes(
    authority: Authority, tmp_path: Path, lasts: timedelta, says: str
) -> None:
    (tmp_path / "dev.pem").write_bytes(authority.issue("dev", now=today(), lasts=lasts))

    assert read_credentials(tmp_path / "dev.pem").expiry(today()).startswith(says)


@pytest.mark.parametrize(
    ("left", "says"),
    [
        (timedelta(days=20), "the CA of this gateway's certificate expires on "),
        (timedelta(0), "the CA of this gateway's certificate expired on "),
    ],
)
def test_a_certificate_ends_with_its_ca_and_the_end_of_that_is_told(
    authority: Authority, tmp_path: Path, left: timedelta, says: str
) -> None:
    began = today() - CA_YEARS * YEAR + left
    authority.issue("dev", now=began)
    (tmp_path / "dev.pem").write_bytes(authority.issue("dev", now=began + timedelta(days=7000)))

    found = read_credentials(tmp_path / "dev.pem")
    assert found.until == found.ca_until
    assert found.expiry(today()).startswith(says)


def test_an_expired_ca_signs_nothing(authority: Authority) -> None:
    authority.issue("dev", now=today() - CA_YEARS * YEAR)

    with pytest.raises(TunnelError, match="ca: the CA expired on ") as error:
        authority.issue("dev", now=today())
    assert error.value.hint.startswith(f"Move {authority.folder} away")


def test_all_that_was_revoked_stays_revoked(authority: Authority, tmp_path: Path) -> None:
    serials = []
    for _ in range(2):
        authority.issue("dev", now=today())
        (held,) = authority.issued("dev", now=today())
        serials.append(held.serial)
        for _ in range(2):  # again is no error
            authority.revoke([held.serial], tmp_path / "crl.pem", now=today())
        crl = x509.load_pem_x509_crl((tmp_path / "crl.pem").read_bytes())

    assert [entry.serial_number for entry in crl] == serials


def test_what_was_issued_is_known_wherever_it_is(authority: Authority, tmp_path: Path) -> None:
    authority.issue("dev", now=today())
    expired = authority.issue("production", now=today(), lasts=timedelta(seconds=-1))
    moved, kept = (authority.issue("production", "10.2.0.1", now=today()) for _ in range(2))

    found = authority.issued("production", now=today())
    assert [each.serial for each in found] == [serial(moved), serial(kept)]
    assert serial(expired) not in [each.serial for each in found]

    # A file of before there was a record, and one of another CA.
    (authority.folder / "issued").unlink()
    file = tmp_path / "production.pem"
    file.write_bytes(moved)
    (old,) = authority.issued("production", now=today(), file=file)
    assert old.serial == serial(moved)
    file.write_bytes(Authority(tmp_path / "other").issue("production", now=today()))
    assert authority.issued("production", now=today(), file=file) == [old]

    (authority.folder / "issued").write_text("what is this\n")
    with pytest.raises(TunnelError, match="issued, line 1: no certificate that was issued"):
        authority.issued("production", now=today())


def test_a_certificate_is_its_sites_whatever_the_site_is_called_by_now(
    authority: Authority,
) -> None:
    serials = [
        serial(authority.issue(name, site=site, now=today()))
        for name, site in (
            ("production", ""),  # of before a site was told …
            ("VPN.example.org", ""),  # … and of before it was written in another case
            ("old.example.org", "production"),
            ("dev", "dev"),
        )
    ]
    found = authority.issued("production", identity="vpn.example.org", now=today())

    assert [each.serial for each in found] == serials[:3]


def test_who_needs_the_first_certificate_at_once_makes_one_ca(authority: Authority) -> None:
    with ThreadPoolExecutor(8) as pool:
        sites = [f"site-{number}" for number in range(8)]
        made = list(pool.map(lambda site: authority.issue(site, now=today()), sites))

    assert len({x509.load_pem_x509_certificates(pem)[1] for pem in made}) == 1


def test_what_is_revoked_at_once_is_in_the_list(authority: Authority) -> None:
    crl = authority.folder / "crl.pem"
    authority.issue("dev", now=today())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: authority.revoke([number], crl, now=today()), range(1, 41)))

    found = x509.load_pem_x509_crl(crl.read_bytes())
    assert {entry.serial_number for entry in found} == set(range(1, 41))


def serial(pem: bytes) -> int:
    return x509.load_pem_x509_certificates(pem)[0].serial_number


def test_a_list_of_revoked_certificates_is_taken_only_when_it_is_one(
    authority: Authority, tmp_path: Path
) -> None:
    other, ca, file = Authority(tmp_path / "other"), authority.folder / "ca.pem", tmp_path / "crl"
    for each in (authority, other):
        each.issue("dev", now=today())
    for each in (authority, other):
        each.revoke([7], each.folder / "crl.pem", now=today())
    good, foreign = ((each.folder / "crl.pem").read_bytes() for each in (authority, other))
    assert read_revoked(file, ca.read_bytes()) == b""
    file.write_bytes(good)
    assert read_revoked(file, ca.read_bytes()) == good

    for wrong, says in (
        (b"", "no list of revoked certificates"),
        (b"junk", "no list of revoked certificates"),
        (good[:150], "no list of revoked certificates"),
        (ca.read_bytes(), "no list of revoked certificates"),
        (foreign, "not of the CA that signed"),
    ):
        file.write_bytes(wrong)
        with pytest.raises(TunnelError, match=f"crl: {says}"):
            read_revoked(file, ca.read_bytes())


@pytest.mark.parametrize(
    ("part", "says"),
    [
        (slice(0, 1), "the certificate of the CA is missing|not a key with its certificates"),
        (slice(1, 3), "not a key with its certificates"),
        (slice(0, 2), "the certificate of the CA is missing"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_by_name(
    authority: Authority, tmp_path: Path, part: slice, says: str
) -> None:
    whole = authority.issue("dev", now=today()).decode()
    parts = [f"-----BEGIN{each}" for each in whole.split("-----BEGIN")[1:]]
    file = tmp_path / "dev.pem"
    file.write_text("".join(parts[part]))

    with pytest.raises(TunnelError, match=f"dev.pem: .*({says})"):
        read_credentials(file)


def test_a_key_of_another_certificate_is_found_out(authority: Authority, tmp_path: Path) -> None:
    one, another = (authority.issue(site, now=today()).decode() for site in ("dev", "other"))
    key, rest = one.split("-----BEGIN CERT", 1)[0], another.split("-----BEGIN CERT", 1)[1]
    file = tmp_path / "dev.pem"
    file.write_text(f"{key}-----BEGIN CERT{rest}")

    with pytest.raises(TunnelError, match="its key does not belong to its first certificate"):
        read_credentials(file)


def test_a_ca_that_did_not_sign_the_certificate_is_found_out(
    authority: Authority, tmp_path: Path
) -> None:
    one, another = (
        each.issue("dev", now=today()).decode() for each in (authority, Authority(tmp_path / "x"))
    )
    (own, _), (_, ca) = (pem.rsplit("-----BEGIN CERT", 1) for pem in (one, another))
    file = tmp_path / "dev.pem"
    file.write_text(f"{own}-----BEGIN CERT{ca}")

    with pytest.raises(
        TunnelError, match="the CA in it, its last certificate, did not sign its first"
    ):
        read_credentials(file)
