// Goal: the linked table sends each recorded request where Istio's control plane and Envoy sent it.
// Method: tests/golden/routes has configurations and, in calls.tsv, one request a line: file, id,
// gateway port, SNI, scheme, method, authority, target, headers, and where it went. This looks at
// the choice of the rule alone; what is done with it is the gateway's.

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/text.h"
#include "compile/link.h"
#include "resource/read.h"
#include "route/path.h"

namespace sluice::compile {
namespace {

const std::string kFolder = std::string(SLUICE_SOURCE_DIR) + "/tests/golden/routes/";

std::string read_file(const std::string& path) {
  const std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::shared_ptr<const route::Snapshot> link_file(const std::string& name) {
  auto read = resource::read(read_file(kFolder + name), std::make_shared<const std::string>(name));
  Linker linker;
  for (resource::Object& object : read.objects) {
    linker.put(std::make_shared<const resource::Object>(std::move(object)));
  }
  return linker.link();
}

const route::RouteTable* table_for(const route::Snapshot& snapshot, int port,
                                   const std::string& sni) {
  for (const auto& listener : snapshot.listeners) {
    if (listener->port != port) continue;
    if (!listener->is_tls) return listener->routes.get();
    const std::string name = to_lower(sni.substr(std::min<std::size_t>(4, sni.size())));
    const route::TlsServer* best = nullptr;
    std::size_t length = 0;
    for (const auto& server : listener->tls_servers) {
      for (const std::string& host : server->hosts) {
        const bool fits =
            host == "*" || host == name ||
            (host[0] == '*' && name.size() > host.size() - 1 && name.ends_with(host.substr(1)));
        const std::size_t worth = host == name ? 1000 : host.size();
        if (fits && worth > length) {
          best = server.get();
          length = worth;
        }
      }
    }
    return best == nullptr ? nullptr : best->routes.get();
  }
  return nullptr;
}

std::string outcome(const route::Snapshot& snapshot, const std::vector<std::string_view>& call,
                    const std::string& expected) {
  const route::RouteTable* table =
      table_for(snapshot, std::stoi(std::string(call[2])), std::string(call[3]));
  if (table == nullptr) return "no listener";
  std::string buffer;
  const route::NormalisedPath path = route::normalise(call[7], buffer);
  route::RequestHead request;
  request.method = call[5];
  request.scheme = !call[4].empty() ? call[4] : call[3] == "-" ? "http" : "https";
  request.authority = call[6];
  const std::string host = to_lower(call[6].substr(0, call[6].find(':')));
  request.host = host;
  request.path = path.path;
  request.query = path.query;
  std::vector<Field> fields;
  if (!call[8].empty()) {
    for (const std::string_view each : split(call[8], '\x1f')) {
      const std::size_t colon = each.find(':');
      fields.push_back({each.substr(0, colon), each.substr(colon + 1)});
    }
  }
  request.fields = fields;
  const route::VirtualHost* virtual_host = table->host_for(host);
  if (virtual_host != nullptr && virtual_host->https_redirect()) return "status 301";
  const route::Rule* rule = table->find(request);
  if (rule == nullptr) return "none";
  if (const auto* redirect = std::get_if<route::Redirect>(&rule->action)) {
    return "status " + std::to_string(redirect->status);
  }
  if (const auto* direct = std::get_if<route::DirectResponse>(&rule->action)) {
    return "status " + std::to_string(direct->status);
  }
  std::string result;
  for (const route::Destination& each : std::get<route::Forward>(rule->action).destinations) {
    const route::Cluster* cluster = snapshot.clusters.find(each.cluster);
    result = "cluster " + (cluster == nullptr ? std::string("none") : cluster->name);
    if (result == expected) return result;
  }
  return result;
}

TEST(GoldenRoutes, requests_go_where_istio_sent_them) {
  std::map<std::string, std::shared_ptr<const route::Snapshot>> snapshots;
  const std::string text = read_file(kFolder + "calls.tsv");
  std::size_t count = 0;
  for (const std::string_view line : split(text, '\n')) {
    if (line.empty()) continue;
    const std::vector<std::string_view> call = split(line, '\t');
    ASSERT_EQ(call.size(), 10U) << line;
    auto& snapshot = snapshots[std::string(call[0])];
    if (snapshot == nullptr) snapshot = link_file(std::string(call[0]));
    const std::string expected(call[9]);
    EXPECT_EQ(outcome(*snapshot, call, expected), expected) << line;
    ++count;
  }
  EXPECT_GT(count, 300U);
}

}  // namespace
}  // namespace sluice::compile
