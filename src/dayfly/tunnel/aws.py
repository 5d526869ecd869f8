"""The configuration that AWS offers for a Site-to-Site VPN connection: as XML, or as text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from xml.parsers import expat

from dayfly.tunnel.problem import TunnelError

LARGEST = 256 * 1024  # characters; AWS's have about 20,000
DEEPEST = 16
TUNNELS = 2
_KEY = re.compile(r"[!-~]{8,128}")
HINT = "Download it anew in AWS's console: Site-to-Site VPN connections, Download configuration."


@dataclass(frozen=True, kw_only=True)
class AwsTunnel:
    """One of the two: addresses on the internet and the pre-shared key."""

    ours: str
    theirs: str
    key: str = field(repr=False)


def read_aws(text: str, file: str) -> tuple[AwsTunnel, ...]:
    """The tunnels of a downloaded file; TunnelError names the file and what is wrong with it."""
    if len(text) > LARGEST:
        raise TunnelError(f"{file}: larger than {LARGEST} characters", hint=HINT)
    begun = text.lstrip("\ufeff \t\r\n")
    found = list(_from_xml(begun, file) if begun.startswith("<") else _from_text(text))
    if not found:
        raise TunnelError(f"{file}: no tunnel is described in it", hint=HINT)
    if len(found) < TUNNELS:
        raise TunnelError(f"{file}: it ends before its second tunnel: AWS makes two", hint=HINT)
    if len({tunnel.theirs for tunnel in found}) != len(found):
        raise TunnelError(f"{file}: two tunnels with one address", hint=HINT)
    for number, tunnel in enumerate(found, 1):
        _require(tunnel, f"{file}: tunnel {number}")
    return tuple(found)


def _require(tunnel: AwsTunnel, where: str) -> None:
    for name, address in (("customer gateway", tunnel.ours), ("vpn gateway", tunnel.theirs)):
        if not _is_of_a_gateway(address):
            says = f"{where}: found {address[:50]!r} as the address of the {name}"
            raise TunnelError(says, hint=HINT)
    if not _KEY.fullmatch(tunnel.key):
        raise TunnelError(f"{where}: its pre-shared key is missing or damaged", hint=HINT)


def _is_of_a_gateway(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return not (address.is_unspecified or address.is_link_local or address.is_multicast)


_XML = {
    "customer_gateway/tunnel_outside_address/ip_address": "ours",
    "vpn_gateway/tunnel_outside_address/ip_address": "theirs",
    "ike/pre_shared_key": "key",
}


def _from_xml(text: str, file: str) -> Iterator[AwsTunnel]:
    for told in _tunnels_of(text, file):
        yield AwsTunnel(**{name: told.get(path, "") for path, name in _XML.items()})


def _tunnels_of(text: str, file: str) -> list[dict[str, str]]:
    reader, parser = _Reader(file), expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.words
    parser.StartDoctypeDeclHandler = reader.refuse
    try:
        parser.Parse(text.encode(), True)
    except (expat.ExpatError, UnicodeEncodeError) as error:
        raise TunnelError(f"{file}: {error}", hint=HINT) from error
    return reader.found


class _Reader:
    """Texts by their path, for each <ipsec_tunnel>; declarations of entities are refused."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._path: list[str] = []
        self.found: list[dict[str, str]] = []

    def start(self, name: str, _attributes: object) -> None:
        self._path.append(name)
        if len(self._path) > DEEPEST:
            raise TunnelError(f"{self._file}: nested too deeply", hint=HINT)
        if name == "ipsec_tunnel":
            self.found.append({})
        elif (below := self._below()) in _XML and self.found[-1].setdefault(below, ""):
            raise TunnelError(f"{self._file}: {below} is there twice in one tunnel", hint=HINT)

    def end(self, _name: str) -> None:
        self._path.pop()

    def words(self, text: str) -> None:
        if (below := self._below()) in _XML:
            self.found[-1][below] += text.strip()

    def refuse(self, *_declared: object) -> None:
        says = f"{self._file}: it declares a document type, which AWS's never do"
        raise TunnelError(says, hint=HINT)

    def _below(self) -> str:
        path = self._path
        return "/".join(path[path.index("ipsec_tunnel") + 1 :]) if "ipsec_tunnel" in path else ""


# -- the generic text, and strongSwan's

_SECTION = re.compile(r"^.*IPSec Tunnel #\d+.*$", re.IGNORECASE | re.MULTILINE)
_VALUE = r"\s*:\s*(\S+)[ \t\r]*\n"  # to the end of its line: a file may be cut within it
_GENERIC = {
    "ours": re.compile(r"Outside IP Addresses:.*?- Customer Gateway" + _VALUE, re.DOTALL),
    "theirs": re.compile(r"Outside IP Addresses:.*?- Virtual Private Gateway" + _VALUE, re.DOTALL),
    "key": re.compile(r"- Pre-Shared Key" + _VALUE),
}
_CONN = re.compile(r"^conn\s+(?!%)\S+[^\n]*\n(?P<body>(?:[ \t]+[^\n]*\n?)*)", re.MULTILINE)
_SECRET = re.compile(r'^\s*(\S+)\s+(\S+)\s*:\s*PSK\s+"([^"\n]*)"', re.MULTILINE)


def _from_text(text: str) -> Iterator[AwsTunnel]:
    keys = {(found[1], found[2]): found[3] for found in _SECRET.finditer(text)}
    if keys:
        yield from _of_strongswan(text, keys)
        return
    for section in _SECTION.split(text)[1:]:
        told = {
            name: found[1] for name, each in _GENERIC.items() if (found := each.search(section))
        }
        if told:
            yield AwsTunnel(**{name: told.get(name, "") for name in _GENERIC})


def _of_strongswan(text: str, keys: dict[tuple[str, str], str]) -> Iterator[AwsTunnel]:
    """`conn` blocks as ipsec.conf has them, and the lines for ipsec.secrets."""
    uncommented = re.sub(r"^[ \t]*#.*\n?", "", text, flags=re.MULTILINE)
    for conn in _CONN.finditer(uncommented):
        told = dict(re.findall(r"^\s*(leftid|right)\s*=\s*(\S+)", conn["body"], re.MULTILINE))
        if told:
            ours, theirs = told.get("leftid", ""), told.get("right", "")
            yield AwsTunnel(ours=ours, theirs=theirs, key=keys.get((ours, theirs), ""))
