// Finds what can run an image on this machine: podman or docker, whichever answers. Asked once,
// when the first container without a command comes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/loop.h"
#include "runtime/process.h"

namespace sluice::runtime {

class ContainerTool {
 public:
  // `known` is called once, on the loop.
  ContainerTool(net::Loop& loop, std::function<void()> known);
  void ask();  // again: no effect
  bool is_known() const noexcept { return known_; }
  const std::string& name() const noexcept { return name_; }        // "" when none works
  const std::string& trouble() const noexcept { return trouble_; }  // why, when none works

 private:
  void try_next();
  void on_answer(bool works, const std::string& why);

  net::Loop& loop_;
  const std::function<void()> on_known_;
  bool asked_ = false;
  bool known_ = false;
  std::size_t next_ = 0;  // of the candidates
  std::string name_;
  std::string trouble_;
  std::string last_line_;
  std::unique_ptr<Process> process_;
  net::Timer timer_;
};

}  // namespace sluice::runtime
