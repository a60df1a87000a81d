#include "compile/names.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "base/assert.h"

namespace sluice::compile {

std::string md5_hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  // MD5 as an identifier, not for security. Fails only where OpenSSL forbids MD5 altogether (FIPS
  // mode).
  const bool made =
      EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr) == 1;
  SLUICE_ASSERT(made);
  std::string hex;
  hex.reserve(std::size_t{size} * 2);
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

std::string fitting(const std::string& name) {
  return name.size() <= kNameBytesMax ? name : "seldon-" + md5_hex(name);
}

std::string seldon_id(std::string_view deployment) { return fitting(std::string(deployment)); }

std::string predictor_service_name(std::string_view deployment,
                                   const resource::Predictor& predictor) {
  const auto own = predictor.annotations.find("seldon.io/svc-name");
  if (own != predictor.annotations.end()) return own->second;
  return fitting(fmt::format("{}-{}", deployment, predictor.name));
}

std::string container_service_name(std::string_view deployment, std::string_view predictor,
                                   std::string_view container) {
  return fitting(fmt::format("{}-{}-{}", deployment, predictor, container));
}

std::string explainer_name(std::string_view deployment, std::string_view predictor) {
  return fitting(fmt::format("{}-{}-explainer", deployment, predictor));
}

std::string engine_deployment_name(std::string_view deployment, std::string_view predictor) {
  return fitting(fmt::format("{}-{}-svc-orch", deployment, predictor));
}

std::string component_deployment_name(std::string_view deployment, std::string_view predictor,
                                      std::size_t index, const resource::ComponentSpec& component,
                                      const Settings& settings) {
  std::string last = component.name;
  if (last.empty()) {
    for (const resource::Value& container : component.containers()) {
      if (!last.empty()) last += '-';
      last += container.at("name").text();
    }
  }
  const std::string base = fmt::format("{}-{}-{}-{}", deployment, predictor, index, last);
  if (base.size() <= kNameBytesMax) return base;
  if (settings.deployment_name_as_prefix) {
    std::string prefixed = fmt::format("{}-{}", deployment, md5_hex(base));
    if (prefixed.size() <= kNameBytesMax) return prefixed;
  }
  return "seldon-" + md5_hex(base);
}

namespace {
bool is_lower_or_digit(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_alphanumeric(char c) noexcept { return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z'); }
}  // namespace

bool is_dns_label(std::string_view text) noexcept {
  if (text.empty() || text.size() > kNameBytesMax) return false;
  for (const char c : text) {
    if (!is_lower_or_digit(c) && c != '-') return false;
  }
  return text.front() != '-' && text.back() != '-';
}

bool is_label_value(std::string_view text) noexcept {
  if (text.empty()) return true;
  if (text.size() > kNameBytesMax) return false;
  for (const char c : text) {
    if (!is_alphanumeric(c) && c != '-' && c != '_' && c != '.') return false;
  }
  return is_alphanumeric(text.front()) && is_alphanumeric(text.back());
}

std::string cut_name(std::string name) {
  if (name.size() <= kNameBytesMax) return name;
  name.resize(kNameBytesMax);
  if (name.back() == '-') name.pop_back();
  return name;
}

}  // namespace sluice::compile
