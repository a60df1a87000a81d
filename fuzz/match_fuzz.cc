// VirtualServices: text -> admission -> link -> look-up. Whatever is admitted links without harm,
// and the index finds what a scan of the rules in order finds.
//
// Input: lines up to one of "---" alone are requests ("METHOD host path header:value ..."), the
// rest is YAML.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/text.h"
#include "compile/admission.h"
#include "compile/explain.h"
#include "compile/link.h"
#include "expect.h"
#include "resource/read.h"
#include "route/path.h"

namespace {

using namespace sluice;

const route::Rule* scan(const route::RouteTable& table, const route::RequestHead& request) {
  const route::VirtualHost* host = table.host_for(request.host);
  if (host == nullptr) return nullptr;
  for (const route::PlacedRule& placed : host->rules()) {
    if (placed.rule->match.accepts(request)) return placed.rule.get();
  }
  return nullptr;
}

void ask(const route::Snapshot& snapshot, std::string_view line) {
  const auto words = split(line, ' ');
  if (words.size() < 3) return;
  std::string buffer;
  const route::NormalisedPath path = route::normalise(words[2], buffer);
  if (!path.ok) return;
  std::string again;
  const route::NormalisedPath second = route::normalise(path.path, again);
  FUZZ_EXPECT(second.ok && second.path == path.path, "a normalised path is in normal form");
  std::vector<Field> fields;
  for (std::size_t i = 3; i < std::min<std::size_t>(words.size(), 20); ++i) {
    const std::size_t colon = words[i].find(':');
    if (colon == std::string_view::npos) continue;
    fields.push_back({words[i].substr(0, colon), words[i].substr(colon + 1)});
  }
  const std::string host = to_lower(words[1]);
  route::RequestHead request;
  request.method = words[0];
  request.scheme = "http";
  request.authority = words[1];
  request.host = host;
  request.path = path.path;
  request.query = path.query;
  request.fields = fields;
  for (const auto& listener : snapshot.listeners) {
    if (listener->routes == nullptr) continue;
    FUZZ_EXPECT(listener->routes->find(request) == scan(*listener->routes, request),
                "the index finds what the scan finds");
  }
  compile::ExplainRequest explained;
  explained.method = words[0];
  explained.authority = words[1];
  explained.target = words[2];
  (void)compile::to_text(compile::explain(snapshot, explained));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = std::min(text.find("\n---\n"), text.size());
  const resource::ReadResult read =
      resource::read(text.substr(std::min(cut + 5, text.size())), nullptr);
  compile::LinkSettings settings;
  settings.provide_gateway = true;
  compile::Linker linker(settings);
  for (const resource::Object& object : read.objects) {
    const bool is_refused = resource::has_errors(compile::check_object(object));
    if (!is_refused) linker.put(std::make_shared<const resource::Object>(object));
  }
  const auto snapshot = linker.link();
  (void)linker.diagnostics();
  std::size_t count = 0;
  for (const std::string_view line : split(text.substr(0, cut), '\n')) {
    if (++count > 50) break;
    ask(*snapshot, line);
  }
  for (const resource::Object& object : read.objects) linker.erase(object.key());
  FUZZ_EXPECT(compile::list_routes(*linker.link()).empty(), "nothing is left of erased objects");
  return 0;
}
