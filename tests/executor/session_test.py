"""`sluice executor` and callers and units that do not behave as in a textbook."""

import json
import os
import pathlib
import re
import signal
import socket
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402

PREDICT = "/api/v1.0/predictions"


def predictor(port, **unit):
    endpoint = {"service_host": "127.0.0.1", "service_port": port, "httpPort": port}
    return {"name": "main", "graph": {"name": "m", "type": "MODEL", "endpoint": endpoint, **unit}}


class RawUnit:
    """A unit by hand: `talk(connection, number)` has each accepted socket on a thread of its own; `number` counts from 1."""

    def __init__(self, talk):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.talk, self.accepted, self.open = self.listener.getsockname()[1], talk, 0, []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            self.open.append(connection)
            threading.Thread(target=self.guard, args=(connection, self.accepted), daemon=True).start()

    def guard(self, connection, number):
        try:
            self.talk(connection, number)
        except OSError:
            pass

    def stop(self):
        self.listener.close()
        for connection in self.open:
            connection.close()


@pytest.fixture
def raw_unit():
    running = []

    def make(talk):
        running.append(RawUnit(talk))
        return running[-1]

    yield make
    for unit in running:
        unit.stop()


def read_request(connection):
    """(head, body) of a request with a length; None at the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    length = int((re.search(rb"(?i)content-length: (\d+)", head) or [0, 0])[1])
    while len(body) < length:
        body += connection.recv(65536)
    return head, body


def reply(body=b"{}", fields=b"", status=b"200 OK"):
    return b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s" % (status, len(body), fields, body)


def echo(connection, _number):
    while request := read_request(connection):
        connection.sendall(reply(request[1]))


def post(body, extra=b"", path=PREDICT):
    return b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n%s\r\n%s" % (path.encode(), len(body), extra, body)


def receive(connection, count=1):
    """`count` answers with a length: [(status, head, body)]."""
    found, data = [], b""
    while len(found) < count:
        match = re.match(rb"(?s)(HTTP/1\.1 (\d+).*?)\r\n\r\n", data)
        if match:
            length = int(re.search(rb"(?i)content-length: (\d+)", match[1])[1]) if match[2] != b"100" else 0
            if len(data) >= match.end() + length:
                found.append((int(match[2]), match[1], data[match.end():match.end() + length]))
                data = data[match.end() + length:]
                continue
        more = connection.recv(1 << 20)
        assert more, "closed after %d answers and %r" % (len(found), data)
        data += more
    assert not data
    return found


def connect(made):
    connection = socket.create_connection(("127.0.0.1", made.port), 10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def started(executor, unit, **options):
    return executor(predictor(unit.port), **options).start()


def test_requests_in_one_go_are_answered_in_order(executor, raw_unit):
    made = started(executor, raw_unit(echo))
    with connect(made) as connection:
        connection.sendall(b"".join(post(b'{"n":%d}' % n) for n in range(20)) + b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
        answers = receive(connection, 21)
    assert [body for _, _, body in answers] == [b'{"n":%d}' % n for n in range(20)] + [b""]
    assert len(set(re.search(rb"Seldon-Puid: (.*)", head)[1] for _, head, _ in answers)) == 21


def test_bytes_one_by_one(executor, raw_unit):
    made = started(executor, raw_unit(echo))
    with connect(made) as connection:
        for byte in post(b'{"a":1}'):
            connection.sendall(bytes([byte]))
        assert receive(connection)[0][2] == b'{"a":1}'


def test_chunks_with_the_next_request_behind_them(executor, raw_unit):
    made = started(executor, raw_unit(echo))
    chunked = b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" % PREDICT.encode()
    with connect(made) as connection:
        whole = chunked + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n" + post(b"next")
        for cut in (len(chunked) + 4, len(chunked), 10, len(whole) - 3, len(whole)):
            connection.sendall(whole[:cut])
            time.sleep(0.02)
            connection.sendall(whole[cut:])
            assert [body for _, _, body in receive(connection, 2)] == [b"abcde", b"next"]


def test_a_large_body_goes_and_comes_back(executor, raw_unit):
    made = started(executor, raw_unit(echo))
    body = os.urandom(1 << 20).hex().encode() * 15  # 30 MiB
    answer = harness.call(made.port, PREDICT, body, timeout=30)
    assert answer.status == 200 and answer.body == body


def test_a_body_beyond_the_limit_is_413(executor, raw_unit):
    made = started(executor, raw_unit(echo))
    with connect(made) as connection:
        connection.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 134217729\r\n\r\n" % PREDICT.encode())
        status, head, body = receive(connection)[0]
        assert status == 413 and b"Connection: close" in head and json.loads(body)["status"]["code"] == 413
        assert connection.recv(1) == b""


def test_expect_is_answered_before_the_body(executor, raw_unit):
    made = started(executor, raw_unit(echo))
    with connect(made) as connection:
        head, body = post(b"{}", b"Expect: 100-continue\r\n").split(b"\r\n\r\n")
        connection.sendall(head + b"\r\n\r\n")
        assert receive(connection)[0][0] == 100
        connection.sendall(body)
        assert receive(connection)[0][0] == 200


@pytest.mark.parametrize("bytes_sent, status", [
    (b"\x00\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    (b"GET / HTTP/1.0\r\nHost: x\r\n\r\n", 426),
    (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 70000 + b"\r\n\r\n", 431),
    (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    (b"POST " + PREDICT.encode() + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnope\r\n", 400),
])
def test_what_is_no_http_is_refused(executor, raw_unit, bytes_sent, status):
    made = started(executor, raw_unit(echo))
    with connect(made) as connection:
        connection.sendall(bytes_sent)
        assert receive(connection)[0][0] == status


def test_a_head_request_has_no_body(executor, raw_unit):
    made = started(executor, raw_unit(echo))
    with connect(made) as connection:
        connection.sendall(b"HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        head = connection.recv(65536)
        assert head.startswith(b"HTTP/1.1 200") and head.endswith(b"\r\n\r\n")
        connection.sendall(post(b"{}"))
        assert receive(connection)[0][0] == 200


def test_connections_to_the_unit_are_kept(executor, raw_unit):
    unit = raw_unit(echo)
    made = started(executor, unit)
    with connect(made) as connection:
        for _ in range(50):
            connection.sendall(post(b"{}"))
            assert receive(connection)[0][0] == 200
    assert unit.accepted == 1


def test_a_unit_that_closes_after_each_answer_fails_no_request(executor, raw_unit):
    def talk(connection, _):
        connection.sendall(reply(read_request(connection)[1], b"Connection: close\r\n"))
        connection.close()

    made = started(executor, raw_unit(talk))
    with connect(made) as connection:
        for _ in range(200):
            connection.sendall(post(b"{}"))
            status, _, body = receive(connection)[0]
            assert status == 200, body


def test_a_unit_that_closes_idle_connections_fails_no_request(executor, raw_unit):
    """Also when the end comes right behind the next request: both wait while the executor is stopped."""
    idle = []

    def talk(connection, _):
        connection.sendall(reply(read_request(connection)[1]))
        idle.append(connection)
        read_request(connection)  # until it is closed

    made = started(executor, raw_unit(talk))

    def close_idle():
        harness.wait_for(lambda: idle, 5, "the unit has answered")
        connection = idle.pop()
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()

    with connect(made) as connection:
        for _ in range(10):
            connection.sendall(post(b"{}"))
            assert receive(connection)[0][0] == 200
            made.process.send_signal(signal.SIGSTOP)
            connection.sendall(post(b"{}"))
            close_idle()
            made.process.send_signal(signal.SIGCONT)
            assert receive(connection)[0][0] == 200
            close_idle()
            time.sleep(0.02)


@pytest.mark.parametrize("answer, expected", [
    (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", (200, b"until the end")),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", (200, b"{}")),
    (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + reply(b"{}"), (200, b"{}")),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", (200, b"{}")),
    (reply(b"gone", status=b"204 No Content").replace(b"\r\n\r\ngone", b"\r\n\r\n").replace(b"Content-Length: 4\r\n", b""), (204, b"")),
    (reply(b"{}", status=b"201 Created"), (201, b"{}")),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", (500, b"within its answer")),
    (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", (500, b"no HTTP")),
    (b"SSH-2.0-OpenSSH\r\n", (500, b"no HTTP")),
    (b"", (500, b"without an answer")),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", (500, b"no HTTP")),
    (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope", (500, b"no gzip")),
])
def test_answers_of_odd_units(executor, raw_unit, answer, expected):
    def talk(connection, _):
        read_request(connection)
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)

    made = started(executor, raw_unit(talk))
    with connect(made) as connection:
        connection.sendall(post(b"{}"))
        status, _, body = receive(connection)[0]
    assert status == expected[0] and expected[1] in body, (status, body)
    assert harness.call(made.port, "/live").status == 200


def test_a_caller_that_leaves_ends_the_call(executor, raw_unit):
    left = threading.Event()

    def talk(connection, _):
        read_request(connection)
        if connection.recv(1) == b"":
            left.set()

    made = started(executor, raw_unit(talk))
    connection = connect(made)
    connection.sendall(post(b"{}"))
    time.sleep(0.2)
    assert not left.is_set()
    connection.close()
    assert left.wait(5)


def test_ready_follows_the_unit(executor, raw_unit):
    unit = raw_unit(echo)
    made = started(executor, unit)
    assert harness.call(made.port, "/ready").status == 200
    assert harness.call(made.port, "/api/v1.0/health/status").status == 200
    unit.stop()
    harness.wait_for(lambda: harness.call(made.port, "/ready").status == 503, 5, "not ready")


def test_full_health_checks_ask_over_http(executor, units):
    unit = units({"m": {"/api/v1.0/health/status": {"body": "{}", "status": 503}}})["m"]
    made = executor(predictor(unit.port), flags=["--full_health_checks"]).start()
    assert harness.call(made.port, "/ready").status == 503
    unit.script["/api/v1.0/health/status"]["status"] = 200
    assert harness.call(made.port, "/ready").status == 200


def test_methods_make_two_calls(executor, units):
    unit = units({"m": {"/transform-input": {"body": '{"in":1}'}, "/transform-output": {"body": '{"out":1}'}}})["m"]
    made = executor(predictor(unit.port, methods=["TRANSFORM_INPUT", "TRANSFORM_OUTPUT"])).start()
    assert harness.call(made.port, PREDICT, b"{}").body == b'{"out":1}'
    assert [(path, body) for _, path, _, body in unit.requests] == [("/transform-input", b"{}"), ("/transform-output", b'{"in":1}')]


def test_names_of_hosts_are_resolved(executor, raw_unit):
    unit = raw_unit(echo)
    graph = predictor(unit.port)
    graph["graph"]["endpoint"]["service_host"] = "localhost"
    made = executor(graph).start()
    harness.wait_for(lambda: harness.call(made.port, "/ready").status == 200, 5, "localhost is found")
    assert harness.call(made.port, PREDICT, b"{}").status == 200


def test_sigterm_finishes_what_is_under_way(executor, raw_unit):
    asked = threading.Event()

    def talk(connection, _):
        while read_request(connection):
            asked.set()
            time.sleep(0.5)
            connection.sendall(reply())

    made = started(executor, raw_unit(talk))
    with connect(made) as busy, connect(made) as idle:
        busy.sendall(post(b"{}"))
        assert asked.wait(5)
        made.process.send_signal(signal.SIGTERM)
        assert idle.recv(1) == b""
        status, head, _ = receive(busy)[0]
        assert status == 200 and b"Connection: close" in head
    assert made.process.wait(5) == 0


def test_shutdown_delay_serves_on(executor, raw_unit):
    made = started(executor, raw_unit(echo), flags=["--shutdown_delay", "700ms"])
    made.process.send_signal(signal.SIGTERM)
    begin = time.monotonic()
    for _ in range(10):
        assert harness.call(made.port, PREDICT, b"{}").status == 200
        assert harness.call(made.port, "/ready").status == 200
    assert made.process.wait(5) == 0
    assert time.monotonic() - begin >= 0.69


def test_graceful_timeout_cuts_what_does_not_end(executor, raw_unit):
    asked = threading.Event()

    def talk(connection, _):
        read_request(connection)
        asked.set()
        connection.recv(1)

    made = started(executor, raw_unit(talk), flags=["--graceful_timeout=300ms"])
    with connect(made) as connection:
        connection.sendall(post(b"{}"))
        assert asked.wait(5)
        assert made.terminate() == 1


def test_concurrent_callers_lose_nothing_and_mix_nothing(executor, raw_unit):
    """Units end their connections after one to seven answers, and say so."""
    def talk(connection, number):
        for left in range(number % 7, -1, -1):
            request = read_request(connection)
            if request is None:
                break
            connection.sendall(reply(request[1], b"" if left else b"Connection: close\r\n"))
        connection.close()

    made = started(executor, raw_unit(talk))
    failures = []

    def load(worker):
        with connect(made) as connection:
            for number in range(150):
                body = b'{"w":%d,"n":%d}' % (worker, number)
                connection.sendall(post(body))
                status, _, answer = receive(connection)[0]
                if status != 200 or answer != body:
                    failures.append((status, answer))

    threads = [threading.Thread(target=load, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures, failures[:3]


def test_what_is_wrong_at_start_is_said_in_one_line(executor):
    made = executor(predictor(9000), flags=["--transport", "grpc"])
    assert made.process.wait(5) == 1
    assert made.log_path.read_text() == "--transport grpc: gRPC is not served yet; use --transport rest\n"


def test_tls(executor, raw_unit, tmp_path):
    import ssl
    import subprocess
    folder = tmp_path / "tls"
    folder.mkdir()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=x", "-keyout", str(folder / "tls.key"),
                    "-out", str(folder / "tls.crt")], check=True, capture_output=True)
    unit = raw_unit(echo)
    made = executor(predictor(unit.port), env={"SELDON_CERT_MOUNT_PATH": str(folder)})
    context = ssl.create_default_context(cafile=str(folder / "tls.crt"))
    context.check_hostname = False

    def ready():
        try:
            return harness.call(made.port, "/ready", context=context).status == 200
        except OSError:
            return False
    harness.wait_for(ready, 10, "ready over TLS")
    body = b"x" * 500_000
    assert harness.call(made.port, PREDICT, body, context=context).body == body
