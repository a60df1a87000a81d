"""Scripted units and executors under test, for the tests of this folder."""

import base64
import http.server
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402


def body_of(data):
    return base64.b64decode(data["b64"]) if isinstance(data, dict) else (data or "").encode("utf-8", "surrogateescape")


class Unit(http.server.ThreadingHTTPServer):
    """Answers by its script and remembers what it was sent."""

    daemon_threads = True

    def __init__(self, script):
        self.script, self.requests = script, []
        super().__init__(("127.0.0.1", 0), UnitHandler)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]

    def handle_error(self, request, client_address):
        pass  # the executor went away

    def stop(self):
        self.shutdown()
        self.server_close()


class UnitHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def log_message(self, *_):
        pass

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append((self.command, self.path, self.headers.items(), body))
        reply = self.server.script[self.path]
        time.sleep(reply.get("delay_ms", 0) / 1000)
        data = body_of(reply["body"])
        self.send_response_only(reply.get("status", 200))
        for name, value in reply.get("headers", {"Content-Type": "application/json"}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = answer


class Executor:
    """`sluice executor` on free ports, for one predictor."""

    def __init__(self, predictor, tmp_path, flags=(), env=None, annotations=None, protocol="seldon"):
        self.port, self.grpc_port = harness.free_port(), harness.free_port()
        self.log_path = tmp_path / "executor.log"
        notes = tmp_path / "annotations"
        notes.write_text("".join('%s="%s"\n' % item for item in (annotations or {}).items()))
        clean = {name: value for name, value in os.environ.items() if not re.match("SELDON_|CORS_|KAFKA_|LOGGER_|ENGINE_", name)}
        clean["ENGINE_PREDICTOR"] = base64.b64encode(json.dumps(predictor).encode()).decode()
        command = [str(harness.SLUICE), "executor", "--sdep", "mydep", "--namespace", "ns1", "--predictor", predictor["name"],
                   "--http_port", str(self.port), "--grpc_port", str(self.grpc_port), "--protocol", protocol,
                   "--annotations", str(notes), "--address", "127.0.0.1", *flags]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log_path.open("wb"), stderr=subprocess.STDOUT,
                                        env=dict(clean, **(env or {})))

    def start(self):
        def is_live():
            assert self.process.poll() is None, self.log_path.read_text()
            try:
                return harness.call(self.port, "/live", timeout=2).status == 200
            except OSError:
                return False
        harness.wait_for(is_live, 10, "the executor is live")
        return self

    def terminate(self, seconds=10):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@pytest.fixture
def executor(tmp_path):
    """make(predictor, **options) -> an Executor, not yet waited for; killed at the end."""
    made = []

    def make(predictor, **options):
        made.append(Executor(predictor, tmp_path, **options))
        return made[-1]

    yield make
    for each in made:
        each.kill()


@pytest.fixture
def units():
    """make(name -> script or None) -> name -> Unit; a unit without a script has a port that is closed."""
    running = []

    def make(scripts):
        started = {}
        for name, script in scripts.items():
            unit = Unit(script or {})
            if script is None:
                unit.stop()
            else:
                running.append(unit)
            started[name] = unit
        return started

    yield make
    for unit in running:
        unit.stop()
