// One request from its head to its last byte: routed, perhaps delayed or refused by a fault,
// forwarded, tried again, answered; or answered by the gateway itself.
//
// It knows neither how its caller's bytes look (Downstream) nor its endpoint's (Exchange). Objects
// are recycled by the worker; nothing is allocated for a request that is like the ones before.
// Files: request.cc routes and ends, request_try.cc tries upstreams, request_head.cc and
// response_head.cc build heads, reply.cc has the gateway's own answers.
// Thread: the worker that accepted the connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/cluster.h"
#include "gateway/downstream.h"
#include "gateway/format.h"
#include "gateway/outcome.h"
#include "gateway/upstream.h"
#include "http/head.h"
#include "http/http1.h"
#include "net/loop.h"
#include "route/path.h"
#include "route/rule.h"

namespace sluice::gateway {

class Mirror;
struct SnapshotUse;

class Request final : public Exchange {
 public:
  explicit Request(Worker& worker);

  http::RequestHead head;
  http::RequestParser parser{head};

  // Before the first byte of a head: remembers nothing of the request before.
  void reset(Downstream& downstream);

  // Bytes of the body, without framing. `stays`: the view lives until the request is done.
  void take_body(std::string_view data, bool complete, bool stays);
  // The head is complete; what came of the body was taken.
  void start(bool has_body);
  bool wants_body() const noexcept;
  bool is_body_complete() const noexcept { return body_complete_; }

  // The head can't be read: answer and end. Nothing was routed.
  void refuse(std::uint16_t status, std::string_view body);
  // The body can't be read, or does not come: answer if that is still possible, else cut.
  void refuse_body(std::uint16_t status, std::string_view body);
  void on_downstream_gone();      // nobody waits for the answer any more
  void on_downstream_writable();  // all that was sent has left
  bool has_responded() const noexcept { return responded_; }

  void on_connected() override;
  void on_response_head() override;
  void on_response_data(std::string_view data) override;
  void on_response_flush(bool complete) override;
  void on_response_end() override;
  void on_upstream_failure(Failure failure, bool undelivered, bool reused) override;
  void on_upstream_writable() override;
  void on_pool_room() override;

 private:
  friend class AccessLogWriter;

  // request.cc
  void route();
  void run_rule();
  bool answer_preflight();
  void after_faults();
  void forward();
  void end(bool cut);
  static void on_delay_over(void* self);
  static void on_route_timeout(void* self);
  void account();

  // request_try.cc
  void begin_try();
  void send_request();
  void send_more_body();
  void write_upstream(std::string_view head_bytes);
  void leave_upstream() noexcept;  // closes the try's connection, if any
  void release_try() noexcept;
  void on_body_completed();
  void try_failed(Failure failure, bool undelivered, bool reused);
  bool try_elsewhere(Failure failure, bool undelivered, bool reused);
  bool try_by_policy(Failure failure);
  bool reroute();
  bool try_other_destination();
  void schedule_retry();
  bool can_replay() const noexcept { return !body_dropped_; }
  std::string_view body() const noexcept;
  std::uint64_t hash_key() const noexcept;
  void arm_route_timeout();
  static void on_backoff_over(void* self);
  static void on_try_timeout(void* self);

  // request_head.cc
  void build_request(HeadEdit& edit, std::string_view& path, std::string_view& authority);
  void add_request_fields(HeadEdit& edit);
  void copy_request_fields(HeadEdit& edit);
  void apply_request_operations(HeadEdit& edit, std::string_view& authority);
  std::string_view rewritten_path();
  std::string_view encode_request(const HeadEdit& edit, std::string_view path,
                                  std::string_view authority, char* out, std::size_t size);
  FormatContext context() const noexcept;
  std::string_view client_path() const noexcept;  // normalised, with query
  void start_mirrors();

  // response_head.cc
  void build_response(HeadEdit& edit);
  void apply_response_operations(HeadEdit& edit, std::uint16_t status);
  void add_cors(HeadEdit& edit);
  void finish_response_fields(HeadEdit& edit);
  void send_response_head();

  // reply.cc
  struct Reply {
    std::uint16_t status = 200;
    std::string_view body = {};
    std::string_view content_type = "text/plain";
    bool overloaded = false;
    bool with_rule = true;  // the rule's response operations apply
    bool shaped = true;     // becomes a gRPC answer for gRPC callers
    std::optional<std::uint32_t> grpc_status = std::nullopt;
  };
  void reply(const Reply& reply, HeadEdit& edit);
  void reply(const Reply& reply);
  void reply_failure(Failure failure);
  void reply_redirect(const route::Redirect& redirect);
  void reply_https_redirect();
  void reply_fault(const route::Fault& fault);

  Worker& worker_;
  Downstream* downstream_ = nullptr;
  SnapshotUse* snapshot_ = nullptr;

  // What was asked.
  route::RequestHead routed_;
  std::string host_;         // lower case, without port
  std::string path_buffer_;  // of a path that had to be normalised
  std::string rewrite_buffer_;
  bool has_query_ = false;
  bool has_body_ = false;
  bool must_close_ = false;  // what the caller sends next can't be trusted
  char request_id_[36];
  bool has_request_id_ = false;

  // What was decided.
  const route::Rule* rule_ = nullptr;
  const route::Forward* forward_ = nullptr;
  const route::Destination* destination_ = nullptr;
  std::string_view cors_origin_;  // set when the origin is allowed

  // The body.
  std::string_view body_view_;  // when it lies whole in the connection's buffer
  std::vector<char> body_;      // otherwise
  std::size_t body_sent_ = 0;   // of this try
  bool body_complete_ = false;
  bool body_dropped_ = false;  // too long to be held for another try

  // The try.
  UpstreamConnection* upstream_ = nullptr;
  ClusterState* cluster_ = nullptr;
  EndpointState* endpoint_ = nullptr;
  Tried tried_;
  unsigned tries_ = 0;           // as x-envoy-attempt-count
  unsigned policy_retries_ = 0;  //
  unsigned free_retries_ = 0;
  unsigned reroutes_ = 0;
  std::uint64_t left_destinations_ = 0;  // bit n: destination n of the rule has failed this request
  std::int64_t sent_ns_ = 0;
  std::int64_t head_ns_ = 0;
  std::int64_t deadline_ns_ = 0;  // of the route's timeout; 0: none
  bool fresh_ = false;            // the next try takes no used connection
  bool head_sent_ = false;        // of this try
  bool tail_sent_ = false;        // of this try: the end of the body
  bool counts_retry_ = false;     // among the cluster's parallel retries
  net::Timer route_timer_;
  net::Timer try_timer_;
  net::Timer backoff_timer_;
  net::Timer delay_timer_;

  // Copies that may still want the body, each with the number it had when it was this request's.
  struct Fed {
    Mirror* mirror;
    std::uint64_t copy;
  };
  std::vector<Fed> mirrors_;

  // How it went.
  Phase phase_ = Phase::kReceived;
  Flags flags_ = 0;
  std::uint16_t status_ = 0;
  bool responded_ = false;
  bool ended_ = false;
  std::int64_t start_ns_ = 0;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t bytes_sent_ = 0;
};

}  // namespace sluice::gateway
