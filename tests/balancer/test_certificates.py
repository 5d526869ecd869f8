"""Certificates come, change and go without a reload."""

import http.client
import socket
import ssl

import pytest
import trustme

from balancing import World
from dayfly.balancer.routing import BalancerError

AUTHORITY = trustme.CA()


def put(world: World, name: str, *hosts: str) -> None:
    made = AUTHORITY.issue_cert(*hosts)
    chain = b"".join(each.bytes() for each in made.cert_chain_pems)
    (world.home / "tls" / name).write_bytes(chain + made.private_key_pem.bytes())


def serial(world: World, host: str) -> str:
    """Of the certificate that the balancer shows for a host, checked against our authority."""
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    with (
        socket.create_connection(("127.0.0.1", world.tls_port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
    ):
        shown = connection.getpeercert()
        assert shown
        return str(shown["serialNumber"])


def test_certificates_come_change_and_go_at_run_time(tls_world: World) -> None:
    world = tls_world
    pid = world.haproxy().pid
    put(world, "a.pem", "a.example")
    assert world.balancer.reload_certificates() == ("../tls/a.pem",)
    first = serial(world, "a.example")

    put(world, "a.pem", "a.example")
    put(world, "b.pem", "b.example")
    assert world.balancer.reload_certificates() == ("../tls/a.pem", "../tls/b.pem")
    assert serial(world, "a.example") != first
    assert serial(world, "b.example")
    assert world.balancer.reload_certificates() == ()

    (world.home / "tls" / "b.pem").unlink()
    assert world.balancer.reload_certificates() == ("../tls/b.pem",)
    with pytest.raises(ssl.SSLError):
        serial(world, "b.example")
    assert world.haproxy().pid == pid


def test_after_a_restart_the_certificates_are_there(tls_world: World) -> None:
    world = tls_world
    put(world, "a.pem", "a.example")
    world.balancer.reload_certificates()
    before = serial(world, "a.example")
    world.kill_haproxy()

    assert serial(world, "a.example") == before
    put(world, "b.pem", "b.example")
    world.balancer.reload_certificates()
    assert serial(world, "b.example")


def test_a_file_that_is_no_certificate_is_named_and_harms_nothing(tls_world: World) -> None:
    world = tls_world
    put(world, "a.pem", "a.example")
    (world.home / "tls" / "bad.pem").write_text("-----BEGIN CERTIFICATE-----\nx\n")

    with pytest.raises(BalancerError, match=r"bad\.pem"):
        world.balancer.reload_certificates()

    assert serial(world, "a.example")
    world.kill_haproxy()
    assert serial(world, "a.example")


def test_http2_is_spoken_and_the_app_knows_of_tls(tls_world: World) -> None:
    world = tls_world
    world.serving(1)
    put(world, "a.pem", "a.example")
    world.balancer.reload_certificates()
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    connection = http.client.HTTPSConnection("127.0.0.1", world.tls_port, context=context)
    context.check_hostname = False
    plain = socket.create_connection(("127.0.0.1", world.tls_port), timeout=10)
    connection.sock = context.wrap_socket(plain, server_hostname="a.example")
    connection.request("GET", "/headers")
    assert "x-forwarded-proto: https" in connection.getresponse().read().decode()
    connection.close()

    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", world.tls_port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="a.example") as secured,
    ):
        assert secured.selected_alpn_protocol() == "h2"
