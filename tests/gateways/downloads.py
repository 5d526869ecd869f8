"""What AWS offers for download, with the addresses and keys that a test wants."""

from collections.abc import Sequence

Told = tuple[str, str, str]  # the customer gateway's address, AWS's, the pre-shared key

_XML_TUNNEL = """
  <ipsec_tunnel>
    <customer_gateway>
      <tunnel_outside_address>
        <ip_address>{ours}</ip_address>
      </tunnel_outside_address>
      <tunnel_inside_address>
        <ip_address>169.254.{number}.2</ip_address>
        <network_mask>255.255.255.252</network_mask>
        <network_cidr>30</network_cidr>
      </tunnel_inside_address>
    </customer_gateway>
    <vpn_gateway>
      <tunnel_outside_address>
        <ip_address>{theirs}</ip_address>
      </tunnel_outside_address>
      <tunnel_inside_address>
        <ip_address>169.254.{number}.1</ip_address>
        <network_mask>255.255.255.252</network_mask>
        <network_cidr>30</network_cidr>
      </tunnel_inside_address>
    </vpn_gateway>
    <ike>
      <authentication_protocol>sha1</authentication_protocol>
      <encryption_protocol>aes-128-cbc</encryption_protocol>
      <lifetime>28800</lifetime>
      <perfect_forward_secrecy>group2</perfect_forward_secrecy>
      <mode>main</mode>
      <pre_shared_key>{key}</pre_shared_key>
    </ike>
    <ipsec>
      <protocol>esp</protocol>
      <authentication_protocol>hmac-sha1-96</authentication_protocol>
      <encryption_protocol>aes-128-cbc</encryption_protocol>
      <lifetime>3600</lifetime>
      <perfect_forward_secrecy>group2</perfect_forward_secrecy>
      <mode>tunnel</mode>
      <clear_df_bit>true</clear_df_bit>
      <fragmentation_before_encryption>true</fragmentation_before_encryption>
      <tcp_mss_adjustment>1379</tcp_mss_adjustment>
      <dead_peer_detection>
        <interval>10</interval>
        <retries>3</retries>
      </dead_peer_detection>
    </ipsec>
  </ipsec_tunnel>"""

_GENERIC_TUNNEL = """
IPSec Tunnel #{number}
================================================================================
#1: Internet Key Exchange Configuration

Configure the IKE SA as follows:
Please note, these sample configurations are for the minimum requirement.
  - IKE version              : IKEv2
  - Authentication Method    : Pre-Shared Key
  - Pre-Shared Key           : {key}
  - Authentication Algorithm : sha1
  - Encryption Algorithm     : aes-128-cbc
  - Lifetime                 : 28800 seconds
  - Phase 1 Negotiation Mode : main
  - Diffie-Hellman           : Group 2

#3: Tunnel Interface Configuration

Outside IP Addresses:
  - Customer Gateway \t\t: {ours}
  - Virtual Private Gateway\t: {theirs}

Inside IP Addresses
  - Customer Gateway         \t\t: 169.254.{number}.2/30
  - Virtual Private Gateway             : 169.254.{number}.1/30
"""

_STRONGSWAN_TUNNEL = """
--------------------------------------------------------------------------------
IPSEC Tunnel #{number}
--------------------------------------------------------------------------------
#3) Create a new file at /etc/ipsec.conf if doesn't already exist, and then open it.

conn Tunnel{number}
\tauto=start
\tleft=%defaultroute
\tleftid={ours}
\tright={theirs}
\ttype=tunnel
\tleftauth=psk
\trightauth=psk
\tkeyexchange=ikev2
\tike=aes128-sha1-modp1024
\tikelifetime=8h
\tmark={number}00
#\trightid={theirs}

#4) Create a new file at /etc/ipsec.secrets if it doesn't already exist:

{ours} {theirs} : PSK "{key}"
"""


def xml(tunnels: Sequence[Told]) -> str:
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<vpn_connection id="vpn-0a1b2c3d4e5f">'
    names = (
        "\n  <customer_gateway_id>cgw-0a1b</customer_gateway_id>"
        "\n  <vpn_gateway_id>vgw-0c1d</vpn_gateway_id>"
        "\n  <vpn_connection_type>ipsec.1</vpn_connection_type>"
    )
    return f"{head}{names}{_each(_XML_TUNNEL, tunnels)}\n</vpn_connection>\n"


def generic(tunnels: Sequence[Told]) -> str:
    head = "Amazon Web Services\nVirtual Private Cloud\n\nVPN Connection Configuration\n"
    return f"{head}{_each(_GENERIC_TUNNEL, tunnels)}"


def strongswan(tunnels: Sequence[Told]) -> str:
    head = "! Amazon Web Services\n! AWS utilizes unique identifiers\n"
    return f"{head}{_each(_STRONGSWAN_TUNNEL, tunnels)}"


def _each(template: str, tunnels: Sequence[Told]) -> str:
    return "".join(
        template.format(number=number, ours=ours, theirs=theirs, key=key)
        for number, (ours, theirs, key) in enumerate(tunnels, 1)
    )
