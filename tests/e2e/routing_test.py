"""Istio resources with endpoints that run elsewhere: retries, mirrors, timeouts, refusals, as a client sees them."""

import socket
import time

from harness import GATEWAY, service_entry, share_is, to, virtual_service, wait_for


def test_a_service_entry_is_a_backend_by_itself(gateway, backend, folder):
    b = backend("b")
    folder.write("all.yaml", GATEWAY + service_entry("b", b.port) + virtual_service("b", to("b")))
    answer = gateway(folder).call("/x?y=1", {"a": 1})
    assert answer.status == 200
    assert answer.json() == {"backend": "b"}
    method, path, headers, body = b.seen[0]
    assert (method, path, body) == ("POST", "/x?y=1", b'{"a": 1}')
    assert headers["x-request-id"]
    assert "x-envoy-upstream-service-time" in answer.headers


def test_no_route_is_404_and_no_endpoint_is_503(gateway, backend, folder):
    folder.write("all.yaml", GATEWAY + service_entry("b") .replace("  endpoints:\n", "  endpoints: []\n") +
                 virtual_service("b", "  - {match: [{uri: {prefix: /b}}], route: [{destination: {host: b.test, port: {number: 8000}}}]}"))
    sluice = gateway(folder)
    assert sluice.call("/other").status == 404
    assert sluice.call("/b").status == 503


def test_weights_are_kept(gateway, backend, folder):
    a, b = backend("a"), backend("b")
    route = ("  - {route: [{destination: {host: a.test, port: {number: 8000}}, weight: 75}, "
             "{destination: {host: b.test, port: {number: 8000}}, weight: 25}]}")
    folder.write("all.yaml", GATEWAY + service_entry("a", a.port) + service_entry("b", b.port) + virtual_service("split", route))
    sluice = gateway(folder)
    total = 800
    for _ in range(total):
        assert sluice.call("/").status == 200
    assert a.count() + b.count() == total
    assert share_is(b.count(), total, 0.25), (a.count(), b.count())


def test_a_failing_try_is_repeated(gateway, backend, folder):
    b = backend("b", fail_first=2)
    folder.write("all.yaml", GATEWAY + service_entry("b", b.port) + virtual_service("b", to("b", "retries: {attempts: 3, retryOn: 5xx}")))
    answer = gateway(folder).call("/", {"keep": "this"})
    assert answer.status == 200
    assert b.count() == 3
    assert {body for _, _, _, body in b.seen} == {b'{"keep": "this"}'}


def test_tries_end_with_the_last_answer(gateway, backend, folder):
    b = backend("b", fail_first=-1)
    folder.write("all.yaml", GATEWAY + service_entry("b", b.port) + virtual_service("b", to("b", "retries: {attempts: 2, retryOn: 5xx}")))
    answer = gateway(folder).call("/", {})
    assert answer.status == 503
    assert b.count() == 3


def test_an_endpoint_that_refuses_is_passed_over(gateway, backend, folder):
    a, dead = backend("a"), backend("dead")
    dead.stop()
    folder.write("all.yaml", GATEWAY + service_entry("a", a.port, dead.port) + virtual_service("a", to("a")))
    sluice = gateway(folder)
    for _ in range(40):
        assert sluice.call("/").status == 200
    assert a.count() == 40


def test_the_mirror_sees_a_copy_and_never_delays(gateway, backend, folder):
    live, shadow = backend("live"), backend("shadow", status=500, delay=1.0)
    folder.write("all.yaml", GATEWAY + service_entry("live", live.port) + service_entry("shadow", shadow.port) + virtual_service(
        "live", to("live", "mirror: {host: shadow.test, port: {number: 8000}}")))
    sluice = gateway(folder)
    begin = time.monotonic()
    for _ in range(10):
        answer = sluice.call("/p", {"n": 1})
        assert (answer.status, answer.json()["backend"]) == (200, "live")
    assert time.monotonic() - begin < 5.0, "ten answers should not wait for a mirror that takes a second each"
    wait_for(lambda: shadow.count() == 10, 10, "the mirror got every copy")
    assert shadow.seen[0][2]["host"] == "localhost", "as Istio 1.31: no suffix"
    assert shadow.seen[0][3] == b'{"n": 1}'


def test_a_route_timeout_is_504(gateway, backend, folder):
    b = backend("b", delay=5)
    folder.write("all.yaml", GATEWAY + service_entry("b", b.port) + virtual_service("b", to("b", "timeout: 0.3s")))
    begin = time.monotonic()
    assert gateway(folder).call("/").status == 504
    assert b.count() >= 1
    assert time.monotonic() - begin < 20


MALFORMED = {
    "two lengths": b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
    "length and chunked": b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "length not a number": b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3x\r\n\r\nabc",
    "folded header": b"GET / HTTP/1.1\r\nhost: x\r\na: b\r\n c\r\n\r\n",
    "NUL in a value": b"GET / HTTP/1.1\r\nhost: x\r\na: b\0c\r\n\r\n",
    "blank before the colon": b"GET / HTTP/1.1\r\nhost: x\r\na : b\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\na: b\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
    "bad chunk size": b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    "unknown coding": b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n",
    "bare line feeds": b"GET / HTTP/1.1\nhost: x\n\n",
}


def exchange(port, raw, seconds=5):
    """Everything that comes back until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(raw)
        received = b""
        while True:
            part = connection.recv(65536)
            if not part:
                return received
            received += part


def test_malformed_requests_are_refused_and_the_connection_ends(gateway, backend, folder):
    b = backend("b")
    folder.write("all.yaml", GATEWAY + service_entry("b", b.port) + virtual_service("b", to("b")))
    sluice = gateway(folder)
    for name, raw in MALFORMED.items():
        smuggled = raw + b"GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n"
        received = exchange(sluice.http, smuggled)
        first = received.split(b"\r\n")[0]
        assert first.startswith((b"HTTP/1.1 400", b"HTTP/1.1 501")), (name, received[:200])
        assert received.count(b"HTTP/1.1 ") == 1, (name, received)
    assert not [path for _, path, _, _ in b.seen if path == "/smuggled"]
    assert sluice.call("/").status == 200
