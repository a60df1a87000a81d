// Between the operator's client and the API server: what may go wrong on the way. wire.cc defines
// kube::Connection, in the place of kube/connection.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "api_server.h"
#include "machine.h"

namespace sluice::sim {

// How likely, of one call.
struct Troubles {
  double lost_request = 0;  // it never arrives; the caller sees a broken connection
  double lost_answer = 0;   // the server does it, and the caller sees a broken connection
  double hang = 0;          // the server does it, and the caller hears nothing until its deadline
  double busy = 0;          // 429 with Retry-After
  double failing = 0;       // 500, 503: half of them have been carried out
  double conflict = 0;      // 409, of what writes
  int latency_max_ms = 5;
};

class Wire {
 public:
  Wire(Machine& m, ApiServer& s) : machine(m), server(s) { current = this; }
  ~Wire() { current = nullptr; }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  Machine& machine;
  ApiServer& server;
  Troubles troubles;
  std::int64_t outage_until_ns = 0;  // nothing gets through
  // After a call was carried out, before its answer is under way.
  std::function<void(Process&, const Request&, const Reply&)> on_call;
  // May change what goes wrong with this one call.
  std::function<void(const Request&, Troubles&)> mishap;
  std::uint64_t calls = 0;        // carried out; watches count when they begin
  std::uint64_t writes = 0;       // of them: no leases, no Events
  std::int64_t last_call_ns = 0;  // neither watch nor lease

  static Wire* current;

  // What the caller waits for.
  struct Exchange {
    bool is_over = false;
    std::string broken;  // why, if it is
    Reply reply;
    std::shared_ptr<Stream> stream;
    std::shared_ptr<Fiber> caller;
  };
  void send(Process& process, Request request, std::shared_ptr<Exchange> exchange);

 private:
  void arrive(Process& process, const Request& request, const std::shared_ptr<Exchange>& exchange);
  void answer(Process& process, const std::shared_ptr<Exchange>& exchange);
  void carry_out(Process& process, const Request& request, Exchange& exchange);
};

}  // namespace sluice::sim
