#include "wire.h"

#include <fmt/core.h>

#include <unordered_map>

#include "base/assert.h"
#include "base/percent.h"
#include "base/text.h"
#include "kube/connection.h"

namespace sluice::sim {

Wire* Wire::current = nullptr;

namespace {

bool is_watch(const Request& request) { return request.parameters.contains("watch"); }
bool is_lease(const Request& request) { return request.path.find("/leases") != std::string::npos; }

Request parse(std::string_view text) {
  Request request;
  const std::size_t line_end = text.find("\r\n");
  const auto words = split(text.substr(0, line_end), ' ');
  request.method = words[0];
  const std::string_view target = words[1];
  const std::size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string_view::npos) {
    for (const std::string_view pair : split(target.substr(mark + 1), '&')) {
      const std::size_t equals = pair.find('=');
      request.parameters[std::string(pair.substr(0, equals))] = pair.substr(equals + 1);
    }
  }
  request.body = text.substr(text.find("\r\n\r\n") + 4);
  return request;
}

}  // namespace

void Wire::send(Process& process, Request request, std::shared_ptr<Exchange> exchange) {
  const Milliseconds latency = machine.between(0, troubles.latency_max_ms);
  const bool is_lost = machine.now_ns() < outage_until_ns || machine.chance(troubles.lost_request);
  if (is_lost) {
    exchange->broken = "the connection was closed";
    machine.after(latency, [this, &process, exchange] { answer(process, exchange); }, &process);
    return;
  }
  // It is under way: whoever sent it may end meanwhile. `process` itself outlives the run.
  machine.after(latency, [this, &process, request = std::move(request), exchange] {
    if (process.is_dead && machine.chance(0.5)) return;
    arrive(process, request, exchange);
  });
}

void Wire::arrive(Process& process, const Request& request,
                  const std::shared_ptr<Exchange>& exchange) {
  const Milliseconds latency = machine.between(0, troubles.latency_max_ms);
  Troubles now = troubles;
  if (mishap) mishap(request, now);
  const bool is_write = request.method != "GET";
  const auto refuse = [&](int status, const char* message, int retry_after_s) {
    exchange->reply = {status, fmt::format("{{\"message\":\"{}\"}}", message), retry_after_s};
    exchange->stream = nullptr;
  };
  bool hangs = false;
  if (machine.chance(now.busy)) {
    refuse(429, "too many requests", 1 + static_cast<int>(machine.random.below(3)));
  } else if (machine.chance(now.failing)) {
    if (machine.chance(0.5)) carry_out(process, request, *exchange);
    refuse(machine.chance(0.5) ? 500 : 503, "simulated trouble", 0);
  } else if (is_write && machine.chance(now.conflict)) {
    refuse(409, "the object has been modified; please apply your changes to the latest version", 0);
  } else {
    carry_out(process, request, *exchange);
    if (machine.chance(now.lost_answer)) exchange->broken = "the connection was closed";
    hangs = machine.chance(now.hang);
  }
  if (machine.trace != nullptr) {
    Process* const before = std::exchange(Machine::speaker, &process);
    machine.say(fmt::format("{} {}{} -> {}{}", request.method, request.path,
                            is_watch(request) ? " (watch)" : "", exchange->reply.status,
                            hangs                      ? ", no answer"
                            : exchange->broken.empty() ? ""
                                                       : ", answer lost"));
    Machine::speaker = before;
  }
  if (!hangs)
    machine.after(latency, [this, &process, exchange] { answer(process, exchange); }, &process);
}

void Wire::carry_out(Process& process, const Request& request, Exchange& exchange) {
  ++calls;
  if (is_watch(request)) {
    exchange.stream = server.watch(request, process, exchange.reply);
  } else {
    exchange.reply = server.handle(request);
    // A kind that is not there is asked for every half minute, for ever.
    const bool is_unserved = request.method == "GET" && exchange.reply.status == 404;
    if (!is_lease(request) && !is_unserved) last_call_ns = machine.now_ns();
    if (!is_lease(request) && request.method != "GET" &&
        request.path.find("/events") == std::string::npos)
      ++writes;
  }
  if (on_call) on_call(process, request, exchange.reply);
}

void Wire::answer(Process& process, const std::shared_ptr<Exchange>& exchange) {
  exchange->is_over = true;
  if (exchange->caller != nullptr && !process.is_dead)
    machine.wake(exchange->caller, machine.now_ns());
}

namespace {
// Streams of connections, by a number that the connection keeps.
std::unordered_map<std::size_t, std::shared_ptr<Stream>>& streams() {
  static std::unordered_map<std::size_t, std::shared_ptr<Stream>> all;
  return all;
}
}  // namespace

}  // namespace sluice::sim

// --- kube/connection.h. Of a Connection's members: `begin_` is its number, `buffer_` the body that
// was not read yet, `head_.status` the status, `end_` Retry-After.

namespace sluice::kube {

using sim::Fiber;
using sim::Machine;
using sim::Wire;

namespace {

tl::unexpected<Error> broken(std::string what) {
  return tl::unexpected<Error>(Error{Blame::kUpstream, Retry::kSafe, std::move(what), {}});
}

std::shared_ptr<Fiber> running_fiber() {
  for (const auto& each : Machine::running->process.fibers) {
    if (each.get() == Machine::running) return each;
  }
  SLUICE_ASSERT(false);
  return nullptr;
}

std::string& retry_after_text() {
  static std::string text;
  return text;
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const Endpoint& /*endpoint*/,
                                                     std::shared_ptr<const net::TlsContext> /*tls*/,
                                                     const Stop& stop,
                                                     std::int64_t /*deadline_ns*/) {
  if (stop.is_set()) return fail(Blame::kInternal, "stopped");
  static std::size_t number = 0;
  std::unique_ptr<Connection> made(new Connection(stop));
  made->begin_ = ++number;
  return made;
}

Result<void> Connection::exchange(std::string_view request, std::int64_t deadline_ns) {
  Fiber& fiber = *Machine::running;
  auto exchange = std::make_shared<Wire::Exchange>();
  exchange->caller = running_fiber();
  sim::streams().erase(begin_);
  Wire::current->send(fiber.process, sim::parse(request), exchange);
  while (!exchange->is_over) {
    if (stop_.is_set()) return fail(Blame::kInternal, "stopped");
    if (monotonic_ns() >= deadline_ns) return broken("the API server does not answer in time");
    fiber.waits_for = &stop_;
    fiber.park(deadline_ns);
    fiber.waits_for = nullptr;
  }
  exchange->caller = nullptr;
  if (stop_.is_set()) return fail(Blame::kInternal, "stopped");
  if (!exchange->broken.empty()) return broken(exchange->broken);
  head_.status = static_cast<std::uint16_t>(exchange->reply.status);
  end_ = static_cast<std::size_t>(exchange->reply.retry_after_s);
  buffer_.assign(exchange->reply.body.begin(), exchange->reply.body.end());
  if (exchange->stream != nullptr) {
    head_.status = 200;
    sim::streams()[begin_] = exchange->stream;
  }
  return {};
}

std::string_view Connection::field(std::string_view lower_name) const noexcept {
  if (lower_name == "content-type") return "application/json";
  if (lower_name != "retry-after" || end_ == 0) return {};
  retry_after_text() = std::to_string(end_);
  return retry_after_text();
}

Result<bool> Connection::read_body(std::string& out, std::int64_t deadline_ns) {
  const auto found = sim::streams().find(begin_);
  if (found == sim::streams().end()) {
    if (buffer_.empty()) return false;
    out.append(buffer_.begin(), buffer_.end());
    buffer_.clear();
    return true;
  }
  const std::shared_ptr<sim::Stream> stream = found->second;
  Fiber& fiber = *Machine::running;
  const auto end = [&] { sim::streams().erase(begin_); };
  for (;;) {
    if (stop_.is_set()) {
      end();
      return fail(Blame::kInternal, "stopped");
    }
    if (stream->broken) {
      end();
      return broken("the connection broke");
    }
    if (!stream->lines.empty()) {
      out += stream->lines.front();
      stream->lines.pop_front();
      return true;
    }
    if (stream->closed || monotonic_ns() >= deadline_ns) {
      end();
      return false;
    }
    stream->reader = running_fiber();
    fiber.waits_for = &stop_;
    fiber.park(deadline_ns);
    fiber.waits_for = nullptr;
    stream->reader = nullptr;
  }
}

bool Connection::is_reusable() const noexcept { return true; }
bool Connection::is_stale() const noexcept { return false; }

}  // namespace sluice::kube
