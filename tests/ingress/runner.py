#!/usr/bin/env python3
"""Runs a case of cases/ on a gateway that watches a folder of YAML, and compares what happened with golden.json.

  runner.py --gateway DESC.json --work DIR [--without-http2] CASE...

golden.json is what Istio's control plane and Envoy did with the same resources and requests. README.md describes the files.
"""
import argparse
import asyncio
import base64
import collections
import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import backends as bk  # noqa: E402
import client  # noqa: E402

SENTINEL_PORT = "15999"
UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")


class Pki:
    """Certificates made on demand. NAME[+N][@CA]: CN=NAME, OU=N, signed by CA (default "ca")."""

    def __init__(self, folder):
        self.dir = pathlib.Path(folder)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.subjects = {}

    def run(self, *args, **kw):
        return subprocess.run(["openssl"] + list(args), check=True, capture_output=True, **kw).stdout

    def ca(self, name):
        if not (self.dir / (name + ".crt")).exists():
            self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650",
                     "-subj", "/CN=" + name, "-keyout", str(self.dir / (name + ".key")), "-out", str(self.dir / (name + ".crt")))

    def path(self, file):
        p = self.dir / file
        if p.exists():
            return str(p)
        stem, _, kind = file.rpartition(".")
        if stem.startswith("ca"):
            self.ca(stem)
            return str(p)
        name, _, ca = stem.partition("@")
        ca = ca or "ca"
        self.ca(ca)
        cn, _, ou = name.partition("+")
        subject = "/CN=" + cn + ("/OU=" + ou if ou else "")
        days = "3650"
        extra = ["-addext", "subjectAltName=DNS:" + cn]
        if ou == "expired":
            extra += ["-not_before", "20200101000000Z", "-not_after", "20200102000000Z"]
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", days,
                 "-CA", str(self.dir / (ca + ".crt")), "-CAkey", str(self.dir / (ca + ".key")), "-subj", subject, *extra,
                 "-keyout", str(self.dir / (stem + ".key")), "-out", str(self.dir / (stem + ".crt")))
        return str(p)

    def subject(self, der):
        if der not in self.subjects:
            self.subjects[der] = self.run("x509", "-inform", "der", "-noout", "-subject", input=der).decode().strip()
        return self.subjects[der].replace("subject=", "")


class Gateway:
    def __init__(self, desc):
        self.config = pathlib.Path(desc["config_dir"])
        self.config.mkdir(parents=True, exist_ok=True)
        self.ports = desc["ports"]
        self.address = desc.get("address", "127.0.0.1")
        self.access_log = desc.get("access_log")
        self.verdicts = desc.get("verdicts")
        self.reload = desc.get("reload")
        self.admin = desc.get("envoy_admin")
        self.settle = desc.get("settle", 0.05)
        self.token = 0

    def write(self, text):
        self.token += 1
        token = "%d-%s" % (self.token, uuid.uuid4().hex[:8])
        sentinel = SENTINEL % token
        for name, body in (("case.yaml", text), ("zz-sentinel.yaml", sentinel)):
            tmp = self.config / (name + ".tmp")
            tmp.write_text(body)
            os.replace(tmp, self.config / name)
        if self.reload:
            self.get(self.reload)
        return token

    @staticmethod
    def get(url):
        with urllib.request.urlopen(url, timeout=5) as r:
            return r.read().decode()

    async def apply(self, text, seconds=8):
        loop = asyncio.get_running_loop()
        token = await loop.run_in_executor(None, self.write, text)
        end = time.time() + seconds
        ready = False
        while time.time() < end:
            r = await client.send(self.address, self.ports[SENTINEL_PORT], {"path": "/", "host": "sentinel.test"}, None,
                                  {"probe": "sentinel"}, 2)
            if r.get("body") == token:
                ready = True
                break
            await asyncio.sleep(0.02)
        if self.admin:
            end = time.time() + 1.5  # a listener whose Secret is missing warms for ever
            while time.time() < end:
                s = await loop.run_in_executor(None, self.get, self.admin + "/stats?filter=warming|update_rejected")
                if re.search(r"listener_manager.total_listeners_warming: 0", s) and \
                        re.search(r"cluster_manager.warming_clusters: 0", s):
                    break
                await asyncio.sleep(0.03)
        await asyncio.sleep(self.settle)
        return ready

    def seen_verdicts(self):
        if not self.verdicts:
            return None
        if self.verdicts.startswith("http"):
            v = json.loads(self.get(self.verdicts))
        else:
            v = json.loads(pathlib.Path(self.verdicts).read_text())
        return [x for x in v["verdicts"] if x.get("file") != "zz-sentinel.yaml"]

    def log_lines(self):
        out = {}
        if self.access_log:
            time.sleep(0.12)
            for line in pathlib.Path(self.access_log).read_text(errors="replace").splitlines():
                try:
                    e = json.loads(line)
                except ValueError:
                    continue
                if e.get("probe"):
                    out[e["probe"]] = e
        return out


SENTINEL = """apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: zz-sentinel, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 15999, name: http-sentinel, protocol: HTTP}
    hosts: [sentinel.test]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: zz-sentinel, namespace: istio-system}
spec:
  hosts: [sentinel.test]
  gateways: [zz-sentinel]
  http:
  - directResponse: {status: 200, body: {string: "%s"}}
"""


def local_addresses():
    out = {"127.0.0.1", "127.0.0.2", "::1"}
    try:
        for line in pathlib.Path("/proc/net/fib_trie").read_text().splitlines():
            m = re.search(r"\|-- (\d+\.\d+\.\d+\.\d+)", line)
            if m:
                out.add(m.group(1))
    except OSError:
        pass
    return out


LOCAL = local_addresses()


class Normal:
    def __init__(self, ports):
        self.ports = {str(p): n for n, p in ports.items()}

    def value(self, k, v, sent):
        k = k.lower()
        if k == "date":
            return "<date>"
        if k == "x-envoy-upstream-service-time":
            return "<ms>"
        if k == "x-request-id" and v not in sent and UUID.match(v):
            return "<uuid>"
        if k == "x-forwarded-for":
            return ",".join("<peer>" if x.strip() in LOCAL else x.strip() for x in v.split(","))
        if k == "x-envoy-external-address" and v in LOCAL:
            return "<peer>"
        if k == "x-forwarded-client-cert":
            v = re.sub(r"Hash=[0-9a-f]+", "Hash=<hash>", v)
            return re.sub(r'Cert="[^"]*"', 'Cert="<cert>"', v)
        if k == "set-cookie":
            return re.sub(r'="?[0-9a-f]{16}"?', "=<hash>", v)
        if k == "x-envoy-expected-rq-timeout-ms":
            return v
        return self.text(v)

    def text(self, v):
        if not isinstance(v, str):
            return v
        if len(v) > 2500:
            return "<%d bytes, first %r>" % (len(v), v[:20])
        return re.sub(r"\b2\d{4}\b", lambda m: "@%s@" % self.ports[m.group(0)] if m.group(0) in self.ports else m.group(0), v)

    def headers(self, hs, sent=(), drop=()):
        return sorted([k.lower(), self.value(k, v, sent)] for k, v in hs if k.lower() not in drop)

    def response(self, r, sent, timed):
        out = {}
        for k in ("error", "tls", "version", "status", "interim", "trailers", "until_close", "closed", "goaway"):
            if k in r:
                out[k] = r[k]
        if "trailers" in out:
            out["trailers"] = self.headers(out["trailers"])
        if "headers" in r:
            out["headers"] = self.headers(r["headers"], sent)
            if r.get("version", "").startswith("HTTP/1") and any(k != k.lower() for k, _ in r["headers"]):
                out["header_case"] = sorted(k for k, _ in r["headers"] if k != k.lower())
        if "body" in r:
            out["body"] = self.text(r["body"])
        if timed:
            out["elapsed"] = round(r["elapsed"], 2)
        return out

    def hit(self, h, sent):
        again = any(k.lower() == "x-envoy-attempt-count" and v not in ("1", "2") for k, v in h["headers"])
        out = {k: h[k] for k in ("backend", "method", "path", "authority", "proto")}
        out["authority"] = self.text(out["authority"])
        out["path"] = self.text(out["path"])
        out["headers"] = self.headers(h["headers"], sent, drop=("x-probe-id", "x-do", "host"))
        if again:  # what is left of the route timeout depends on the moment
            out["headers"] = [[k, "<ms>" if k == "x-envoy-expected-rq-timeout-ms" else v] for k, v in out["headers"]]
        if h["body"]:
            out["body"] = h["body"]
        if h["trailers"]:
            out["trailers"] = self.headers(h["trailers"])
        return out


def free_port(p, used):
    while True:
        p += 1
        if p in used:
            continue
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", p))
            return p
        except OSError:
            continue
        finally:
            s.close()


class Runner:
    def __init__(self, work, pki, first_port):
        self.work, self.pki = pathlib.Path(work), pki
        self.first = first_port
        self.next = first_port
        self.last = first_port + 380

    async def case(self, gw, folder, spec):
        hits = bk.Hits()
        ports, running = {}, {}
        for name, b in spec.get("backends", {}).items():
            if self.next >= self.last:
                self.next = self.first
            self.next = free_port(self.next, set(ports.values()))
            ports[name] = self.next
            if b.get("dead"):
                continue
            ctx = None
            if b.get("tls"):
                ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                crt = self.pki.path(b["tls"] + ".crt")
                ctx.load_cert_chain(crt, self.pki.path(b["tls"] + ".key"))
                ctx.set_alpn_protocols(b.get("alpn", ["h2", "http/1.1"]))
                if b.get("client_ca"):
                    ctx.verify_mode = ssl.CERT_REQUIRED
                    ctx.load_verify_locations(self.pki.path(b["client_ca"] + ".crt"))
            be = bk.Backend(b.get("name", name), hits, ctx, b.get("mode", "http"))
            await be.start(self.next, b.get("host", "127.0.0.1"))
            running[name] = be
        norm = Normal(ports)

        def fill(text):
            text = re.sub(r"@b64:([^@]+(?:@ca\w*)?\.(?:crt|key))@",
                          lambda m: base64.b64encode(pathlib.Path(self.pki.path(m.group(1))).read_bytes()).decode(), text)
            return re.sub(r"@([a-z][a-z0-9]*)@", lambda m: str(ports[m.group(1)]) if m.group(1) in ports else m.group(0), text)

        await gw.apply("")
        result = {"steps": []}
        probes = []
        steps = spec["steps"]
        if not steps or "apply" not in steps[0]:
            steps = [{"apply": "config.yaml"}] + steps
        try:
            for st in steps:
                if "apply" in st:
                    text = fill((folder / st["apply"]).read_text())
                    ok = await gw.apply(text, st.get("wait", 8))
                    e = {"apply": st["apply"], "ready": ok}
                    v = gw.seen_verdicts()
                    if v is not None:
                        e["verdicts"] = [{k: x[k] for k in ("kind", "namespace", "name", "accepted", "error", "warning") if k in x}
                                         for x in v]
                    result["steps"].append(e)
                elif "sleep" in st:
                    await asyncio.sleep(st["sleep"])
                elif "stop" in st:
                    await running[st["stop"]].stop()
                else:
                    result["steps"].append(await self.request(gw, st, norm, hits, fill, probes))
        finally:
            for be in running.values():
                await be.stop()
        log = gw.log_lines()
        for e in result["steps"]:
            p = e.pop("probe", None)
            if p in log:
                e["log"] = {k: norm.text(log[p][k]) for k in ("flags", "details", "cluster", "route", "attempts") if log[p].get(k) is not None}
        return result

    async def request(self, gw, st, norm, hits, fill, probes):
        port = gw.ports[str(st.get("port", 80))]
        n = st.get("repeat", 1)
        timeout = st.get("timeout", 10)
        sem = asyncio.Semaphore(st.get("concurrency", 1))

        async def one(i):
            async with sem:
                req = json.loads(fill(json.dumps(st)).replace("@I@", str(i)))
                probe = uuid.uuid4().hex
                r = await client.send(gw.address, port, req, self.pki, {"probe": probe}, timeout)
                return probe, req, r
        got = await asyncio.gather(*[one(i) for i in range(n)])
        if st.get("settle"):
            await asyncio.sleep(st["settle"])
        name = st.get("id", "")
        if n == 1:
            probe, req, r = got[0]
            sent = {v for _, v in req.get("headers", [])}
            out = {"id": name, "probe": probe, "response": norm.response(r, sent, st.get("timed"))}
            hs = [norm.hit(h, sent) for h in hits.by_probe.get(probe, [])] if not st.get("http") == "tcp" else []
            if st.get("settle"):
                hs.sort(key=lambda h: (h["backend"], h["authority"] or ""))
            out["upstream"] = hs
            return out
        dist = collections.Counter()
        hitcount = collections.Counter()
        attempts = collections.Counter()
        for probe, req, r in got:
            hs = hits.by_probe.get(probe, [])
            what = str(r.get("status", r.get("error")))
            by = st.get("by", "status backend")
            key = []
            low = {k.lower(): v for k, v in r.get("headers", [])}
            for f in by.split():
                if f == "status":
                    key.append(what)
                elif f == "backend":
                    key.append(low.get("x-backend", "-"))
                elif f.startswith("header:"):
                    key.append(low.get(f[7:], "-"))
                elif f == "body":
                    key.append(r.get("body", "-"))
                elif f == "attempts":
                    key.append(str(len(hs)))
            dist[" ".join(key)] += 1
            for h in hs:
                hitcount[h["backend"]] += 1
        out = {"id": name, "repeat": n, "dist": dict(sorted(dist.items())), "hits": dict(sorted(hitcount.items()))}
        if st.get("summary") == "sticky":
            out = {"id": name, "repeat": n, "sticky": len({k for k in dist}) == 1, "statuses": sorted({k.split()[0] for k in dist})}
        elif st.get("summary") == "spread":
            out = {"id": name, "repeat": n, "distinct": len(dist), "statuses": sorted({k.split()[0] for k in dist})}
        elif st.get("summary") == "ignore":
            out = {"id": name, "repeat": n}
        elif st.get("summary") == "loose":
            out["loose"] = True
        return out


# ---- comparing

def close_counts(a, b, na, nb, loose=False):
    """Two counts out of na and nb: could they come from the same share?"""
    if na == 0 or nb == 0:
        return na == nb
    pa, pb = a / na, b / nb
    if loose:
        return abs(pa - pb) <= 0.25
    p = (a + b) / (na + nb)
    if p <= 0 or p >= 1:
        return True
    sigma = (p * (1 - p) * (1 / na + 1 / nb)) ** 0.5
    if (a in (0, na)) != (b in (0, nb)) and min(na, nb) >= 50 and abs(pa - pb) > 0.03:
        return False
    return abs(pa - pb) <= 4 * sigma + 0.5 / min(na, nb)


def list_diff(name, a, b, out, ignore):
    ca, cb = collections.Counter(map(tuple, a)), collections.Counter(map(tuple, b))
    for k, v in sorted((ca - cb).elements()):
        if k not in ignore:
            out.append("%s: only in A: %s: %s" % (name, k, v))
    for k, v in sorted((cb - ca).elements()):
        if k not in ignore:
            out.append("%s: only in B: %s: %s" % (name, k, v))


def compare(a, b, ignore):
    out = []
    sa, sb = a["steps"], b["steps"]
    if len(sa) != len(sb):
        return ["%d steps against %d" % (len(sa), len(sb))]
    for x, y in zip(sa, sb):
        if "apply" in x:
            if x["ready"] and not y["ready"]:
                out.append("%s: configuration never became active" % x["apply"])
            if x.get("verdicts") is not None and y.get("verdicts") is not None:
                key = lambda v: (v["kind"], v["namespace"], v["name"])  # noqa: E731
                va = {key(v): v["accepted"] for v in x["verdicts"]}
                vb = {key(v): v["accepted"] for v in y["verdicts"]}
                for k in sorted(set(va) | set(vb)):
                    if va.get(k) != vb.get(k):
                        out.append("%s: %s accepted: %s against %s" % (x["apply"], "/".join(k), va.get(k), vb.get(k)))
            continue
        w = x["id"]
        if "repeat" in x:
            for k in ("sticky", "distinct", "statuses"):
                if x.get(k) != y.get(k):
                    out.append("%s: %s: %s against %s" % (w, k, x.get(k), y.get(k)))
            for f in ("dist", "hits"):
                if f in x:
                    da, db = x[f], y.get(f, {})
                    for k in sorted(set(da) | set(db)):
                        if not close_counts(da.get(k, 0), db.get(k, 0), x["repeat"], y["repeat"], x.get("loose")):
                            out.append("%s: %s %s: %d of %d against %d of %d" % (w, f, k, da.get(k, 0), x["repeat"], db.get(k, 0), y["repeat"]))
            continue
        ra, rb = x["response"], y["response"]
        # Whether the client sees an alert or a reset first is a race.
        for r in (ra, rb):
            if "status" not in r and (r.get("tls") or str(r.get("error")).startswith("tls:")):
                r["error"] = "refused in or after the TLS handshake"
                r.pop("tls", None)
        for k in ("error", "version", "status", "interim", "body", "until_close", "closed", "header_case", "goaway"):
            if ra.get(k) != rb.get(k):
                out.append("%s: response %s: %r against %r" % (w, k, ra.get(k), rb.get(k)))
        for k in ("version", "alpn", "subject"):
            if (ra.get("tls") or {}).get(k) != (rb.get("tls") or {}).get(k):
                out.append("%s: tls %s: %r against %r" % (w, k, (ra.get("tls") or {}).get(k), (rb.get("tls") or {}).get(k)))
        if "elapsed" in ra and abs(ra["elapsed"] - rb.get("elapsed", -1)) > max(0.15, 0.25 * ra["elapsed"]):
            out.append("%s: took %.2f s against %.2f s" % (w, ra["elapsed"], rb.get("elapsed", -1)))
        list_diff(w + ": response header", ra.get("headers", []), rb.get("headers", []), out, ignore)
        list_diff(w + ": response trailer", ra.get("trailers", []), rb.get("trailers", []), out, ignore)
        ua, ub = x["upstream"], y["upstream"]
        if [h["backend"] for h in ua] != [h["backend"] for h in ub]:
            out.append("%s: backends: %s against %s" % (w, [h["backend"] for h in ua], [h["backend"] for h in ub]))
            continue
        for i, (ha, hb) in enumerate(zip(ua, ub)):
            for k in ("method", "path", "authority", "proto", "body"):
                if ha.get(k) != hb.get(k):
                    out.append("%s: upstream %d %s: %r against %r" % (w, i, k, ha.get(k), hb.get(k)))
            list_diff("%s: upstream %d header" % (w, i), ha["headers"], hb["headers"], out, ignore)
            list_diff("%s: upstream %d trailer" % (w, i), ha.get("trailers", []), hb.get("trailers", []), out, ignore)
    return out


# ---- the rest

def is_http2(step):
    return step.get("http") == "2" or "grpc" in step


def without_http2(spec, golden):
    """The case without its HTTP/2 requests, on both sides."""
    gone = {step.get("id", "") for step in spec["steps"] if is_http2(step)}
    spec = dict(spec, steps=[step for step in spec["steps"] if not is_http2(step)])
    golden = dict(golden, steps=[step for step in golden["steps"] if "apply" in step or step.get("id", "") not in gone])
    return spec, golden


def requests_of(spec):
    return sum(1 for step in spec["steps"] if not {"apply", "sleep", "stop"} & set(step))


async def check(gateway, runner, folder, http2=True):
    """(number of requests compared, list of differences)."""
    spec = json.loads((folder / "case.json").read_text())
    golden = json.loads((folder / "golden.json").read_text())
    if not http2:
        spec, golden = without_http2(spec, golden)
    seen = await runner.case(gateway, folder, spec)
    return requests_of(spec), compare(golden, seen, set())


async def main_async(args):
    work = pathlib.Path(args.work).resolve()
    work.mkdir(parents=True, exist_ok=True)
    gateway = Gateway(json.loads(pathlib.Path(args.gateway).read_text()))
    runner = Runner(work, Pki(work / "pki"), args.port)
    passed = failed = 0
    for folder in map(pathlib.Path, args.cases):
        _, differences = await check(gateway, runner, folder, not args.without_http2)
        passed, failed = passed + (not differences), failed + bool(differences)
        print("%s %s" % ("FAIL" if differences else "ok  ", folder.name))
        print("".join("  %s\n" % line for line in differences), end="", flush=True)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="+")
    parser.add_argument("--work", required=True, help="scratch folder")
    parser.add_argument("--port", type=int, default=28400, help="first of 200 ports for backends")
    parser.add_argument("--gateway", required=True, help='JSON: config_dir, ports {"80": N, ...}, optionally address, settle')
    parser.add_argument("--without-http2", action="store_true")
    sys.exit(asyncio.run(main_async(parser.parse_args())))


if __name__ == "__main__":
    main()
