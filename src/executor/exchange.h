// What an executor has, and one request's way through its graph.
// Thread: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "executor/flags.h"
#include "executor/metrics.h"
#include "executor/paths.h"
#include "executor/predictor.h"
#include "executor/reply.h"
#include "executor/unit_pool.h"
#include "http/head.h"
#include "net/loop.h"

namespace sluice::executor {

// Shared by all requests. Lifetime: outlives them.
class Engine {
 public:
  // REQUIRES: check_served(predictor).
  Engine(net::Loop& loop, Options options, Annotations annotations, Predictor predictor, Cors cors);

  net::Loop& loop;
  const Options options;
  const Annotations annotations;
  const Predictor predictor;
  const Cors cors;
  const std::vector<Step> steps;
  Metrics metrics;
  Random random;
  UnitPool pool;        // where the unit is called
  UnitPool ready_pool;  // where its readiness is asked
};

// One request, from when its body is there until its answer is. Used again and again by its caller.
class Exchange {
 public:
  // The answer is there; it may be moved from.
  using Done = void (*)(void* context, Reply& reply);

  Exchange(Engine& engine, Done done, void* context)
      : engine_(engine), done_(done), context_(context) {}

  // `head`, `path` and what `match` shows must live until the answer. May answer before it returns.
  void start(const http::RequestHead& head, const Match& match, std::string_view puid,
             std::string body);
  void cancel() noexcept { call_.cancel(); }

 private:
  void run_steps();
  void ask(Step step);
  void ask_ready();
  void on_answer(UnitReply& answer);
  bool unpack(UnitReply& answer);  // false: answered with a failure
  void count_client();
  void answer(Reply reply);
  static void on_called(void* self);
  static void on_ready(void* self);

  Engine& engine_;
  const Done done_;
  void* const context_;

  const http::RequestHead* head_ = nullptr;
  Match match_;
  std::string puid_;
  std::string body_;          // the message as it stands: the request's, then a unit's
  std::string content_type_;  // likewise
  std::string content_encoding_;
  bool was_called_ = false;
  std::size_t step_ = 0;
  Step asked_ = Step::kPredict;
  std::string asked_path_;
  std::string_view model_;  // the unit's name, or the one in the path
  UnitCall call_;
};

}  // namespace sluice::executor
