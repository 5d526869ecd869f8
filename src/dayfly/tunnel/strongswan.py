"""strongswan.conf of our own IKE daemon, so that the machine's own configuration stays as it is."""

from pathlib import Path

from dayfly.tunnel.connections import Section, text

TABLE = 7220  # of the kernel's routing; strongSwan's usual one is 220
# Of its rule: before those of the machine, which would lead packets for the other site past it.
# Its table knows ways to the other site alone, so it takes nothing else from them.
PRIORITY = 1
MARK = 0xDF  # of the daemon's own packets, which must not go through the tunnel
DEVICES = "ipsec*"  # of TUN, as kernel-libipsec calls them
_PLUGINS = (
    "random nonce openssl aes sha1 sha2 hmac kdf drbg gcm ctr cmac gmp curve25519 chapoly"
    " pem pkcs1 pkcs8 x509 pubkey revocation constraints"
)
# A peer that does not answer is given up after 2.5 s: 0.35 s and 1.4 times as much each time.
_RETRANSMIT: Section = {
    "retransmit_timeout": "0.35",
    "retransmit_base": "1.4",
    "retransmit_tries": "3",
}


def configuration(*, kernel: bool, vici: Path, log: Path, acquire: str = "") -> str:
    """`kernel`: it has ESP; otherwise packets are encrypted outside of it, through TUN.

    `acquire` is the machine's net.core.xfrm_acq_expires, which strongSwan would set otherwise.
    """
    expires = {"xfrm_acq_expires": acquire} if acquire else {}
    engine = "kernel-netlink" if kernel else "kernel-libipsec kernel-netlink"
    daemon: Section = {
        "load_modular": "no",
        "load": f"{_PLUGINS} {engine} socket-default vici",
        "routing_table": str(TABLE),
        "routing_table_prio": str(PRIORITY),
        **_RETRANSMIT,
        "retry_initiate_interval": "1",
        "make_before_break": "yes",
        "filelog": {
            "own": {
                "path": str(log),
                "append": "yes",
                "flush_line": "yes",
                "ike_name": "yes",
                "time_format": "%Y-%m-%dT%H:%M:%S%z",
                "default": "1",
                "enc": "0",
                "net": "0",
            }
        },
        "plugins": {
            "vici": {"socket": f"unix://{vici}"},
            "kernel-netlink": {"fwmark": f"!{MARK:#x}", **expires},
            "socket-default": {"fwmark": f"{MARK:#x}"},
        },
    }
    return text({"charon-systemd": daemon})
