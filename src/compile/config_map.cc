// The ConfigMap `seldon-config`: a JSON text under each of its keys. Malformed text ends the
// reference's manager; here it is an error that names the key.
#include <fmt/format.h>

#include <utility>

#include "compile/settings.h"
#include "resource/check.h"
#include "resource/parse.h"

namespace sluice::compile {

namespace {

using resource::Member;
using resource::Value;

std::string wrong(std::string_view key, std::string_view what) {
  return fmt::format("ConfigMap seldon-config, key {}: {}", key, what);
}

// The JSON object under a key; null when the key is not there, or holds nothing.
Result<Value> object_under(const Lookup& config, std::string_view key) {
  const std::optional<std::string> text = config(key);
  if (!text || text->find_first_not_of(" \t\r\n") == std::string::npos) return Value();
  const auto broken = [&](const resource::Diagnostic& diagnostic) {
    return fail(Blame::kConfig,
                wrong(key, fmt::format("line {}: {}", diagnostic.place.line, diagnostic.what)));
  };
  if (const auto bad = resource::find_bad_character(*text, 1)) return broken(*bad);
  resource::Budget budget;
  resource::Parsed parsed = resource::parse_json(*text, 1, budget);
  if (parsed.failure) return broken(*parsed.failure);
  if (parsed.documents.size() != 1 || !parsed.documents[0].root.is_map()) {
    return fail(Blame::kConfig, wrong(key, "it must be one JSON object"));
  }
  for (const resource::Diagnostic& diagnostic : parsed.documents[0].diagnostics) {
    if (diagnostic.severity == resource::Severity::kError) return broken(diagnostic);
  }
  return std::move(parsed.documents[0].root);
}

// Sets `into` when the member is there; fails when it is no text.
Result<void> take_text(std::string_view key, const Value& map, std::string_view name,
                       std::string& into) {
  const Value& value = map.at(name);
  if (value.is_null()) return {};
  if (!value.is_string())
    return fail(Blame::kConfig, wrong(key, fmt::format("{} is no text", name)));
  into = std::string(value.text());
  return {};
}

Result<PredictorServers> servers_of(std::string_view key, const Value& table) {
  PredictorServers servers;
  for (const Member& server : table.map()) {
    const Value& protocols = server.value.at("protocols");
    if (!protocols.is_map()) {
      return fail(Blame::kConfig, wrong(key, fmt::format("{} has no map protocols", server.key)));
    }
    for (const Member& protocol : protocols.map()) {
      ServerImage image;
      SLUICE_CHECK(take_text(key, protocol.value, "image", image.image));
      SLUICE_CHECK(take_text(key, protocol.value, "defaultImageVersion", image.version));
      if (image.image.empty()) {
        return fail(Blame::kConfig, wrong(key, fmt::format("{} has no image for protocol {}",
                                                           server.key, protocol.key)));
      }
      servers[server.key][protocol.key] = std::move(image);
    }
  }
  return servers;
}

}  // namespace

Result<void> apply_config(const Lookup& config, Settings& settings) {
  SLUICE_TRY(const Value servers, object_under(config, "predictor_servers"));
  if (!servers.is_null()) {
    SLUICE_TRY(settings.servers, servers_of("predictor_servers", servers));
  }
  constexpr std::string_view kInitializer = "storageInitializer";
  SLUICE_TRY(const Value initializer, object_under(config, kInitializer));
  for (const auto& [name, into] :
       {std::pair<std::string_view, std::string*>{"image", &settings.storage_initializer_image},
        {"cpuRequest", &settings.storage_initializer_cpu_request},
        {"cpuLimit", &settings.storage_initializer_cpu_limit},
        {"memoryRequest", &settings.storage_initializer_memory_request},
        {"memoryLimit", &settings.storage_initializer_memory_limit}}) {
    SLUICE_CHECK(take_text(kInitializer, initializer, name, *into));
    if (name != "image" && !resource::is_quantity(*into)) {
      return fail(Blame::kConfig,
                  wrong(kInitializer, fmt::format("{} is no quantity: \"{}\"", name, *into)));
    }
  }
  SLUICE_TRY(const Value explainer, object_under(config, "explainer"));
  SLUICE_CHECK(take_text("explainer", explainer, "image", settings.explainer_image));
  return take_text("explainer", explainer, "image_v2", settings.explainer_image_v2);
}

}  // namespace sluice::compile
