#include "resource/object.h"

#include <cstdio>
#include <ctime>

namespace sluice::resource {

std::string to_string(const ObjectKey& key) {
  return key.kind + " " + key.namespace_ + "/" + key.name;
}

std::string_view Object::group() const noexcept {
  const auto slash = api_version.find('/');
  return slash == std::string::npos ? std::string_view()
                                    : std::string_view(api_version).substr(0, slash);
}

std::string_view Object::version() const noexcept {
  const auto slash = api_version.find('/');
  return slash == std::string::npos ? std::string_view(api_version)
                                    : std::string_view(api_version).substr(slash + 1);
}

ObjectKey Object::key() const { return ObjectKey{std::string(group()), kind, namespace_, name}; }

std::int64_t Object::created_seconds() const noexcept {
  const std::string* text = metadata().at("creationTimestamp").as_string();
  if (text == nullptr) return 0;
  tm parts{};
  if (std::sscanf(text->c_str(), "%d-%d-%dT%d:%d:%d", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
                  &parts.tm_hour, &parts.tm_min, &parts.tm_sec) != 6) {
    return 0;
  }
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return std::int64_t{timegm(&parts)};
}

bool operator==(const Object& a, const Object& b) {
  return a.api_version == b.api_version && a.kind == b.kind && a.namespace_ == b.namespace_ &&
         a.name == b.name && a.root == b.root;
}

Diagnostic about(const Object& object, const Value& value, std::string field, Severity severity,
                 std::string code, std::string what, std::string hint) {
  Diagnostic diagnostic;
  diagnostic.severity = severity;
  diagnostic.code = std::move(code);
  if (object.file != nullptr) diagnostic.file = *object.file;
  diagnostic.place = value.place.line != 0 ? value.place : object.root.place;
  diagnostic.object = to_string(object.key());
  diagnostic.field = std::move(field);
  diagnostic.what = std::move(what);
  diagnostic.hint = std::move(hint);
  return diagnostic;
}

}  // namespace sluice::resource
