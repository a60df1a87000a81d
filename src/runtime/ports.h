// Free ports of one address, none given twice while it is in use.
#pragma once

#include <cstdint>
#include <set>
#include <string>

namespace sluice::runtime {

class PortPool {
 public:
  PortPool(std::string address, std::uint16_t first, std::uint16_t last, std::uint64_t seed);
  // 0 when none is left. Another program may still take the port before the child binds it: then
  // the child fails to start, and gets another one.
  std::uint16_t take();
  void give_back(std::uint16_t port) { taken_.erase(port); }
  bool is_free(std::uint16_t port) const;  // nobody listens there now

 private:
  const std::string address_;
  const std::uint16_t first_;
  const std::uint16_t last_;
  std::uint16_t next_;
  std::set<std::uint16_t> taken_;
};

}  // namespace sluice::runtime
