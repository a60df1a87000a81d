// Names to addresses, off the control thread: getaddrinfo(3) may take seconds.
// Thread: used on the loop's thread; has one of its own for asking.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/loop.h"

namespace sluice::net {

// Asks at once and blocks. The addresses as Resolver's callback gets them. For threads that may
// wait.
std::vector<std::string> resolve_now(const std::string& name);

class Resolver {
 public:
  // IP addresses as text, sorted, without duplicates; empty when the name does not resolve. Called
  // on the loop's thread when a name's addresses are first known, and after that when they change.
  using Callback =
      std::function<void(const std::string& name, const std::vector<std::string>& addresses)>;

  // Asks again after `refresh`: getaddrinfo tells no time to live, and Envoy's own default is five
  // seconds. A name that stops resolving keeps its last addresses.
  Resolver(Loop& loop, Callback callback, Milliseconds refresh = Milliseconds(5000));
  ~Resolver();  // waits for a question under way
  void set_names(std::vector<std::string> names);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace sluice::net
