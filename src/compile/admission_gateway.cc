// What Istio's webhook refuses in a Gateway. Source: recorded verdicts (admission_test.cc).

#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "base/text.h"
#include "compile/admission_report.h"
#include "resource/kubernetes.h"

namespace sluice::compile {

using resource::Value;

namespace {

std::string upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return result;
}

bool check_server_port(Report& report, const Value& server, const std::string& where) {
  constexpr std::array<std::string_view, 10> kProtocols = {
      "HTTP", "HTTP2", "HTTPS", "GRPC", "GRPC-WEB", "TLS", "TCP", "MONGO", "REDIS", "MYSQL"};
  const Value& port = server.at("port");
  const std::string here = path(where, "port");
  if (!port.is_map()) {
    report.error(port, server, here, "no-port", "a server needs a port");
    return false;
  }
  check_port(report, port.at("number"), port, path(here, "number"));
  if (port.at("name").text().empty()) {
    report.error(port, server, path(here, "name"), "no-port-name", "the port needs a name");
  }
  const std::string protocol = upper(port.at("protocol").text());
  if (std::find(kProtocols.begin(), kProtocols.end(), protocol) != kProtocols.end()) return true;
  report.error(port.at("protocol"), port, path(here, "protocol"), "bad-protocol",
               "\"" + std::string(port.at("protocol").text()) + "\" is no protocol of a gateway",
               "HTTP, HTTPS, HTTP2, GRPC, GRPC-WEB, TLS or TCP");
  return false;
}

void check_server_hosts(Report& report, const Value& server, const std::string& where) {
  if (server.at("hosts").list().empty()) {
    report.error(server.at("hosts"), server, path(where, "hosts"), "no-hosts",
                 "a server needs at least one host", "\"*\" stands for all");
  }
  std::size_t index = 0;
  for (const Value& host : server.at("hosts").list()) {
    const std::string here = path(where, "hosts", index++);
    std::string_view name = host.text();
    if (const std::size_t slash = name.find('/'); slash != std::string_view::npos) {
      name.remove_prefix(slash + 1);
    }
    if (name != "*" && name.find('.') == std::string_view::npos) {
      report.error(host, server, here, "short-host",
                   "\"" + std::string(name) + "\" is a short name; a gateway needs a full one");
    } else if (!is_domain_name(name) && !is_ip_address(name)) {
      report.error(host, server, here, "bad-host",
                   "\"" + std::string(name) + "\" is not a domain name");
    }
  }
}

void check_certificates(Report& report, const Value& tls, const std::string& where) {
  const std::string_view mode = tls.at("mode").text("PASSTHROUGH");
  const bool has_credential =
      !tls.at("credentialName").text().empty() || !tls.at("credentialNames").list().empty();
  const bool has_files =
      !tls.at("serverCertificate").text().empty() && !tls.at("privateKey").text().empty();
  if (mode == "PASSTHROUGH" || mode == "AUTO_PASSTHROUGH") {
    if (has_credential || has_files) {
      report.warning(tls, tls, where, "unused-certificate",
                     "mode " + std::string(mode) + " uses no certificate; the one here is ignored",
                     "to end TLS here set mode: SIMPLE");
    }
    return;
  }
  if (mode != "SIMPLE" && mode != "MUTUAL" && mode != "OPTIONAL_MUTUAL") return;
  if (!has_credential && !has_files) {
    report.error(tls, tls, path(where, "credentialName"), "no-certificate",
                 "mode " + std::string(mode) + " needs a server certificate and a private key",
                 "name the Secret that holds them in credentialName");
  } else if (!has_credential) {
    report.warning(tls, tls, path(where, "serverCertificate"), "not-yet",
                   "certificates from files are not supported yet",
                   "put them into a Secret and name it in credentialName");
  }
  if (mode != "SIMPLE" && !has_credential && tls.at("caCertificates").text().empty()) {
    report.error(tls, tls, path(where, "caCertificates"), "no-client-ca",
                 "mode " + std::string(mode) + " needs the CA of the clients");
  }
}

void check_ciphers(Report& report, const Value& tls, const std::string& where) {
  if (tls.at("cipherSuites").list().empty()) return;
  SSL_CTX* context = SSL_CTX_new(TLS_method());
  std::size_t index = 0;
  for (const Value& suite : tls.at("cipherSuites").list()) {
    const std::string name(suite.text());
    const std::string here = path(where, "cipherSuites", index++);
    if (context != nullptr && SSL_CTX_set_cipher_list(context, name.c_str()) == 1) continue;
    report.warning(suite, tls, here, "unknown-cipher",
                   "\"" + name + "\" is no cipher suite known here and is left out");
  }
  SSL_CTX_free(context);
}

void check_tls(Report& report, const Value& server, const std::string& where) {
  const std::string protocol = upper(server.at("port").at("protocol").text());
  const bool is_tls = protocol == "HTTPS" || protocol == "TLS";
  const Value& tls = server.at("tls");
  const std::string here = path(where, "tls");
  if (!tls.is_map()) {
    if (is_tls) {
      report.error(server, server, here, "no-tls",
                   "a server of protocol " + protocol + " needs tls settings");
    }
    return;
  }
  const bool redirects = tls.at("httpsRedirect").flag();
  if (is_tls) {
    if (redirects) {
      report.warning(tls.at("httpsRedirect"), tls, path(here, "httpsRedirect"), "useless-redirect",
                     "httpsRedirect has no effect on a server of protocol " + protocol);
    }
    check_certificates(report, tls, here);
    check_ciphers(report, tls, here);
    return;
  }
  const bool has_more = tls.map().size() > (tls.at("httpsRedirect").is_null() ? 0U : 1U);
  if (has_more && protocol != "TCP") {
    report.error(tls, server, here, "tls-on-plain-port",
                 "a server of protocol " + protocol + " can have no tls but httpsRedirect",
                 "set protocol: HTTPS");
  }
}

}  // namespace

void check_gateway(Report& report) {
  const Value& spec = report.object().spec();
  if (spec.at("servers").list().empty()) {
    report.error(spec.at("servers"), spec, "spec.servers", "no-servers",
                 "a gateway needs at least one server");
  }
  std::set<std::string> names;
  std::size_t index = 0;
  for (const Value& server : spec.at("servers").list()) {
    const std::string where = path("spec", "servers", index++);
    const bool port_is_read = check_server_port(report, server, where);
    const std::string name(server.at("port").at("name").text());
    if (!name.empty() && !names.insert(name).second) {
      report.error(server.at("port").at("name"), server, path(where, "port.name"),
                   "duplicate-port-name",
                   "port name " + name + " is that of another server; names must be unique");
    }
    check_server_hosts(report, server, where);
    if (port_is_read) check_tls(report, server, where);
  }
}

}  // namespace sluice::compile
