// What a look-up costs with 1, 100 and 10,000 deployments wired as Seldon's operator wires them (a
// prefix route, and a gRPC route of a regular expression and two headers, all on host "*"), and
// what it costs to add one more and to link it. The bar: the 10,000th costs what the first does,
// a look-up under 300 ns, a link under 5 ms.

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "compile/link.h"
#include "resource/read.h"
#include "route/table.h"

namespace {

using namespace sluice;

std::string name_of(std::size_t index) { return "deployment-" + std::to_string(index); }

route::PlacedRule placed(const std::string& name, route::Match match) {
  auto rule = std::make_shared<route::Rule>();
  rule->name = name;
  rule->match = std::move(match);
  route::PlacedRule result;
  result.order.name = name;
  result.order.namespace_ = "models";
  result.rule = std::move(rule);
  return result;
}

struct Pair {
  route::PlacedRule http;
  route::PlacedRule grpc;
};

Pair rules_of(const std::string& name) {
  static const auto regex = *route::Regex::make(".*tensorflow.*|.*seldon.protos.*");
  route::Match http;
  http.uri = route::StringMatch{route::StringMatch::Kind::kPrefix, false,
                                "/seldon/models/" + name + "/", nullptr};
  route::Match grpc;
  grpc.uri = route::StringMatch{route::StringMatch::Kind::kRegex, false, regex->pattern(), regex};
  grpc.headers.push_back(
      {"seldon", route::StringMatch{route::StringMatch::Kind::kExact, false, name, nullptr}});
  grpc.headers.push_back({"namespace", route::StringMatch{route::StringMatch::Kind::kExact, false,
                                                          "models", nullptr}});
  return {placed(name + "-http", http), placed(name + "-grpc", grpc)};
}

std::shared_ptr<const route::RouteTable> table_of(std::size_t count) {
  route::RouteTableBuilder builder;
  for (std::size_t i = 0; i < count; ++i) {
    Pair rules = rules_of(name_of(i));
    builder.add("*", std::move(rules.http));
    builder.add("*", std::move(rules.grpc));
  }
  return builder.build();
}

std::vector<Field> fields_of(const std::string& name, bool is_grpc) {
  std::vector<Field> fields = {{"user-agent", "curl/7.88.1"},
                               {"accept", "*/*"},
                               {"content-type", "application/json"},
                               {"content-length", "37"},
                               {"x-request-id", "8f6b7e2a-0000-4000-8000-000000000000"}};
  if (is_grpc) {
    fields.push_back({"seldon", name});
    fields.push_back({"namespace", "models"});
  }
  return fields;
}

enum Which { kRandom, kLast };

void find(benchmark::State& state, bool is_grpc) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const auto table = table_of(count);
  Random random(7);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < 1024; ++i) {
    names.push_back(name_of(
        state.range(1) == kLast ? count - 1 : random.below(static_cast<std::uint32_t>(count))));
  }
  std::vector<std::string> paths;
  std::vector<std::vector<Field>> fields;
  for (const std::string& name : names) {
    paths.push_back(is_grpc ? "/seldon.protos.Seldon/Predict"
                            : "/seldon/models/" + name + "/api/v1.0/predictions");
    fields.push_back(fields_of(name, is_grpc));
  }
  route::RequestHead request;
  request.method = "POST";
  request.scheme = "http";
  request.authority = "localhost:8080";
  request.host = "localhost";
  std::size_t at = 0;
  for (auto _ : state) {
    request.path = paths[at];
    request.fields = fields[at];
    const route::Rule* rule = table->find(request);
    if (rule == nullptr) state.SkipWithError("not found");
    benchmark::DoNotOptimize(rule);
    at = (at + 1) % names.size();
  }
}

void find_rest(benchmark::State& state) { find(state, false); }
void find_grpc(benchmark::State& state) { find(state, true); }
BENCHMARK(find_rest)->ArgsProduct({{1, 100, 10'000}, {kRandom, kLast}});
BENCHMARK(find_grpc)->ArgsProduct({{1, 100, 10'000}, {kRandom, kLast}});

// Adds one deployment's two rules, and takes them away again: two builds.
void add_one(benchmark::State& state) {
  const auto table = table_of(static_cast<std::size_t>(state.range(0)));
  const Pair rules = rules_of("one-more");
  for (auto _ : state) {
    route::RouteTableBuilder builder(*table);
    builder.add("*", rules.http);
    builder.add("*", rules.grpc);
    const auto with = builder.build();
    route::RouteTableBuilder back(*with);
    back.remove("*", rules.http);
    back.remove("*", rules.grpc);
    benchmark::DoNotOptimize(back.build());
  }
}
BENCHMARK(add_one)->Arg(1)->Arg(100)->Arg(10'000)->Unit(benchmark::kMicrosecond);

std::string replaced(std::string text, std::string_view from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::vector<std::shared_ptr<const resource::Object>> deployment(std::size_t index, int port) {
  const std::string text = replaced(replaced(R"(
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: $NAME-http, namespace: models}
spec:
  hosts: ["*"]
  gateways: [istio-system/seldon-gateway]
  http:
  - match: [{uri: {prefix: /seldon/models/$NAME/}}]
    rewrite: {uri: /}
    route:
    - {destination: {host: $NAME.models.svc.cluster.local, subset: main, port: {number: 8000}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: $NAME-grpc, namespace: models}
spec:
  hosts: ["*"]
  gateways: [istio-system/seldon-gateway]
  http:
  - match:
    - uri: {regex: ".*tensorflow.*|.*seldon.protos.*"}
      headers: {seldon: {exact: $NAME}, namespace: {exact: models}}
    route:
    - {destination: {host: $NAME.models.svc.cluster.local, subset: main, port: {number: 5001}}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: $NAME, namespace: models}
spec:
  host: $NAME.models.svc.cluster.local
  subsets: [{name: main, labels: {version: main}}]
---
apiVersion: v1
kind: Service
metadata: {name: $NAME, namespace: models}
spec:
  ports: [{name: http, port: 8000}, {name: grpc, port: 5001}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: $NAME-1, namespace: models, labels: {kubernetes.io/service-name: $NAME}}
addressType: IPv4
endpoints: [{addresses: [127.0.0.1], conditions: {ready: true}}]
ports: [{name: http, port: $PORT}, {name: grpc, port: $PORT}]
)",
                                             "$NAME", name_of(index)),
                                    "$PORT", std::to_string(port));
  std::vector<std::shared_ptr<const resource::Object>> objects;
  for (resource::Object& each : resource::read(text, nullptr).objects) {
    objects.push_back(std::make_shared<const resource::Object>(std::move(each)));
  }
  return objects;
}

// Puts all objects of one deployment again, its endpoint at another port each time, and links.
void link_one(benchmark::State& state) {
  compile::LinkSettings settings;
  settings.provide_gateway = true;
  compile::Linker linker(settings);
  const auto count = static_cast<std::size_t>(state.range(0));
  for (std::size_t i = 0; i < count; ++i) {
    for (const auto& each : deployment(i, 9000)) linker.put(each);
  }
  auto snapshot = linker.link();
  const auto one = deployment(count / 2, 9001);
  const auto other = deployment(count / 2, 9002);
  bool flip = false;
  for (auto _ : state) {
    for (const auto& each : flip ? one : other) linker.put(each);
    snapshot = linker.link();
    flip = !flip;
  }
}
BENCHMARK(link_one)->Arg(1)->Arg(100)->Arg(10'000)->Unit(benchmark::kMicrosecond);

void link_all(benchmark::State& state) {
  std::vector<std::shared_ptr<const resource::Object>> objects;
  for (std::size_t i = 0; i < static_cast<std::size_t>(state.range(0)); ++i) {
    for (const auto& each : deployment(i, 9000)) objects.push_back(each);
  }
  compile::LinkSettings settings;
  settings.provide_gateway = true;
  for (auto _ : state) {
    compile::Linker linker(settings);
    for (const auto& each : objects) linker.put(each);
    benchmark::DoNotOptimize(linker.link());
  }
}
BENCHMARK(link_all)->Arg(10'000)->Unit(benchmark::kMillisecond)->Iterations(2);

}  // namespace
