#include "kube/client.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <utility>

#include "base/percent.h"
#include "base/random.h"
#include "base/text.h"
#include "kube/answer.h"
#include "kube/connection.h"
#include "kube/credentials.h"
#include "kube/document.h"
#include "kube/pool.h"
#include "kube/stop.h"
#include "kube/takeover.h"
#include "resource/print.h"

namespace sluice::kube {

using resource::List;
using resource::Map;
using resource::Member;
using resource::Object;
using resource::Value;

namespace {

// Of one apply; all are in vain only while somebody else writes the object all the time.
constexpr unsigned kApplyAttempts = 4;
// One answer. A page of 500 large objects is some 10 MB.
constexpr std::size_t kAnswerBytesMax = 256U << 20U;
// A list that keeps expiring between its pages is read in one piece at last.
constexpr int kListRestartsMax = 3;
constexpr int kListPagesMax = 20'000;  // a server that never ends its list; 10 million objects
// Beyond what a watch was asked to last: then the server is gone without a word.
constexpr std::int64_t kWatchGraceSeconds = 30;

struct Request {
  const char* method = "GET";
  std::string target;
  std::string body;
  const char* content_type = "application/json";
};

std::int64_t ns(Milliseconds duration) { return Nanoseconds(duration).count(); }

Milliseconds retry_after_of(const Connection& connection) {
  const std::string text(connection.field("retry-after"));
  // Seconds; a date (which API servers don't send) reads as its day of the month, or as nothing.
  const long seconds = std::strtol(text.c_str(), nullptr, 10);
  return Milliseconds(std::clamp(seconds, 0L, 60L) * 1000);
}

// 100 ms, doubled each time up to 10 s, somewhere in its upper half.
Milliseconds back_off(unsigned attempt, std::uint64_t random) {
  const std::int64_t full = std::min<std::int64_t>(100LL << std::min(attempt, 7U), 10'000);
  return Milliseconds(full / 2 +
                      static_cast<std::int64_t>(random % static_cast<std::uint64_t>(full / 2 + 1)));
}

// What the server keeps by itself has no place in what is applied.
Value body_of(const Object& object, const Kind& kind) {
  Value root = object.root;
  if (root.as_map() == nullptr) root = Map();
  Map& map = *root.as_map();
  map.erase("status");
  map.set("apiVersion", object.api_version);
  map.set("kind", object.kind);
  if (map.find("metadata") == nullptr || map.find("metadata")->as_map() == nullptr)
    map.set("metadata", Map());
  Map& metadata = *map.find("metadata")->as_map();
  for (const char* key : {"uid", "resourceVersion", "generation", "creationTimestamp",
                          "managedFields", "selfLink", "deletionTimestamp"}) {
    metadata.erase(key);
  }
  metadata.set("name", object.name);
  kind.namespaced ? static_cast<void>(metadata.set("namespace", object.namespace_))
                  : static_cast<void>(metadata.erase("namespace"));
  return root;
}

// Server-side apply refuses a container that says a port and protocol twice; the reference's
// orchestrator does (http and metrics, 8000), and other ways to write take it.
bool says_a_port_twice(const Object& object) {
  const Value& pod = object.spec().at("template").at("spec");
  for (const Value& container : pod.at("containers").list()) {
    std::set<std::pair<std::int64_t, std::string_view>> said;
    for (const Value& port : container.at("ports").list()) {
      const auto key =
          std::pair(port.at("containerPort").integer(), port.at("protocol").text("TCP"));
      if (!said.insert(key).second) return true;
    }
  }
  return false;
}

// `have` with what `want` says in its place: spec, owners, its own labels and annotations. The
// number of replicas that `want` leaves to an autoscaler stays.
List laid_over(const Value& have, const Value& want) {
  List patch;
  const auto put = [&patch](const char* path, Value value) {
    patch.push_back(Map{{"op", "add"}, {"path", path}, {"value", std::move(value)}});
  };
  Map spec = want.at("spec").map();
  if (spec.find("replicas") == nullptr && !have.at("spec").at("replicas").is_null())
    spec.set("replicas", have.at("spec").at("replicas"));
  put("/spec", std::move(spec));
  const Value& before = have.at("metadata");
  const Value& after = want.at("metadata");
  if (after.at("ownerReferences").is_list())
    put("/metadata/ownerReferences", after.at("ownerReferences"));
  for (const char* name : {"labels", "annotations"}) {
    Map merged;  // what others wrote stays; of ours only what is said now
    for (const Member& each : before.at(name).map()) {
      if (!each.key.starts_with("seldon")) merged.set(each.key, each.value);
    }
    for (const Member& each : after.at(name).map()) merged.set(each.key, each.value);
    put(name == std::string_view("labels") ? "/metadata/labels" : "/metadata/annotations",
        std::move(merged));
  }
  patch.push_back(Map{{"op", "replace"},
                      {"path", "/metadata/resourceVersion"},
                      {"value", before.at("resourceVersion")}});
  return patch;
}

void add_parameter(std::string& target, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  target += target.find('?') == std::string::npos ? '?' : '&';
  target += name;
  target += '=';
  target += percent_encoded(value);
}

// 422 because the uid is another's: of an apply ("field is immutable"), or of a patch whose test
// failed (no field is named then).
bool is_another_object(const Question& question, const Answer& answer) {
  if (answer.status != 422) return false;
  const List& causes = answer.body.at("details").at("causes").list();
  return causes.empty() ? question.subresource == "status"
                        : causes.front().at("field").text() == "metadata.uid";
}

// The kind of a document, from its apiVersion and kind.
Result<const Kind*> kind_of(const Value& object) {
  const std::string_view version = object.at("apiVersion").text();
  const std::size_t slash = version.find('/');
  const std::string_view group =
      slash == std::string_view::npos ? std::string_view() : version.substr(0, slash);
  const Kind* kind = find_kind(group, object.at("kind").text());
  if (kind != nullptr) return kind;
  return fail(Blame::kConfig, fmt::format("{} {} is no kind that sluice writes", version,
                                          object.at("kind").text()));
}

}  // namespace

struct Client::Impl {
  Impl(Config c, ClientOptions o, Endpoint e)
      : config(std::move(c)),
        options(std::move(o)),
        endpoint(std::move(e)),
        credentials(config, config.tls_server_name.empty() ? endpoint.host : config.tls_server_name,
                    endpoint.is_https),
        pool(options.idle_connections_max),
        rate(options.calls_per_second, options.calls_burst),
        random(static_cast<std::uint64_t>(monotonic_ns())) {}

  const Config config;
  const ClientOptions options;
  const Endpoint endpoint;
  std::function<bool()> may_write;
  Stop stop;
  Credentials credentials;
  Pool pool;
  RateLimit rate;
  std::mutex random_mutex;
  Random random;
  mutable std::mutex calls_mutex;  // guards what follows
  std::map<std::pair<std::string, std::string>, std::uint64_t> calls;
  std::atomic<std::uint64_t> retries{0};
  std::atomic<std::uint64_t> throttled_ns{0};
  std::atomic<std::uint64_t> connections{0};

  std::uint64_t next_random() {
    const std::lock_guard lock(random_mutex);
    return random.next();
  }
  void count(const Question& question);
  std::string head_of(const Request& request, const Credential& credential) const;
  Result<std::unique_ptr<Connection>> connect(const Credential& credential, bool fresh,
                                              std::int64_t deadline_ns);
  Result<std::unique_ptr<Connection>> begin(const Request& request, Credential& credential,
                                            bool fresh, std::int64_t deadline_ns);
  Result<Answer> finish(Connection& connection, std::int64_t deadline_ns);
  Result<Answer> once(const Request& request, bool fresh, std::int64_t deadline_ns);
  Result<Answer> call(const Question& question, const Request& request);
  Result<Written> apply_on_server(const Kind& kind, const resource::Object& object,
                                  std::optional<std::string_view> uid);
  Result<Written> apply_by_patch(const Kind& kind, const resource::Object& object,
                                 std::optional<std::string_view> uid);
  Result<Written> write(const Question& question, const Request& request,
                        resource::List* managed_fields = nullptr);
  Result<Value> read_page(const Question& question, std::string target, bool& expired,
                          bool& served);
};

void Client::Impl::count(const Question& question) {
  std::string what(question.kind == nullptr ? "" : question.kind->kind);
  if (!question.subresource.empty()) what.append("/").append(question.subresource);
  const std::lock_guard lock(calls_mutex);
  ++calls[{std::string(question.verb), std::move(what)}];
}

std::string Client::Impl::head_of(const Request& request, const Credential& credential) const {
  std::string head = fmt::format(
      "{} {}{} HTTP/1.1\r\nHost: {}\r\nUser-Agent: sluice\r\nAccept: application/json\r\n",
      request.method, endpoint.base_path, request.target, endpoint.authority);
  if (!credential.authorization.empty())
    head += "Authorization: " + credential.authorization + "\r\n";
  if (!config.impersonate_user.empty())
    head += "Impersonate-User: " + config.impersonate_user + "\r\n";
  if (!request.body.empty())
    head += fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n", request.content_type,
                        request.body.size());
  return head + "\r\n";
}

Result<std::unique_ptr<Connection>> Client::Impl::connect(const Credential& credential, bool fresh,
                                                          std::int64_t deadline_ns) {
  if (fresh) {
    pool.clear();  // the others are likely as dead as the one that just failed
  } else if (auto kept = pool.take(credential.tls.get()); kept != nullptr) {
    return kept;
  }
  auto opened = Connection::open(endpoint, credential.tls, stop, deadline_ns);
  if (opened) connections.fetch_add(1, std::memory_order_relaxed);
  return opened;
}

// Up to the head of the answer.
Result<std::unique_ptr<Connection>> Client::Impl::begin(const Request& request,
                                                        Credential& credential, bool fresh,
                                                        std::int64_t deadline_ns) {
  if (stop.is_set()) return fail(Blame::kInternal, "stopped");
  if (may_write && std::string_view(request.method) != "GET" && !may_write())
    return fail(Blame::kInternal, "this replica does not lead any more");
  const Nanoseconds pause = rate.take();
  if (pause.count() > 0) {
    throttled_ns.fetch_add(static_cast<std::uint64_t>(pause.count()), std::memory_order_relaxed);
    if (!stop.wait(std::chrono::duration_cast<Milliseconds>(pause) + Milliseconds(1)))
      return fail(Blame::kInternal, "stopped");
  }
  SLUICE_TRY(credential, credentials.current(stop));
  SLUICE_TRY(std::unique_ptr<Connection> connection, connect(credential, fresh, deadline_ns));
  SLUICE_CHECK(connection->exchange(head_of(request, credential) + request.body, deadline_ns));
  if (connection->status() == 401) credentials.refused(credential);
  return connection;
}

Result<Answer> Client::Impl::finish(Connection& connection, std::int64_t deadline_ns) {
  Answer answer;
  answer.status = connection.status();
  answer.retry_after = retry_after_of(connection);
  const bool is_json = connection.field("content-type").starts_with("application/json");
  std::string body;
  for (;;) {
    SLUICE_TRY(const bool more, connection.read_body(body, deadline_ns));
    if (!more) break;
    if (body.size() > kAnswerBytesMax)
      return fail(Blame::kUpstream, "the API server's answer is too long");
  }
  if (is_json && !body.empty()) {
    SLUICE_TRY(answer.body, parse_document(body));
  } else if (answer.status >= 400) {  // "404 page not found", or a proxy's page
    answer.body = Map{{"message", trim(std::string_view(body).substr(0, 300))}};
  }
  return answer;
}

Result<Answer> Client::Impl::once(const Request& request, bool fresh, std::int64_t deadline_ns) {
  Credential credential;
  SLUICE_TRY(std::unique_ptr<Connection> connection,
             begin(request, credential, fresh, deadline_ns));
  SLUICE_TRY(Answer answer, finish(*connection, deadline_ns));
  pool.put_back(std::move(connection));
  return answer;
}

// With retries. An answer that is no success is an answer, not an error.
Result<Answer> Client::Impl::call(const Question& question, const Request& request) {
  const std::int64_t deadline = monotonic_ns() + ns(options.deadline);
  bool renewed = false;
  bool fresh = false;
  for (unsigned attempt = 0;; ++attempt) {
    auto answer = once(request, fresh, deadline);
    if (answer) count(question);
    if (answer && answer->status == 401 && !renewed) {
      renewed = true;  // a token that was rotated under us
      continue;
    }
    const bool again = answer ? is_passing(*answer) : answer.error().retry == Retry::kSafe;
    if (!again || stop.is_set()) {
      if (!answer)
        return tl::unexpected<Error>(within(place_of(question), std::move(answer).error()));
      return answer;
    }
    // The first time, a kept connection may just have been closed: no reason to wait.
    Milliseconds pause = back_off(attempt, next_random());
    if (answer && answer->retry_after.count() > 0) pause = answer->retry_after;
    if (!answer && !fresh && attempt == 0) pause = Milliseconds(0);
    fresh = !answer;
    const bool out_of_time = monotonic_ns() + ns(pause) >= deadline;
    if (attempt + 1 >= options.attempts_max || out_of_time) {
      if (!answer)
        return tl::unexpected<Error>(within(place_of(question), std::move(answer).error()));
      return answer;
    }
    retries.fetch_add(1, std::memory_order_relaxed);
    if (pause.count() > 0 && !stop.wait(pause))
      return fail(Blame::kInternal, "stopped", place_of(question));
  }
}

Result<Written> Client::Impl::write(const Question& question, const Request& request,
                                    List* managed_fields) {
  SLUICE_TRY(Answer answer, call(question, request));
  Written written;
  if (answer.status == 404 || answer.status == 409 || is_another_object(question, answer)) {
    written.outcome = answer.status == 404 ? Outcome::kNotFound : Outcome::kConflict;
    written.message = message_of(answer);
    return written;
  }
  if (answer.status / 100 != 2) return tl::unexpected<Error>(error_of(question, answer));
  if (answer.body.at("kind").text() != "Status") {
    if (managed_fields != nullptr)
      *managed_fields = answer.body.at("metadata").at("managedFields").list();
    tidy(answer.body, *question.kind, {}, {});
    written.object = std::move(answer.body);
  }
  return written;
}

// ---

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::make(Config config, ClientOptions options) {
  auto endpoint = parse_endpoint(config.server, config.proxy_url, config.tls_server_name);
  if (!endpoint) return tl::unexpected<Error>(within(config.origin, std::move(endpoint).error()));
  std::unique_ptr<Client> client(new Client(
      std::make_unique<Impl>(std::move(config), std::move(options), std::move(*endpoint))));
  // A plug-in may need a network that is not there yet; files are here or they are not.
  if (!client->impl_->config.exec) {
    if (auto first = client->impl_->credentials.current(client->impl_->stop); !first)
      return tl::unexpected<Error>(within(client->impl_->config.origin, std::move(first).error()));
  }
  return client;
}

void Client::stop() { impl_->stop.set(); }
bool Client::is_stopped() const noexcept { return impl_->stop.is_set(); }
const Config& Client::config() const noexcept { return impl_->config; }
void Client::guard_writes(std::function<bool()> may_write) {
  impl_->may_write = std::move(may_write);
}
bool Client::wait(Milliseconds duration) { return impl_->stop.wait(duration); }

ClientCounts Client::counts() const {
  ClientCounts counts{
      {}, impl_->retries.load(), impl_->throttled_ns.load(), impl_->connections.load()};
  const std::lock_guard lock(impl_->calls_mutex);
  counts.calls = impl_->calls;
  return counts;
}

std::uint64_t ClientCounts::calls_total() const noexcept {
  std::uint64_t total = 0;
  for (const auto& [call, count] : calls) total += count;
  return total;
}

Result<Value> Client::version() {
  const Question question{"get /version", nullptr, "", "", ""};
  SLUICE_TRY(Answer answer, impl_->call(question, Request{"GET", "/version", ""}));
  if (answer.status != 200) return tl::unexpected<Error>(error_of(question, answer));
  return std::move(answer.body);
}

Result<std::optional<Value>> Client::get(const Kind& kind, std::string_view namespace_,
                                         std::string_view name) {
  const Question question{"get", &kind, "", namespace_, name};
  SLUICE_TRY(Answer answer,
             impl_->call(question, Request{"GET", path_of(kind, "", namespace_, name), ""}));
  if (answer.status == 404) return std::optional<Value>();
  if (answer.status != 200) return tl::unexpected<Error>(error_of(question, answer));
  tidy(answer.body, kind, {}, {});
  return std::optional<Value>(std::move(answer.body));
}

Result<Value> Client::Impl::read_page(const Question& question, std::string target, bool& expired,
                                      bool& served) {
  SLUICE_TRY(Answer answer, call(question, Request{"GET", std::move(target), ""}));
  expired = answer.status == 410;
  served = answer.status != 404;
  if (answer.status == 410 || answer.status == 404) return Value();
  if (answer.status != 200) return tl::unexpected<Error>(error_of(question, answer));
  return std::move(answer.body);
}

Result<ListEnd> Client::list(const Kind& kind, const Selection& selection, const ListSink& sink) {
  const Question question{"list", &kind, "", selection.namespace_, ""};
  std::string base = path_of(kind, "", selection.namespace_, "");
  add_parameter(base, "labelSelector", selection.label_selector);
  add_parameter(base, "fieldSelector", selection.field_selector);
  sink.begin();
  std::string next;
  for (int pages = 0, restarts = 0;;) {
    if (++pages > kListPagesMax)
      return fail(Blame::kUpstream, "the list has no end", place_of(question));
    std::string target = base;
    if (restarts < kListRestartsMax)
      add_parameter(target, "limit", std::to_string(impl_->options.page_size));
    add_parameter(target, "continue", next);
    ListEnd end;
    bool expired = false;
    SLUICE_TRY(Value page, impl_->read_page(question, std::move(target), expired, end.served));
    if (!end.served) return end;
    if (expired) {
      if (++restarts > kListRestartsMax)
        return fail(Blame::kUpstream, "the list expired again and again", place_of(question));
      sink.begin();
      next.clear();
      continue;
    }
    Value* items = page.as_map() == nullptr ? nullptr : page.as_map()->find("items");
    if (items != nullptr && items->as_list() != nullptr) {
      for (Value& item : *items->as_list()) {
        Value applied = tidy(item, kind, impl_->options.field_manager, impl_->options.predecessor);
        sink.item(std::move(item), std::move(applied));
      }
    }
    end.resource_version = page.at("metadata").at("resourceVersion").text();
    next = page.at("metadata").at("continue").text();
    if (next.empty()) return end;
  }
}

Result<Listed> Client::list(const Kind& kind, const Selection& selection) {
  Listed listed;
  const ListSink sink{[&] { listed.items.clear(); },
                      [&](Value item, const Value&) { listed.items.push_back(std::move(item)); }};
  SLUICE_TRY(ListEnd end, list(kind, selection, sink));
  listed.resource_version = std::move(end.resource_version);
  listed.served = end.served;
  if (!listed.served) listed.items.clear();
  return listed;
}

Result<Written> Client::apply(const Object& object, std::optional<std::string_view> uid) {
  SLUICE_TRY(const Kind* kind,
             kind_of(object.root.at("kind").is_null()
                         ? Value(Map{{"apiVersion", object.api_version}, {"kind", object.kind}})
                         : object.root));
  return says_a_port_twice(object) ? impl_->apply_by_patch(*kind, object, uid)
                                   : impl_->apply_on_server(*kind, object, uid);
}

Result<Written> Client::Impl::apply_on_server(const Kind& kind, const Object& object,
                                              std::optional<std::string_view> uid) {
  Value body = body_of(object, kind);
  // A version that no object has any more: none that is there fits, and one that is new needs none
  // (kube-apiserver 1.34).
  if (uid) {
    body.as_map()
        ->find("metadata")
        ->as_map()
        ->set(uid->empty() ? "resourceVersion" : "uid", uid->empty() ? "1" : *uid);
  }
  const std::string path = path_of(kind, object.api_version, object.namespace_, object.name);
  Request request{"PATCH", path, resource::to_json(body), "application/apply-patch+yaml"};
  add_parameter(request.target, "fieldManager", options.field_manager);
  add_parameter(request.target, "force", "true");
  const std::string_view where = kind.namespaced ? object.namespace_ : std::string_view();
  const Question question{"patch", &kind, "", where, object.name};
  for (unsigned attempt = 1;; ++attempt) {
    List managed_fields;
    SLUICE_TRY(Written written, write(question, request, &managed_fields));
    if (written.outcome != Outcome::kDone || attempt == kApplyAttempts) return written;
    auto fields = taken_over(managed_fields, options.field_manager, options.predecessor);
    if (!fields) return written;
    // Another version meanwhile is a conflict; either way the next apply shows how it is now, and
    // takes out what the predecessor alone had said.
    const List patch{
        Map{{"op", "replace"}, {"path", "/metadata/managedFields"}, {"value", std::move(*fields)}},
        Map{{"op", "replace"},
            {"path", "/metadata/resourceVersion"},
            {"value", written.object.at("metadata").at("resourceVersion")}}};
    SLUICE_CHECK(write(question, Request{"PATCH", path, resource::to_json(Value(patch)),
                                         "application/json-patch+json"}));
  }
}

Result<Written> Client::Impl::apply_by_patch(const Kind& kind, const Object& object,
                                             std::optional<std::string_view> uid) {
  const Value want = body_of(object, kind);
  const std::string path = path_of(kind, object.api_version, object.namespace_, object.name);
  const std::string_view where = kind.namespaced ? object.namespace_ : std::string_view();
  for (unsigned attempt = 1;; ++attempt) {
    const Question question{"get", &kind, "", where, object.name};
    SLUICE_TRY(const Written have, write(question, Request{"GET", path, ""}));
    if (uid && *uid != have.object.at("metadata").at("uid").text())
      return Written{Outcome::kConflict, {}, "another object of this name is there, or none"};
    Question asked{"patch", &kind, "", where, object.name};
    Request request{"PATCH", path, "", "application/json-patch+json"};
    if (have.outcome == Outcome::kNotFound) {
      asked.verb = "create";
      request = Request{"POST", path_of(kind, object.api_version, object.namespace_, ""),
                        resource::to_json(want)};
    } else {
      request.body = resource::to_json(Value(laid_over(have.object, want)));
    }
    add_parameter(request.target, "fieldManager", options.field_manager);
    SLUICE_TRY(Written written, write(asked, request));
    if (written.outcome != Outcome::kConflict || attempt == kApplyAttempts) return written;
  }
}

Result<Written> Client::set_status(const Kind& kind, std::string_view api_version,
                                   std::string_view namespace_, std::string_view name,
                                   const Value& status, std::string_view uid) {
  // A JSON patch: "add" replaces what is there (RFC 6902 section 4.1), so nothing of an older
  // status stays, and no resourceVersion can be out of date.
  List steps;
  if (!uid.empty()) steps.push_back(Map{{"op", "test"}, {"path", "/metadata/uid"}, {"value", uid}});
  steps.push_back(Map{{"op", "add"}, {"path", "/status"}, {"value", status}});
  Request request{"PATCH", path_of(kind, api_version, namespace_, name) + "/status",
                  resource::to_json(Value(std::move(steps))), "application/json-patch+json"};
  add_parameter(request.target, "fieldManager", impl_->options.field_manager);
  return impl_->write(Question{"patch", &kind, "status", namespace_, name}, request);
}

Result<Written> Client::remove(const Kind& kind, std::string_view namespace_, std::string_view name,
                               std::string_view uid) {
  Map options{{"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"propagationPolicy", "Background"}};
  if (!uid.empty()) options.set("preconditions", Map{{"uid", uid}});
  const Request request{"DELETE", path_of(kind, "", namespace_, name),
                        resource::to_json(Value(std::move(options)))};
  return impl_->write(Question{"delete", &kind, "", namespace_, name}, request);
}

Result<Written> Client::create(const Value& object) {
  SLUICE_TRY(const Kind* kind, kind_of(object));
  const std::string_view namespace_ = object.at("metadata").at("namespace").text();
  Request request{"POST", path_of(*kind, object.at("apiVersion").text(), namespace_, ""),
                  resource::to_json(object)};
  add_parameter(request.target, "fieldManager", impl_->options.field_manager);
  return impl_->write(
      Question{"create", kind, "", namespace_, object.at("metadata").at("name").text()}, request);
}

Result<Written> Client::update(const Value& object) {
  SLUICE_TRY(const Kind* kind, kind_of(object));
  const std::string_view namespace_ = object.at("metadata").at("namespace").text();
  const std::string_view name = object.at("metadata").at("name").text();
  Request request{"PUT", path_of(*kind, object.at("apiVersion").text(), namespace_, name),
                  resource::to_json(object)};
  add_parameter(request.target, "fieldManager", impl_->options.field_manager);
  return impl_->write(Question{"update", kind, "", namespace_, name}, request);
}

// ---

namespace {

// One line of a watch. Expired: the server's 410 as an event.
Result<WatchEnd> deliver(std::string_view line, const Kind& kind, const Question& question,
                         const ClientOptions& options,
                         const std::function<void(WatchEvent)>& handle) {
  SLUICE_TRY(Value document, parse_document(line));
  const std::string_view type = document.at("type").text();
  Map* map = document.as_map();
  Value* object = map == nullptr ? nullptr : map->find("object");
  if (object == nullptr)
    return fail(Blame::kUpstream, "an event has no object", place_of(question));
  if (type == "ERROR") {
    Answer answer;
    answer.status = static_cast<std::uint16_t>(object->at("code").integer(500));
    answer.body = std::move(*object);
    if (answer.status == 410) return WatchEnd::kExpired;
    return tl::unexpected<Error>(error_of(question, answer));
  }
  WatchEvent event;
  if (type == "ADDED") {
    event.type = WatchEvent::Type::kAdded;
  } else if (type == "MODIFIED") {
    event.type = WatchEvent::Type::kModified;
  } else if (type == "DELETED") {
    event.type = WatchEvent::Type::kDeleted;
  } else if (type == "BOOKMARK") {
    event.type = WatchEvent::Type::kBookmark;
  } else {
    return WatchEnd::kClosed;  // a type of a later version: nothing to do about it
  }
  event.applied = tidy(*object, kind, options.field_manager, options.predecessor);
  event.object = std::move(*object);
  handle(std::move(event));
  return WatchEnd::kClosed;
}

}  // namespace

Result<WatchEnd> Client::watch(const Kind& kind, const WatchOptions& options,
                               const std::function<void(WatchEvent)>& handle) {
  const Question question{"watch", &kind, "", options.selection.namespace_, ""};
  Request request{"GET", path_of(kind, "", options.selection.namespace_, ""), ""};
  request.target += "?watch=true&allowWatchBookmarks=true";
  add_parameter(request.target, "resourceVersion", options.resource_version);
  add_parameter(request.target, "timeoutSeconds", std::to_string(options.timeout_seconds));
  add_parameter(request.target, "labelSelector", options.selection.label_selector);
  add_parameter(request.target, "fieldSelector", options.selection.field_selector);

  const auto ended = [&](Error error) -> Result<WatchEnd> {
    if (impl_->stop.is_set()) return WatchEnd::kStopped;
    return tl::unexpected<Error>(within(place_of(question), std::move(error)));
  };
  Credential credential;
  auto begun =
      impl_->begin(request, credential, false, monotonic_ns() + ns(impl_->options.deadline));
  if (!begun) return ended(std::move(begun).error());
  impl_->count(question);
  Connection& connection = **begun;
  const std::int64_t deadline =
      monotonic_ns() + (options.timeout_seconds + kWatchGraceSeconds) * 1'000'000'000;
  if (connection.status() != 200) {
    auto answer = impl_->finish(connection, monotonic_ns() + ns(impl_->options.deadline));
    if (!answer) return ended(std::move(answer).error());
    if (answer->status == 410) return WatchEnd::kExpired;
    return tl::unexpected<Error>(error_of(question, *answer));
  }
  std::string text;      // lines that have arrived; the last one perhaps in part
  std::size_t seen = 0;  // of `text`: has no line end
  for (;;) {
    auto more = connection.read_body(text, deadline);
    if (!more) {
      if (impl_->stop.is_set()) return WatchEnd::kStopped;
      return WatchEnd::kClosed;  // broken: the same as closed, a partial line is thrown away
    }
    if (!*more) {
      impl_->pool.put_back(std::move(*begun));
      return WatchEnd::kClosed;
    }
    std::size_t begin = 0;
    for (;;) {
      const std::size_t end = text.find('\n', std::max(begin, seen));
      if (end == std::string::npos) break;
      if (end > begin) {
        SLUICE_TRY(const WatchEnd end_of_watch,
                   deliver(std::string_view(text).substr(begin, end - begin), kind, question,
                           impl_->options, handle));
        if (end_of_watch == WatchEnd::kExpired) return WatchEnd::kExpired;
      }
      begin = end + 1;
    }
    text.erase(0, begin);
    seen = text.size();
    if (text.size() > kAnswerBytesMax)
      return fail(Blame::kUpstream, "an event is too long", place_of(question));
  }
}

}  // namespace sluice::kube
