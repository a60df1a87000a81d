#include "http/known.h"

#include "http/known_table.h"

namespace sluice::http {

Known find_known(std::string_view name) noexcept {
  return name.size() <= known_table::kShortMax
             ? known_table::find_short(known_table::make_short(name))
             : known_table::find_long(name);
}

std::string_view name_of(Known known) noexcept {
  return known_table::kNames[static_cast<unsigned>(known)];
}

}  // namespace sluice::http
