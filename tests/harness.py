"""Starts gateways, backends and load for the system tests. Everything is on loopback and ends with its test."""

import collections
import http.client
import http.server
import json
import math
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SLUICE = pathlib.Path(os.environ.get("SLUICE", ROOT / "build" / "release" / "sluice"))
IRIS = ROOT / "examples" / "iris"
ROW = [5.1, 3.5, 1.4, 0.2]

_next_port = [26000 + (os.getpid() % 40) * 20]


def free_port():
    """A port that nothing listens on now. Not from the ephemeral range: no outgoing connection takes it meanwhile."""
    for _ in range(2000):
        _next_port[0] += 1
        if _next_port[0] >= 27900:
            _next_port[0] = 26000
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", _next_port[0]))
            except OSError:
                continue
            return _next_port[0]
    raise RuntimeError("no free port in 26000-27900")


def wait_for(condition, seconds, what):
    """Polls until `condition()` is true; its last value. Fails the test beyond `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("not within %.1f s: %s" % (seconds, what() if callable(what) else what))
        time.sleep(0.02)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, {k.lower(): v for k, v in headers}, body

    def json(self):
        return json.loads(self.body)


def call(port, path, body=None, method=None, headers=None, host="localhost", context=None, timeout=10, server_name=None):
    """One request on a connection of its own. `body` that is no bytes is sent as JSON."""
    headers = dict({"Host": host}, **(headers or {}))
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.connect()
        if context:
            connection.sock = context.wrap_socket(connection.sock, server_hostname=server_name or host.split(":")[0])
        connection.request(method or ("POST" if body is not None else "GET"), path, body, headers)
        response = connection.getresponse()
        return Answer(response.status, response.getheaders(), response.read())
    finally:
        connection.close()


class Sluice:
    """`sluice serve` on paths, its gateway ports moved to free ones."""

    def __init__(self, paths, log, ports=(80, 443), workers=2, arguments=(), env=None):
        self.paths, self.log_path = [str(path) for path in paths], pathlib.Path(log)
        self.ports = {port: free_port() for port in ports}
        self.admin = free_port()
        self.arguments, self.workers = list(arguments), workers
        self.env = dict(os.environ, **(env or {}))
        self.process = None

    def command(self):
        command = [str(SLUICE), "serve"]
        for path in self.paths:
            command += ["-f", path]
        for gateway_port, port in self.ports.items():
            command += ["--bind", "%d=127.0.0.1:%d" % (gateway_port, port)]
        return command + ["--workers", str(self.workers), "--admin", "127.0.0.1:%d" % self.admin, *self.arguments]

    def start(self, ready_seconds=20):
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=open(self.log_path, "ab"), stderr=subprocess.STDOUT,
                                        env=self.env, cwd=ROOT)
        wait_for(self.is_ready, ready_seconds, lambda: "sluice is ready; its log:\n" + self.log())
        return self

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError("sluice ended with %s; its log:\n%s" % (self.process.returncode, self.log()))
        try:
            return call(self.admin, "/readyz", timeout=2).status == 200
        except OSError:
            return False

    @property
    def http(self):
        return self.ports[80]

    @property
    def https(self):
        return self.ports[443]

    def call(self, path, body=None, **options):
        return call(self.http, path, body, **options)

    def predict(self, name, namespace="default", port=None, **options):
        return call(port or self.http, "/seldon/%s/%s/api/v1.0/predictions" % (namespace, name), {"data": {"ndarray": [ROW]}}, **options)

    def metrics(self):
        return call(self.admin, "/metrics").body.decode()

    def log(self):
        return self.log_path.read_text(errors="replace")

    def children(self):
        """Process ids of its children."""
        found = []
        for task in pathlib.Path("/proc/%d/task" % self.process.pid).glob("*/children"):
            found += [int(pid) for pid in task.read_text().split()]
        return found

    def terminate(self, seconds=30):
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def kill(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def sluice(*arguments, stdin=None, cwd=ROOT, seconds=30):
    """A verb that ends by itself: (exit status, standard output, standard error)."""
    done = subprocess.run([str(SLUICE), *map(str, arguments)], input=stdin or "", capture_output=True, text=True, timeout=seconds, cwd=cwd)
    return done.returncode, done.stdout, done.stderr


class Folder:
    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.path.mkdir(parents=True, exist_ok=True)

    def write(self, name, text):
        temporary = self.path / (".%s.tmp" % name)
        temporary.write_text(text)
        os.replace(temporary, self.path / name)

    def remove(self, name):
        (self.path / name).unlink()

    def __fspath__(self):
        return str(self.path)

    def __str__(self):
        return str(self.path)


class Backend:
    """An HTTP/1.1 server on a thread. It answers `status` with {"backend": NAME}, after `delay` seconds; the first `fail_first`
    requests (-1: all) get 503, or with `fail="reset"` a closed connection. `seen` holds (method, path, headers, body)."""

    def __init__(self, name, status=200, delay=0.0, fail_first=0, fail="503", port=None):
        self.name, self.status, self.delay, self.fail_first, self.fail = name, status, delay, fail_first, fail
        self.seen = []
        self.lock = threading.Lock()
        self.server = self.make(port or free_port())
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def make(self, port):
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length) if length else b""
                with owner.lock:
                    owner.seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                    fails = owner.fail_first != 0
                    if owner.fail_first > 0:
                        owner.fail_first -= 1
                if owner.delay:
                    time.sleep(owner.delay)
                if fails and owner.fail == "reset":
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                text = json.dumps({"backend": owner.name}).encode()
                self.send_response(503 if fails else owner.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass  # a client that went away is no finding here

        return Server(("127.0.0.1", port), Handler)

    def count(self):
        with self.lock:
            return len(self.seen)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Load:
    """Requests without pause from some threads on keep-alive connections, until stopped. Counts statuses, errors, bodies, reconnects."""

    def __init__(self, port, path, threads=4, body=None, host="localhost", context=None):
        self.port, self.path, self.body, self.host, self.context = port, path, body, host, context
        self.outcomes = collections.Counter()
        self.failures = []
        self.reconnects = 0
        self.slowest = 0.0
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)

    def connect(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.context:
            connection.sock = self.context.wrap_socket(connection.sock, server_hostname=self.host)
        return connection

    def run(self):
        payload = json.dumps(self.body).encode() if self.body is not None else None
        headers = {"Host": self.host, "Content-Type": "application/json"}
        connection = None
        while not self.stopping.is_set():
            begin = time.monotonic()
            try:
                if connection is None:
                    connection = self.connect()
                connection.request("POST" if payload else "GET", self.path, payload, headers)
                response = connection.getresponse()
                text = response.read()
                outcome, failure = response.status, None if response.status == 200 else "%d %r" % (response.status, text[:120])
                if response.will_close:
                    connection.close()
                    connection = None
                    with self.lock:
                        self.reconnects += 1
            except (OSError, http.client.HTTPException) as error:
                outcome = type(error).__name__
                failure = repr(error)
                if connection is not None:
                    connection.close()
                connection = None
            with self.lock:
                self.outcomes[outcome] += 1
                self.slowest = max(self.slowest, time.monotonic() - begin)
                if failure:
                    self.failures.append(failure)
        if connection is not None:
            connection.close()

    def total(self):
        with self.lock:
            return sum(self.outcomes.values())

    def wait(self, count, seconds=20):
        """Until so many more requests were answered."""
        goal = self.total() + count
        wait_for(lambda: self.total() >= goal, seconds, "%d more requests" % count)


def share_is(hits, total, share, sigmas=4.5):
    """Whether hits out of total is a plausible outcome of independent choices with this share: wrong once in 100,000 runs."""
    return abs(hits - total * share) <= sigmas * math.sqrt(total * share * (1 - share)) + 1


def certificate(folder, name, common_name="localhost", days=30, names=()):
    """(certificate, key) paths, made by the command of docs/how-to/tls-gateway.md."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    crt, key = folder / (name + ".crt"), folder / (name + ".key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(days), "-subj", "/CN=" + common_name, "-addext",
                    "subjectAltName=" + ",".join("DNS:" + n for n in names or (common_name,)), "-keyout", str(key), "-out", str(crt)], check=True, capture_output=True)
    return crt, key


def trusting(crt):
    """A TLS context that trusts exactly this certificate."""
    context = ssl.create_default_context(cafile=str(crt))
    return context


# Text of resources that several tests use.

GATEWAY = """apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: default}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}
"""


def service_entry(name, *ports):
    endpoints = "".join("  - {address: 127.0.0.1, ports: {http: %d}}\n" % port for port in ports)
    return """---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: %s, namespace: default}
spec:
  hosts: [%s.test]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 8000, name: http, protocol: HTTP}]
  endpoints:
%s""" % (name, name, endpoints)


def virtual_service(name, http, hosts='"*"'):
    """`http` is the YAML list of rules, flow style or indented by two."""
    return """---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: %s, namespace: default}
spec:
  hosts: [%s]
  gateways: [gw]
  http:
%s
""" % (name, hosts, http)


def to(name, extra=""):
    return "  - {route: [{destination: {host: %s.test, port: {number: 8000}}}]%s}" % (name, ", " + extra if extra else "")
