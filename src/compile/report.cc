#include "compile/report.h"

#include <charconv>

namespace sluice::compile {

const resource::Value& value_at(const resource::Value& root, std::string_view path) {
  const resource::Value* value = &root;
  while (!path.empty()) {
    const resource::Value* next = nullptr;
    if (path.front() == '.') {
      path.remove_prefix(1);
    } else if (path.starts_with("[\"")) {
      const std::size_t end = path.find("\"]");
      if (end == std::string_view::npos) break;
      next = &value->at(path.substr(2, end - 2));
      path.remove_prefix(end + 2);
    } else if (path.front() == '[') {
      const std::size_t end = path.find(']');
      if (end == std::string_view::npos) break;
      std::size_t index = 0;
      std::from_chars(path.data() + 1, path.data() + end, index);
      next = &value->at(index);
      path.remove_prefix(end + 1);
    } else {
      const std::size_t end = path.find_first_of(".[");
      next = &value->at(path.substr(0, end));
      path.remove_prefix(end == std::string_view::npos ? path.size() : end);
    }
    if (next == nullptr) continue;
    if (next->is_null()) break;
    value = next;
  }
  return *value;
}

void Report::add(resource::Severity severity, std::string field, std::string code, std::string what,
                 std::string hint) {
  const resource::Value& value = value_at(object_.root, field);
  out_.push_back(resource::about(object_, value, std::move(field), severity, std::move(code),
                                 std::move(what), std::move(hint)));
}

}  // namespace sluice::compile
