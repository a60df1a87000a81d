#include "runtime/probe.h"

#include <fmt/core.h>
#include <sys/socket.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "net/address.h"

namespace sluice::runtime {

namespace {

std::string make_request(const ProbeSpec& probe, const ProbeTarget& target) {
  std::string path = probe.path;
  if (!path.starts_with('/')) path.insert(0, "/");
  std::string host = fmt::format("{}:{}", target.address, target.port);
  std::string fields;
  for (const auto& [name, value] : probe.headers) {
    if (name == "Host" || name == "host") {
      host = value;
    } else {
      fields += fmt::format("{}: {}\r\n", name, value);
    }
  }
  return fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: sluice-probe\r\nAccept: */*\r\n{}Connection: "
      "close\r\n\r\n",
      path, host, fields);
}

}  // namespace

ProbeAttempt::ProbeAttempt(net::Loop& loop, Milliseconds timeout, Done done)
    : loop_(loop),
      timeout_(timeout),
      done_(std::move(done)),
      timer_(
          [](void* self) {
            auto& attempt = *static_cast<ProbeAttempt*>(self);
            attempt.finish(attempt.later_success_, attempt.later_reason_);
          },
          this) {}

ProbeAttempt::~ProbeAttempt() = default;

std::unique_ptr<ProbeAttempt> ProbeAttempt::start(net::Loop& loop, const ProbeSpec& probe,
                                                  const ProbeTarget& target, Done done) {
  std::unique_ptr<ProbeAttempt> attempt(new ProbeAttempt(loop, probe.timeout, std::move(done)));
  attempt->timer_.arm(loop, attempt->timeout_);
  if (probe.kind == ProbeSpec::Kind::kExec) {
    attempt->run_command(probe, target);
  } else {
    attempt->open(probe, target);
  }
  return attempt;
}

void ProbeAttempt::run_command(const ProbeSpec& probe, const ProbeTarget& target) {
  const ProcessSpec spec{probe.command, target.env, target.working_dir, {}};
  auto started = Process::start(loop_, spec, {}, [this](const ProcessExit& exit) {
    finish(exit.signal == 0 && exit.code == 0, "the command " + to_string(exit));
  });
  if (!started) return finish_later(false, to_string(started.error()));
  command_ = std::move(*started);
}

void ProbeAttempt::open(const ProbeSpec& probe, const ProbeTarget& target) {
  const auto address = net::Address::parse(target.address, target.port);
  if (!address || target.port == 0) return finish_later(false, "its port is not known");
  if (probe.kind == ProbeSpec::Kind::kHttp) request_ = make_request(probe, target);
  net::Connecting connecting = net::open_connection(*address);
  if (connecting.error != 0 && connecting.error != EINPROGRESS) {
    return finish_later(false, fmt::format("{}: {}", address->text(), strerror(connecting.error)));
  }
  fd_ = std::move(connecting.fd);
  watch_.start(
      loop_, fd_.get(), net::kWritable,
      [](void* self, std::uint32_t) { static_cast<ProbeAttempt*>(self)->on_socket(); }, this);
}

void ProbeAttempt::on_socket() {
  if (!connected_) {
    if (const int failure = net::connect_error(fd_.get()); failure != 0)
      return finish(false, strerror(failure));
    connected_ = true;
    if (request_.empty()) return finish(true, {});
    // Far below any socket buffer: it goes in one piece or the peer is not well.
    if (send(fd_.get(), request_.data(), request_.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request_.size())) {
      return finish(false, "the request could not be sent");
    }
    watch_.change(net::kReadable);
    return;
  }
  char buffer[512];
  const ssize_t bytes = recv(fd_.get(), buffer, sizeof buffer, 0);
  if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (bytes <= 0) return finish(false, "the connection ended before an answer came");
  answer_.append(buffer, static_cast<std::size_t>(bytes));
  if (answer_.size() < 12) return;  // "HTTP/1.1 200"
  const std::string status = answer_.substr(9, 3);
  const bool success = answer_.starts_with("HTTP/1.") && (status[0] == '2' || status[0] == '3');
  finish(success, fmt::format("answered {}", status));
}

// Never from inside `start`: the caller has not got the attempt yet.
void ProbeAttempt::finish_later(bool success, std::string reason) {
  later_success_ = success;
  later_reason_ = std::move(reason);
  timer_.arm(loop_, Nanoseconds(0));
}

void ProbeAttempt::finish(bool success, const std::string& reason) {
  timer_.disarm();
  watch_.stop();
  fd_.close();  // the probed process may serve one connection at a time
  if (!done_) return;
  const Done done = std::move(done_);
  done_ = nullptr;
  const std::string why = success ? std::string() : reason;
  done(success, why);  // may destroy this
}

}  // namespace sluice::runtime
