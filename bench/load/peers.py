"""The proxies of `make bench`: for each its configuration for N deployments and its command line.

The route is the one of a SeldonDeployment: POST /seldon/seldon/NAME/... , the prefix rewritten to /, 75 % to one backend and 25 %
to another, upstream connections kept alive, one worker or thread. With many deployments all lead to the same two backends, so
that the cost of finding the route is what differs. Envoy's routes are those that Istio makes of the VirtualService of a
SeldonDeployment: per deployment a prefix, then a regular expression with two headers for gRPC.
"""

import json
import os
import pathlib
import shutil

GRPC_REGEX = ".*tensorflow.*|.*seldon.protos.*|.*inference.*"


def names(count):
    return ["iris"] if count == 1 else ["iris-%05d" % i for i in range(count)]


class Peer:
    """`plain` and `tls` are its ports (0: it has none), `command` starts it in the foreground; `one_route`: it has only the route of one
    deployment, whatever the setting."""

    def __init__(self, name, plain, tls, command, start_seconds=30, one_route=False):
        self.name, self.plain, self.tls, self.command = name, plain, tls, command
        self.start_seconds, self.one_route = start_seconds, one_route


def relay(binary, port, backends):
    return Peer("relay", port, 0, [str(binary), str(port), *map(str, backends)])


def nginx(folder, port, backends, count, pki):
    locations = "".join("    location /seldon/seldon/%s/ { proxy_pass http://iris/; }\n" % name for name in names(count))
    (folder / "nginx.conf").write_text("""
worker_processes 1;
daemon off;
pid %(folder)s/nginx.pid;
error_log %(folder)s/nginx.err;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path %(folder)s/b; proxy_temp_path %(folder)s/p; fastcgi_temp_path %(folder)s/f;
  uwsgi_temp_path %(folder)s/u; scgi_temp_path %(folder)s/s;
  keepalive_requests 100000000;
  upstream iris { server 127.0.0.1:%(a)d weight=3; server 127.0.0.1:%(b)d weight=1; keepalive 128; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:%(port)d;
    listen 127.0.0.1:%(tls)d ssl;
    ssl_certificate %(pki)s/tls.crt;
    ssl_certificate_key %(pki)s/tls.key;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $host;
%(locations)s  }
}
""" % {"folder": folder, "a": backends[0], "b": backends[1], "port": port, "tls": port + 1, "pki": pki, "locations": locations})
    return Peer("nginx", port, port + 1, ["/usr/sbin/nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")])


def haproxy(folder, port, backends, count, pki):
    (folder / "haproxy.pem").write_text((pki / "tls.crt").read_text() + (pki / "tls.key").read_text())
    (folder / "routes.map").write_text("".join("/seldon/seldon/%s/ iris\n" % name for name in names(count)))
    (folder / "haproxy.cfg").write_text("""
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend in
  bind 127.0.0.1:%(port)d
  bind 127.0.0.1:%(tls)d ssl crt %(folder)s/haproxy.pem
  use_backend %%[path,map_beg(%(folder)s/routes.map)]
backend iris
  balance roundrobin
  http-request replace-path /seldon/seldon/[^/]+/(.*) /\\1
  server a 127.0.0.1:%(a)d weight 75
  server b 127.0.0.1:%(b)d weight 25
""" % {"folder": folder, "a": backends[0], "b": backends[1], "port": port, "tls": port + 1})
    return Peer("haproxy", port, port + 1, [shutil.which("haproxy", path="/usr/sbin:" + os.environ["PATH"]), "-db", "-f",
                                            str(folder / "haproxy.cfg")])


def envoy(folder, binary, port, backends, count, pki):
    weighted = {"clusters": [{"name": "a", "weight": 75}, {"name": "b", "weight": 25}]}
    routes = []
    for name in names(count):
        routes.append({"match": {"prefix": "/seldon/seldon/%s/" % name},
                       "route": {"weighted_clusters": weighted, "prefix_rewrite": "/", "timeout": "0s",
                                 "retry_policy": {"retry_on": "connect-failure,refused-stream,unavailable,cancelled", "num_retries": 2}}})
        routes.append({"match": {"safe_regex": {"regex": GRPC_REGEX},
                                 "headers": [{"name": "namespace", "string_match": {"exact": "seldon"}},
                                             {"name": "seldon", "string_match": {"exact": name}}]},
                       "route": {"weighted_clusters": weighted, "timeout": "0s"}})
    manager = {"@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
               "stat_prefix": "in",
               "route_config": {"name": "r", "validate_clusters": False,
                                "virtual_hosts": [{"name": "any", "domains": ["*"], "routes": routes}]},
               "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {
                   "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}]}

    def listener(name, at, tls):
        chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        if tls:
            chain["transport_socket"] = {"name": "envoy.transport_sockets.tls", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                "common_tls_context": {"tls_certificates": [{"certificate_chain": {"filename": str(pki / "tls.crt")},
                                                             "private_key": {"filename": str(pki / "tls.key")}}]}}}
        return {"name": name, "address": {"socket_address": {"address": "127.0.0.1", "port_value": at}}, "filter_chains": [chain]}

    def cluster(name, at):
        return {"name": name, "type": "STATIC", "connect_timeout": "5s", "lb_policy": "LEAST_REQUEST",
                "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {
                    "socket_address": {"address": "127.0.0.1", "port_value": at}}}}]}]}}

    config = {"static_resources": {"listeners": [listener("plain", port, False), listener("tls", port + 1, True)],
                                   "clusters": [cluster("a", backends[0]), cluster("b", backends[1])]}}
    (folder / "envoy.json").write_text(json.dumps(config))
    return Peer("envoy", port, port + 1, [str(binary), "-c", str(folder / "envoy.json"), "--concurrency", "1", "-l", "error",
                                          "--base-id", str(port), "--disable-hot-restart"], start_seconds=90)


SLUICE_GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: seldon-gateway, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}
  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*"], tls: {mode: SIMPLE, credentialName: bench-cert}}
"""
SLUICE_BACKEND = """---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: %(name)s, namespace: seldon}
spec:
  hosts: [%(name)s.seldon.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 8000, name: http, protocol: HTTP}, {number: 5001, name: grpc, protocol: GRPC}]
  endpoints: [{address: 127.0.0.1, ports: {http: %(port)d, grpc: %(port)d}}]
"""
SLUICE_ROUTE = """---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: %(name)s, namespace: seldon}
spec:
  hosts: ["*"]
  gateways: [istio-system/seldon-gateway]
  http:
  - match: [{uri: {prefix: /seldon/seldon/%(name)s/}}]
    rewrite: {uri: /}
    route:
    - {destination: {host: a.seldon.svc.cluster.local, port: {number: 8000}}, weight: 75}
    - {destination: {host: b.seldon.svc.cluster.local, port: {number: 8000}}, weight: 25}
  - match: [{uri: {regex: %(regex)s}, headers: {seldon: {exact: %(name)s}, namespace: {exact: seldon}}}]
    route:
    - {destination: {host: a.seldon.svc.cluster.local, port: {number: 5001}}, weight: 75}
    - {destination: {host: b.seldon.svc.cluster.local, port: {number: 5001}}, weight: 25}
"""


def sluice(folder, binary, port, backends, count, pki, name="sluice"):
    config = pathlib.Path(folder) / "sluice"
    (config / "bench-cert").mkdir(parents=True, exist_ok=True)
    for file in ("tls.crt", "tls.key"):
        shutil.copy(pki / file, config / "bench-cert" / file)
    (config / "gateway.yaml").write_text(SLUICE_GATEWAY + SLUICE_BACKEND % {"name": "a", "port": backends[0]} +
                                         SLUICE_BACKEND % {"name": "b", "port": backends[1]})
    every = names(count)
    for start in range(0, count, 500):  # a file has a limit of documents
        (config / ("routes-%05d.yaml" % start)).write_text(
            "".join(SLUICE_ROUTE % {"name": each, "regex": GRPC_REGEX} for each in every[start:start + 500]))
    return Peer(name, port, port + 1, [str(binary), "serve", "-f", str(config), "--bind", "80=127.0.0.1:%d" % port,
                                           "--bind", "443=127.0.0.1:%d" % (port + 1), "--workers", "1",
                                           "--admin", "127.0.0.1:%d" % (port + 2)], start_seconds=60,
                one_route=name != "sluice")
