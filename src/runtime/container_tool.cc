#include "runtime/container_tool.h"

#include <unistd.h>

#include <array>
#include <csignal>

extern char** environ;  // NOLINT: POSIX has it so

namespace sluice::runtime {

namespace {
constexpr std::array<const char*, 2> kCandidates = {"podman", "docker"};
constexpr Milliseconds kAnswerWithin{5'000};
}  // namespace

ContainerTool::ContainerTool(net::Loop& loop, std::function<void()> known)
    : loop_(loop),
      on_known_(std::move(known)),
      timer_(
          [](void* self) {
            auto& tool = *static_cast<ContainerTool*>(self);
            if (tool.process_) tool.process_->signal_group(SIGKILL);
          },
          this) {}

void ContainerTool::ask() {
  if (asked_) return;
  asked_ = true;
  loop_.defer([this] { try_next(); });
}

void ContainerTool::try_next() {
  if (next_ == kCandidates.size()) {
    known_ = true;
    return on_known_();
  }
  // `info` talks to the daemon where there is one; `version` would be content without.
  ProcessSpec spec{{kCandidates[next_], "info"}, {}, {}, {}};
  for (char** each = environ; *each != nullptr; ++each) spec.env.emplace_back(*each);
  last_line_.clear();
  auto started = Process::start(
      loop_, spec, [this](std::string_view line) { last_line_ = line.substr(0, 200); },
      [this](const ProcessExit& exit) {
        on_answer(exit.signal == 0 && exit.code == 0,
                  last_line_.empty() ? to_string(exit) : last_line_);
      });
  if (!started) return on_answer(false, "is not installed");
  process_ = std::move(*started);
  timer_.arm(loop_, kAnswerWithin);
}

void ContainerTool::on_answer(bool works, const std::string& why) {
  timer_.disarm();
  process_.reset();
  if (works) {
    name_ = kCandidates[next_];
    next_ = kCandidates.size();
  } else {
    if (!trouble_.empty()) trouble_ += "; ";
    trouble_ += std::string(kCandidates[next_]) + ": " + why;
    ++next_;
  }
  try_next();
}

}  // namespace sluice::runtime
