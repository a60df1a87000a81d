#include "resource/kubernetes.h"

#include <algorithm>

#include "base/text.h"

namespace sluice::resource {
namespace {

std::uint16_t read_port(const Value& value) {
  const std::int64_t number = value.integer();
  return number > 0 && number <= 0xffff ? static_cast<std::uint16_t>(number) : std::uint16_t{0};
}

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

}  // namespace

Labels read_labels(const Value& map) {
  Labels labels;
  for (const Member& member : map.map()) {
    if (const std::string* text = member.value.as_string()) labels.emplace_back(member.key, *text);
  }
  return labels;
}

bool has_labels(const Labels& labels, const Labels& wanted) noexcept {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& each) {
    return std::find(labels.begin(), labels.end(), each) != labels.end();
  });
}

std::vector<std::string> read_texts(const Value& list) {
  std::vector<std::string> texts;
  for (const Value& each : list.list()) {
    if (const std::string* text = each.as_string()) texts.push_back(*text);
  }
  return texts;
}

const std::string* Secret::find(std::string_view key) const noexcept {
  for (const auto& [name, value] : data) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::optional<std::string> decode_base64(std::string_view text) {
  std::string out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  unsigned count = 0;
  unsigned padding = 0;
  for (const char c : text) {
    if (c == '\n' || c == '\r' || c == ' ' || c == '\t') continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const int digit = base64_digit(c);
    if (digit < 0 || padding > 0) return std::nullopt;
    bits = bits << 6U | static_cast<std::uint32_t>(digit);
    if (++count % 4 == 0) {
      out.push_back(static_cast<char>(bits >> 16U));
      out.push_back(static_cast<char>(bits >> 8U));
      out.push_back(static_cast<char>(bits));
      bits = 0;
    }
  }
  const unsigned rest = count % 4;
  if (rest == 1 || padding > 2 || (padding > 0 && (rest + padding) != 4)) return std::nullopt;
  if (rest == 2) out.push_back(static_cast<char>(bits >> 4U));
  if (rest == 3) {
    out.push_back(static_cast<char>(bits >> 10U));
    out.push_back(static_cast<char>(bits >> 2U));
  }
  return out;
}

Service read_service(const Object& object) {
  Service service;
  service.name = object.name;
  service.namespace_ = object.namespace_;
  service.created = object.created_seconds();
  service.type = object.spec().at("type").text();
  for (const Value& each : object.spec().at("ports").list()) {
    ServicePort port;
    port.name = each.at("name").text();
    port.port = read_port(each.at("port"));
    port.protocol = each.at("protocol").text();
    port.app_protocol = each.at("appProtocol").text();
    service.ports.push_back(std::move(port));
  }
  if (const std::string* list = object.annotation("networking.istio.io/exportTo")) {
    for (const std::string_view each : split(*list, ',')) {
      service.export_to.emplace_back(trim(each));
    }
  }
  return service;
}

EndpointSlice read_endpoint_slice(const Object& object) {
  EndpointSlice slice;
  slice.service = object.label("kubernetes.io/service-name");
  slice.labels = read_labels(object.metadata().at("labels"));
  for (const Value& each : object.root.at("ports").list()) {
    slice.ports.push_back({std::string(each.at("name").text()), read_port(each.at("port"))});
  }
  for (const Value& each : object.root.at("endpoints").list()) {
    const Value& conditions = each.at("conditions");
    slice.endpoints.push_back(
        {read_texts(each.at("addresses")),
         conditions.at("ready").flag(true) && !conditions.at("terminating").flag(false)});
  }
  return slice;
}

Secret read_secret(const Object& object) {
  Secret secret;
  secret.type = object.root.at("type").text();
  for (const Member& member : object.root.at("stringData").map()) {
    secret.data.emplace_back(member.key, member.value.text());
  }
  for (const Member& member : object.root.at("data").map()) {
    if (secret.find(member.key) != nullptr) continue;
    if (auto decoded = decode_base64(member.value.text())) {
      secret.data.emplace_back(member.key, std::move(*decoded));
    }
  }
  return secret;
}

}  // namespace sluice::resource
