// The runtime with real processes: this binary again, as a helper (main below).
#include "runtime/runtime.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>
#include <stdexcept>

#include "base/clock.h"
#include "runtime/plan.h"
#include "runtime/pod_spec.h"
#include "runtime/probe.h"
#include "runtime/slices.h"
#include "runtime/status.h"
#include "store/memory_store.h"

namespace sluice::runtime {
namespace {

using resource::List;
using resource::Map;
using resource::Object;
using resource::ObjectKey;
using resource::Value;

// ---- making objects

Value texts(const std::vector<std::string>& words) {
  List list;
  for (const std::string& word : words) list.emplace_back(word);
  return Value(std::move(list));
}

struct Shape {
  std::vector<std::string> helper = {"serve"};  // what the helper is to do
  int replicas = 1;
  std::string text = "one";  // env TEXT: changes the template
  std::int64_t grace = 5;
  bool readiness = true;
  bool liveness = false;
  std::string label = "iris";
  std::string image_only;
};

Object make_deployment(const std::string& name, const Shape& shape) {
  std::vector<std::string> command = {"@sluice", "--helper"};
  command.insert(command.end(), shape.helper.begin(), shape.helper.end());
  const auto env = [](const char* key, const std::string& value) {
    return Value(Map{{"name", Value(key)}, {"value", Value(value)}});
  };
  const Map tcp{{"tcpSocket", Value(Map{{"port", Value("http")}})},
                {"initialDelaySeconds", Value(20)},
                {"periodSeconds", Value(5)}};
  const Map http{{"httpGet", Value(Map{{"path", Value("/live")}, {"port", Value(9000)}})},
                 {"periodSeconds", Value(1)},
                 {"failureThreshold", Value(2)}};
  Map container{
      {"name", Value("classifier")},
      {"image", Value("acme/iris:1")},
      {"env",
       Value(List{env("PREDICTIVE_UNIT_HTTP_SERVICE_PORT", "9000"), env("TEXT", shape.text)})},
      {"ports", Value(List{Value(Map{{"name", Value("http")}, {"containerPort", Value(9000)}})})}};
  if (shape.image_only.empty()) container.set("command", texts(command));
  if (shape.readiness) container.set("readinessProbe", Value(tcp));
  if (shape.liveness) container.set("livenessProbe", Value(http));
  const Map labels{{"seldon-app", Value(shape.label)}, {"version", Value("v1")}};
  const Map pod{{"containers", Value(List{Value(container)})},
                {"terminationGracePeriodSeconds", Value(shape.grace)}};
  const Map pod_template{{"metadata", Value(Map{{"labels", Value(labels)}})}, {"spec", Value(pod)}};
  Object object;
  object.api_version = "apps/v1";
  object.kind = "Deployment";
  object.namespace_ = "seldon";
  object.name = name;
  object.root = Value(
      Map{{"apiVersion", Value("apps/v1")},
          {"kind", Value("Deployment")},
          {"metadata", Value(Map{{"name", Value(name)}, {"namespace", Value("seldon")}})},
          {"spec",
           Value(Map{{"replicas", Value(shape.replicas)}, {"template", Value(pod_template)}})}});
  return object;
}

Object make_service(const std::string& name, const std::string& label) {
  Object object;
  object.api_version = "v1";
  object.kind = "Service";
  object.namespace_ = "seldon";
  object.name = name;
  const Map port{{"name", Value("http")},
                 {"port", Value(9000)},
                 {"targetPort", Value("http")},
                 {"appProtocol", Value("http")}};
  object.root =
      Value(Map{{"apiVersion", Value("v1")},
                {"kind", Value("Service")},
                {"metadata", Value(Map{{"name", Value(name)}, {"namespace", Value("seldon")}})},
                {"spec", Value(Map{{"selector", Value(Map{{"seldon-app", Value(label)}})},
                                   {"ports", Value(List{Value(port)})}})}});
  return object;
}

// ---- asking helpers

std::string ask(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval limit{5, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  std::string got;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    const std::string request = "GET / HTTP/1.1\r\n\r\n";
    send(fd, request.data(), request.size(), MSG_NOSIGNAL);
    char buffer[1024];
    ssize_t bytes = 0;
    while ((bytes = recv(fd, buffer, sizeof buffer, 0)) > 0)
      got.append(buffer, static_cast<std::size_t>(bytes));
  }
  close(fd);
  const auto body = got.find("\r\n\r\n");
  return body == std::string::npos ? std::string() : got.substr(body + 4);
}

// Alive and no zombie.
bool is_alive(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(in, line)) return false;
  return line[line.rfind(')') + 2] != 'Z';
}

struct Endpoint {
  std::string slice;
  std::uint16_t port = 0;
  pid_t pid = 0;
  std::string text;
};

class RuntimeTest : public testing::Test {
 protected:
  RuntimeTest() { options_.drain_delay = Milliseconds(50); }
  void start() {
    options_.on_line = [this](std::string_view pod, std::string_view, std::string_view line) {
      lines_.push_back(std::string(pod) + "| " + std::string(line));
    };
    runtime_ = std::make_unique<Runtime>(loop_, store_, options_);
    runtime_->start();
  }
  template <class Predicate>
  bool wait(Predicate done, int limit_ms = 10'000) {
    const std::int64_t end_ns = monotonic_ns() + std::int64_t{limit_ms} * 1'000'000;
    while (!done()) {
      if (monotonic_ns() > end_ns) return false;
      loop_.run_once(10);
    }
    return true;
  }
  void spin(int ms) {
    wait([] { return false; }, ms);
  }
  // As the gateway would see it; the helper tells its pid and text.
  std::vector<Endpoint> endpoints(bool asked = true) {
    std::vector<Endpoint> out;
    for (const auto& slice : store_.list("discovery.k8s.io", "EndpointSlice")) {
      Endpoint endpoint;
      endpoint.slice = slice->name;
      endpoint.port = static_cast<std::uint16_t>(
          slice->root.at("ports").at(std::size_t{0}).at("port").integer());
      if (asked) {
        const std::string answer = ask(endpoint.port);  // "1234 one"
        endpoint.pid = static_cast<pid_t>(std::atoi(answer.c_str()));
        if (endpoint.pid <= 1)
          throw std::runtime_error("a helper did not answer");  // never kill(0)
        endpoint.text = answer.substr(std::min(answer.size(), answer.find(' ') + 1));
      }
      out.push_back(endpoint);
    }
    return out;
  }
  bool wait_endpoints(std::size_t count, int limit_ms = 10'000) {
    return wait([&] { return store_.list("discovery.k8s.io", "EndpointSlice").size() == count; },
                limit_ms);
  }
  Value status(const std::string& name) {
    return store_.find({"apps", "Deployment", "seldon", name})->status();
  }
  std::string condition(const std::string& name, std::string_view type, const char* field) {
    const Value written = status(name);
    for (const Value& each : written.at("conditions").list()) {
      if (each.at("type").text() == type) return std::string(each.at(field).text());
    }
    return {};
  }

  net::Loop loop_;
  store::MemoryStore store_;
  Options options_;
  std::vector<std::string> lines_;
  std::unique_ptr<Runtime> runtime_;
};

TEST_F(RuntimeTest, runs_a_deployment_and_publishes_where_it_listens) {
  ASSERT_TRUE(store_.apply(make_service("iris", "iris")));
  ASSERT_TRUE(store_.apply(make_deployment("iris", {})));
  const std::int64_t start_ns = monotonic_ns();
  start();
  ASSERT_TRUE(wait_endpoints(1));
  EXPECT_LT(monotonic_ns() - start_ns, 2'000'000'000)
      << "initialDelaySeconds of 20 must not hold readiness";
  const auto found = endpoints();
  EXPECT_EQ(found[0].text, "one");
  const auto slice = store_.list("discovery.k8s.io", "EndpointSlice")[0];
  EXPECT_EQ(slice->label("kubernetes.io/service-name"), "iris");
  EXPECT_EQ(slice->label("version"), "v1");
  EXPECT_EQ(slice->root.at("ports").at(std::size_t{0}).at("appProtocol").text(), "http");
  ASSERT_TRUE(wait([&] { return status("iris").at("readyReplicas").integer() == 1; }));
  EXPECT_EQ(condition("iris", "Available", "status"), "True");
  EXPECT_EQ(status("iris").at("observedGeneration").integer(), 1);
  EXPECT_TRUE(std::any_of(lines_.begin(), lines_.end(), [](const std::string& line) {
    return line == "seldon/iris-1| helper serves";
  }));

  // A second Service that picks the pod has a slice at once; without it, none.
  ASSERT_TRUE(store_.apply(make_service("other", "iris")));
  EXPECT_EQ(endpoints(false).size(), 2U);
  ASSERT_TRUE(store_.apply(make_service("other", "elsewhere")));
  EXPECT_EQ(endpoints(false).size(), 1U);
}

TEST_F(RuntimeTest, a_killed_process_is_no_endpoint_at_once_and_comes_back) {
  ASSERT_TRUE(store_.apply(make_service("iris", "iris")));
  Shape shape;
  shape.replicas = 2;
  ASSERT_TRUE(store_.apply(make_deployment("iris", shape)));
  start();
  ASSERT_TRUE(wait_endpoints(2));
  const auto before = endpoints();
  kill(before[0].pid, SIGKILL);
  const std::int64_t killed_ns = monotonic_ns();
  ASSERT_TRUE(wait([&] { return store_.list("discovery.k8s.io", "EndpointSlice").size() == 1; }));
  EXPECT_LT(monotonic_ns() - killed_ns, 100'000'000);
  EXPECT_EQ(endpoints()[0].pid, before[1].pid);
  EXPECT_NE(condition("iris", "Available", "message").find("was killed by SIGKILL"),
            std::string::npos);
  ASSERT_TRUE(wait_endpoints(2));
  EXPECT_LT(monotonic_ns() - killed_ns, 2'000'000'000);
  for (const Endpoint& endpoint : endpoints()) EXPECT_NE(endpoint.pid, before[0].pid);
}

TEST_F(RuntimeTest, a_new_template_is_ready_before_the_old_one_goes) {
  ASSERT_TRUE(store_.apply(make_service("iris", "iris")));
  ASSERT_TRUE(store_.apply(make_deployment("iris", {})));
  start();
  ASSERT_TRUE(wait_endpoints(1));
  const auto before = endpoints();
  Shape shape;
  shape.text = "two";
  shape.helper = {"serve", "late"};
  ASSERT_TRUE(store_.apply(make_deployment("iris", shape)));
  bool was_empty = false;
  ASSERT_TRUE(wait([&] {
    const auto slices = store_.list("discovery.k8s.io", "EndpointSlice");
    was_empty = was_empty || slices.empty();
    return slices.size() == 1 && slices[0]->name != before[0].slice;
  }));
  EXPECT_FALSE(was_empty);
  EXPECT_TRUE(is_alive(before[0].pid)) << "it ends after the drain delay";
  EXPECT_EQ(endpoints()[0].text, "two");
  ASSERT_TRUE(wait([&] { return !is_alive(before[0].pid); }));
  ASSERT_TRUE(wait([&] {
    return status("iris").at("updatedReplicas").integer() == 1 &&
           status("iris").at("replicas").integer() == 1;
  }));
}

TEST_F(RuntimeTest, a_template_that_never_gets_ready_leaves_the_old_one_serving) {
  ASSERT_TRUE(store_.apply(make_service("iris", "iris")));
  ASSERT_TRUE(store_.apply(make_deployment("iris", {})));
  start();
  ASSERT_TRUE(wait_endpoints(1));
  const auto before = endpoints();
  Shape shape;
  shape.helper = {"crash"};
  Object bad = make_deployment("iris", shape);
  bad.root.as_map()->find("spec")->as_map()->set("progressDeadlineSeconds", Value(1));
  ASSERT_TRUE(store_.apply(bad));
  ASSERT_TRUE(wait(
      [&] { return condition("iris", "Progressing", "reason") == "ProgressDeadlineExceeded"; }));
  EXPECT_EQ(condition("iris", "Available", "status"), "True");
  EXPECT_NE(
      condition("iris", "Progressing", "message").find("exited with status 3: helper gives up"),
      std::string::npos)
      << condition("iris", "Progressing", "message");
  ASSERT_EQ(endpoints().size(), 1U);
  EXPECT_EQ(endpoints()[0].pid, before[0].pid);
  ASSERT_TRUE(store_.apply(make_deployment("iris", {})));  // back again
  ASSERT_TRUE(
      wait([&] { return condition("iris", "Progressing", "reason") == "NewReplicaSetAvailable"; }));
}

TEST_F(RuntimeTest, replicas_and_annotations_restart_nothing) {
  ASSERT_TRUE(store_.apply(make_service("iris", "iris")));
  ASSERT_TRUE(store_.apply(make_deployment("iris", {})));
  start();
  ASSERT_TRUE(wait_endpoints(1));
  const pid_t first = endpoints()[0].pid;
  Shape shape;
  shape.replicas = 3;
  Object more = make_deployment("iris", shape);
  Map& pod_template = *more.root.as_map()->find("spec")->as_map()->find("template")->as_map();
  pod_template.find("metadata")
      ->as_map()
      ->set("annotations", Value(Map{{"note", Value("changed")}}));
  ASSERT_TRUE(store_.apply(more));
  ASSERT_TRUE(wait_endpoints(3));
  std::set<pid_t> pids;
  for (const Endpoint& endpoint : endpoints()) pids.insert(endpoint.pid);
  EXPECT_EQ(pids.size(), 3U);
  EXPECT_TRUE(pids.contains(first));
  shape.replicas = 0;
  ASSERT_TRUE(store_.apply(make_deployment("iris", shape)));
  ASSERT_TRUE(wait_endpoints(0));
  ASSERT_TRUE(wait([&] { return runtime_->process_count() == 0; }));
}

TEST_F(RuntimeTest, new_labels_move_endpoints_without_a_restart) {
  ASSERT_TRUE(store_.apply(make_service("iris", "iris")));
  ASSERT_TRUE(store_.apply(make_service("rose", "rose")));
  ASSERT_TRUE(store_.apply(make_deployment("iris", {})));
  start();
  ASSERT_TRUE(wait_endpoints(1));
  const auto before = endpoints();
  Shape shape;
  shape.label = "rose";
  ASSERT_TRUE(store_.apply(make_deployment("iris", shape)));
  spin(50);
  const auto after = endpoints();
  ASSERT_EQ(after.size(), 1U);
  EXPECT_TRUE(after[0].slice.starts_with("rose-"));
  EXPECT_EQ(after[0].pid, before[0].pid);
}

TEST_F(RuntimeTest, a_process_that_ignores_sigterm_is_killed_after_its_grace) {
  ASSERT_TRUE(store_.apply(make_service("iris", "iris")));
  Shape shape;
  shape.helper = {"serve", "stubborn"};
  shape.grace = 1;
  ASSERT_TRUE(store_.apply(make_deployment("iris", shape)));
  start();
  ASSERT_TRUE(wait_endpoints(1));
  const pid_t pid = endpoints()[0].pid;
  ASSERT_TRUE(store_.remove({"apps", "Deployment", "seldon", "iris"}));
  const std::int64_t start_ns = monotonic_ns();
  ASSERT_TRUE(wait_endpoints(0));
  EXPECT_LT(monotonic_ns() - start_ns, 100'000'000);
  ASSERT_TRUE(wait([&] { return !is_alive(pid); }));
  EXPECT_GE(monotonic_ns() - start_ns, 1'000'000'000);
}

TEST_F(RuntimeTest, a_failing_liveness_probe_restarts) {
  ASSERT_TRUE(store_.apply(make_service("iris", "iris")));
  Shape shape;
  shape.helper = {"serve", "sick"};  // answers /live with 500
  shape.liveness = true;
  ASSERT_TRUE(store_.apply(make_deployment("iris", shape)));
  start();
  ASSERT_TRUE(wait_endpoints(1));
  const pid_t first = endpoints()[0].pid;
  ASSERT_TRUE(wait([&] { return !is_alive(first); }));
  ASSERT_TRUE(wait_endpoints(1));
  EXPECT_NE(endpoints()[0].pid, first);
}

TEST_F(RuntimeTest, crashes_back_off) {
  Shape shape;
  shape.helper = {"crash"};
  options_.restart_delay_first = Milliseconds(50);
  ASSERT_TRUE(store_.apply(make_deployment("iris", shape)));
  start();
  spin(1'000);
  // 50, 100, 200, 400 ms: five starts at most in a second, not twenty.
  const auto starts = std::count_if(lines_.begin(), lines_.end(), [](const std::string& line) {
    return line.ends_with("helper gives up");
  });
  EXPECT_GE(starts, 2);
  EXPECT_LE(starts, 5);
}

TEST_F(RuntimeTest, what_can_not_be_run_is_told) {
  Object object = make_deployment("iris", {});
  Value* const containers = object.root.as_map()
                                ->find("spec")
                                ->as_map()
                                ->find("template")
                                ->as_map()
                                ->find("spec")
                                ->as_map()
                                ->find("containers");
  (*containers->as_list())[0].as_map()->set("command", texts({"no-such-program-here"}));
  ASSERT_TRUE(store_.apply(object));
  start();
  ASSERT_TRUE(wait([&] {
    return condition("iris", "Available", "message")
               .find("no-such-program-here: is not found in PATH") != std::string::npos;
  })) << condition("iris", "Available", "message");
}

// With PATH empty neither podman nor docker is there.
TEST_F(RuntimeTest, an_image_without_a_container_tool_says_what_to_do) {
  const std::string path = getenv("PATH");
  setenv("PATH", "/nowhere", 1);
  Shape shape;
  shape.image_only = "yes";
  ASSERT_TRUE(store_.apply(make_deployment("iris", shape)));
  start();
  EXPECT_TRUE(wait([&] {
    return condition("iris", "Available", "message").find("give the container a command") !=
           std::string::npos;
  }));
  EXPECT_EQ(condition("iris", "Progressing", "status"), "False");
  setenv("PATH", path.c_str(), 1);
}

TEST_F(RuntimeTest, drain_ends_all_and_tells) {
  ASSERT_TRUE(store_.apply(make_service("iris", "iris")));
  Shape shape;
  shape.replicas = 2;
  shape.grace = 1;
  shape.helper = {"serve", "fork"};  // what it forks ignores SIGTERM
  ASSERT_TRUE(store_.apply(make_deployment("iris", shape)));
  start();
  ASSERT_TRUE(wait_endpoints(2));
  const auto before = endpoints();
  bool done = false;
  runtime_->drain([&] { done = true; });
  ASSERT_TRUE(wait([&] { return done; }));
  EXPECT_EQ(runtime_->process_count(), 0U);
  EXPECT_EQ(endpoints(false).size(), 0U);
  for (const Endpoint& endpoint : before) EXPECT_FALSE(is_alive(endpoint.pid));
}

std::vector<pid_t> grandchildren(const std::vector<std::string>& lines) {
  std::vector<pid_t> pids;
  for (const std::string& line : lines) {
    if (const auto at = line.find("grandchild "); at != std::string::npos)
      pids.push_back(std::atoi(line.c_str() + at + 11));
  }
  return pids;
}

TEST_F(RuntimeTest, what_a_process_started_ends_with_it) {
  ASSERT_TRUE(store_.apply(make_service("iris", "iris")));
  Shape shape;
  shape.helper = {"serve", "fork"};
  ASSERT_TRUE(store_.apply(make_deployment("iris", shape)));
  start();
  ASSERT_TRUE(wait_endpoints(1));
  const auto pids = grandchildren(lines_);
  ASSERT_EQ(pids.size(), 1U);
  EXPECT_TRUE(is_alive(pids[0]));
  kill(endpoints()[0].pid, SIGKILL);
  EXPECT_TRUE(wait([&] { return !is_alive(pids[0]); }));
}

// A shell that ends at once at SIGTERM must not take the server that it started with it.
TEST_F(RuntimeTest, the_grace_period_is_the_whole_groups) {
  ASSERT_TRUE(store_.apply(make_service("iris", "iris")));
  Shape shape;
  shape.helper = {"wrapper"};
  ASSERT_TRUE(store_.apply(make_deployment("iris", shape)));
  start();
  ASSERT_TRUE(wait_endpoints(1));
  ASSERT_TRUE(store_.remove({"apps", "Deployment", "seldon", "iris"}));
  ASSERT_TRUE(wait([&] { return runtime_->process_count() == 0; }));
  EXPECT_TRUE(std::any_of(lines_.begin(), lines_.end(), [](const std::string& line) {
    return line.ends_with("helper ended in peace");
  }));
}

TEST_F(RuntimeTest, the_destructor_leaves_nothing) {
  ASSERT_TRUE(store_.apply(make_service("iris", "iris")));
  Shape shape;
  shape.helper = {"serve", "stubborn"};
  ASSERT_TRUE(store_.apply(make_deployment("iris", shape)));
  start();
  ASSERT_TRUE(wait_endpoints(1));
  const pid_t pid = endpoints()[0].pid;
  runtime_.reset();
  EXPECT_FALSE(is_alive(pid));
}

// Goal: kill -9 of the program that runs the pods leaves neither its processes nor theirs. Method:
// a helper that is such a program, with a pod that forks, ignores SIGTERM and tells the pids.
TEST(RuntimeOrphans, nothing_survives_kill_9_of_the_parent) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(ends[1], 1);
    execl("/proc/self/exe", "runtime_test", "--host", nullptr);
    _exit(127);
  }
  close(ends[1]);
  std::string got;
  char buffer[256];
  while (std::count(got.begin(), got.end(), '\n') < 2) {
    pollfd ready{ends[0], POLLIN, 0};
    if (poll(&ready, 1, 10'000) <= 0) break;
    const ssize_t bytes = read(ends[0], buffer, sizeof buffer);
    if (bytes <= 0) break;
    got.append(buffer, static_cast<std::size_t>(bytes));
  }
  close(ends[0]);
  const auto second = got.find('\n');
  ASSERT_NE(second, std::string::npos) << got;
  const pid_t child = std::atoi(got.c_str());
  const pid_t grandchild = std::atoi(got.c_str() + second + 1);
  ASSERT_GT(child, 0);
  ASSERT_GT(grandchild, 0);
  EXPECT_TRUE(is_alive(child));
  EXPECT_TRUE(is_alive(grandchild));
  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);
  const std::int64_t end_ns = monotonic_ns() + 5'000'000'000;
  while ((is_alive(child) || is_alive(grandchild)) && monotonic_ns() < end_ns) usleep(10'000);
  EXPECT_FALSE(is_alive(child));
  EXPECT_FALSE(is_alive(grandchild));
}

// ---- pure parts

TEST(RuntimePlan, starts_and_retires_in_order) {
  EXPECT_EQ(plan_pods(2, {}).starts, 2);
  EXPECT_EQ(plan_pods(0, {}).starts, 0);
  // Old and ready: one more is started, none goes.
  PodPlan plan = plan_pods(1, {{1, false, true}});
  EXPECT_EQ(plan.starts, 1);
  EXPECT_TRUE(plan.retires.empty());
  plan = plan_pods(1, {{1, false, true}, {2, true, false}});
  EXPECT_EQ(plan.starts, 0);
  EXPECT_TRUE(plan.retires.empty());
  plan = plan_pods(1, {{1, false, true}, {2, true, true}});
  EXPECT_EQ(plan.retires, std::vector<std::uint64_t>{1});
  // An old pod that serves nobody goes with the start of its successor.
  plan = plan_pods(1, {{1, false, false}});
  EXPECT_EQ(plan.starts, 1);
  EXPECT_EQ(plan.retires, std::vector<std::uint64_t>{1});
  // Four: one more at a time.
  plan = plan_pods(4, {{1, false, true}, {2, false, true}, {3, false, true}, {4, false, true}});
  EXPECT_EQ(plan.starts, 1);
  plan = plan_pods(
      4, {{1, false, true}, {2, false, true}, {3, false, true}, {4, false, true}, {5, true, true}});
  EXPECT_EQ(plan.starts, 0);
  EXPECT_EQ(plan.retires, std::vector<std::uint64_t>{4});
  // Fewer wanted: the unready first, then the newest.
  plan = plan_pods(1, {{1, true, true}, {2, true, false}, {3, true, true}});
  EXPECT_EQ(plan.retires, (std::vector<std::uint64_t>{2, 3}));
  plan = plan_pods(0, {{1, true, true}, {2, false, true}, {3, false, false}});
  EXPECT_EQ(plan.retires.size(), 3U);
}

// For every mix of up to five pods and any wish: once started pods get ready and retired ones
// leave, the plan comes to rest with what was wanted, and the number ready never falls below what
// it was and what is wanted.
TEST(RuntimePlan, converges_and_never_lets_ready_pods_fall_short) {
  for (int wanted = 0; wanted <= 4; ++wanted) {
    for (unsigned mix = 0; mix < 1024; ++mix) {
      std::vector<PodView> pods;
      for (unsigned i = 0; i < 5; ++i) {
        const unsigned kind = (mix >> (2 * i)) & 3U;
        pods.push_back({i + 1, (kind & 1U) != 0, (kind & 2U) != 0});
      }
      std::uint64_t next = 6;
      int rounds = 0;
      for (; rounds < 40; ++rounds) {
        const int ready_before = static_cast<int>(std::count_if(
            pods.begin(), pods.end(), [](const PodView& pod) { return pod.is_ready; }));
        const PodPlan plan = plan_pods(wanted, pods);
        std::erase_if(pods, [&](const PodView& pod) {
          return std::find(plan.retires.begin(), plan.retires.end(), pod.id) != plan.retires.end();
        });
        const int ready_after = static_cast<int>(std::count_if(
            pods.begin(), pods.end(), [](const PodView& pod) { return pod.is_ready; }));
        ASSERT_GE(ready_after, std::min(ready_before, wanted)) << wanted << ' ' << mix;
        if (plan.starts == 0 && plan.retires.empty() &&
            std::all_of(pods.begin(), pods.end(), [](const PodView& pod) { return pod.is_ready; }))
          break;
        for (PodView& pod : pods) pod.is_ready = pod.is_ready || pod.is_current;
        for (int i = 0; i < plan.starts; ++i) pods.push_back({next++, true, false});
      }
      ASSERT_LT(rounds, 40) << wanted << ' ' << mix;
      ASSERT_EQ(pods.size(), static_cast<std::size_t>(wanted)) << mix;
      for (const PodView& pod : pods) ASSERT_TRUE(pod.is_current) << mix;
    }
  }
}

TEST(RuntimeSpec, variables_expand_as_kubernetes_does_it) {
  const std::map<std::string, std::string> variables = {{"A", "1"}, {"B", "two"}};
  EXPECT_EQ(expand("$(A)-$(B)", variables), "1-two");
  EXPECT_EQ(expand("$(C)", variables), "$(C)");
  EXPECT_EQ(expand("$$(A)", variables), "$(A)");
  EXPECT_EQ(expand("$A $ $", variables), "$A $ $");
  EXPECT_EQ(expand("$(A", variables), "$(A");
}

TEST(RuntimeSpec, port_variables_follow_the_ports_given) {
  ContainerSpec container;
  container.ports = {{"http", 9000}, {"metrics", 6000}};
  container.env = {
      {"PREDICTIVE_UNIT_HTTP_SERVICE_PORT", Value("9000")},
      {"MLSERVER_METRICS_PORT", Value("6001")},  // not declared, still a port of its own
      {"OTHER", Value("9000")},
      {"URL", Value("http://x:$(PREDICTIVE_UNIT_HTTP_SERVICE_PORT)/$(LATER)")},
      {"LATER", Value("x")},
      {"NAME", Value(Map{{"fieldRef", Value(Map{{"fieldPath", Value("metadata.name")}})}})}};
  PodSpec pod;
  pod.containers = {container};
  EXPECT_EQ(ports_wanted(pod), (std::vector<int>{9000, 6000, 6001}));
  const PortMap ports = {{9000, 20'001}, {6000, 20'002}, {6001, 20'003}};
  const auto env = make_environment(container, ports, "iris-1", "seldon", "127.0.0.1");
  EXPECT_EQ(env.at("PREDICTIVE_UNIT_HTTP_SERVICE_PORT"), "20001");
  EXPECT_EQ(env.at("MLSERVER_METRICS_PORT"), "20003");
  EXPECT_EQ(env.at("OTHER"), "9000");
  EXPECT_EQ(env.at("URL"), "http://x:20001/$(LATER)");
  EXPECT_EQ(env.at("NAME"), "iris-1");
  EXPECT_EQ(env.at("SLUICE_PORT_9000"), "20001");
  EXPECT_EQ(resolve_port(Value("http"), pod, ports), 20'001);
  EXPECT_EQ(resolve_port(Value(6000), pod, ports), 20'002);
  EXPECT_EQ(resolve_port(Value(8080), pod, ports), 8'080);
  EXPECT_EQ(resolve_port(Value("nowhere"), pod, ports), 0);
}

TEST(RuntimeSpec, what_has_no_effect_is_named) {
  Object object = make_deployment("iris", {});
  Map& pod = *object.root.as_map()
                  ->find("spec")
                  ->as_map()
                  ->find("template")
                  ->as_map()
                  ->find("spec")
                  ->as_map();
  pod.set("initContainers", Value(List{Value(Map{})}));
  Map& container = *(*pod.find("containers")->as_list())[0].as_map();
  container.set("envFrom", Value(List{Value(Map{})}));
  container.set("volumeMounts", Value(List{Value(Map{{"name", Value("seldon-podinfo")}}),
                                           Value(Map{{"name", Value("data")}})}));
  const DeploymentSpec spec = read_deployment(object);
  ASSERT_EQ(spec.pod.warnings.size(), 3U);
  EXPECT_EQ(spec.pod.warnings[1],
            "container classifier: volumeMount data has no effect on one machine");
}

TEST(RuntimeProbe, thresholds_count_in_a_row) {
  ProbeJudge judge(2, 3, false);
  EXPECT_FALSE(judge.take(true));
  EXPECT_FALSE(judge.take(false));
  EXPECT_FALSE(judge.take(true));
  EXPECT_TRUE(judge.take(true));
  EXPECT_FALSE(judge.take(false));
  EXPECT_FALSE(judge.take(false));
  EXPECT_FALSE(judge.take(true));
  EXPECT_FALSE(judge.take(false));
  EXPECT_FALSE(judge.take(false));
  EXPECT_TRUE(judge.take(false));
  EXPECT_FALSE(judge.is_passing());
}

}  // namespace

// ---- helpers: what pods run in these tests

int helper_serve(const std::set<std::string>& modes) {
  if (modes.contains("stubborn")) std::signal(SIGTERM, SIG_IGN);
  if (modes.contains("late")) usleep(300'000);
  if (modes.contains("fork")) {
    const pid_t pid = fork();
    if (pid == 0) {
      std::signal(SIGTERM, SIG_IGN);
      for (int i = 0; i < 600; ++i) usleep(100'000);
      _exit(0);
    }
    printf("grandchild %d\n", pid);
    fflush(stdout);
  }
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const int yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port =
      htons(static_cast<std::uint16_t>(std::atoi(getenv("PREDICTIVE_UNIT_HTTP_SERVICE_PORT"))));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, 16) != 0)
    return 4;
  puts("helper serves");
  fflush(stdout);
  for (;;) {
    const int fd = accept(listener, nullptr, nullptr);
    if (fd < 0) continue;
    char buffer[1024];
    const ssize_t bytes = recv(fd, buffer, sizeof buffer - 1, 0);
    buffer[std::max<ssize_t>(bytes, 0)] = '\0';
    const bool sick = modes.contains("sick") && strstr(buffer, "/live") != nullptr;
    const std::string answer =
        std::string(sick ? "HTTP/1.1 500 No\r\n\r\n" : "HTTP/1.1 200 OK\r\n\r\n") +
        std::to_string(getpid()) + ' ' + getenv("TEXT");
    send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    shutdown(fd, SHUT_RDWR);
    close(fd);
  }
}

// As `sh -c 'server; true'` does: the first process dies at SIGTERM, the server takes its time.
int helper_wrapper() {
  if (fork() == 0) {
    std::signal(SIGTERM, [](int) {
      usleep(200'000);
      constexpr std::string_view kFarewell = "helper ended in peace\n";
      _exit(write(1, kFarewell.data(), kFarewell.size()) > 0 ? 0 : 1);
    });
    _exit(helper_serve({}));
  }
  for (;;) pause();
}

// Runs a pod, prints the pids of its process and of the process that this one forked, and goes on.
int helper_host() {
  net::Loop loop;
  store::MemoryStore store;
  std::vector<std::string> lines;
  Options options;
  options.on_line = [&](std::string_view, std::string_view, std::string_view line) {
    lines.emplace_back(line);
  };
  Runtime runtime(loop, store, options);
  Shape shape;
  shape.helper = {"serve", "fork", "stubborn"};
  (void)store.apply(make_service("iris", "iris"));
  (void)store.apply(make_deployment("iris", shape));
  runtime.start();
  bool told = false;
  for (int i = 0; i < 6'000; ++i) {
    loop.run_once(10);
    const auto slices = store.list("discovery.k8s.io", "EndpointSlice");
    if (told || slices.empty() || grandchildren(lines).empty()) continue;
    told = true;
    const auto port = static_cast<std::uint16_t>(
        slices[0]->root.at("ports").at(std::size_t{0}).at("port").integer());
    printf("%d\n%d\n", std::atoi(ask(port).c_str()), grandchildren(lines)[0]);
    fflush(stdout);
  }
  return 0;
}

int helper(int argc, char** argv) {
  std::set<std::string> modes;
  for (int i = 2; i < argc; ++i) modes.insert(argv[i]);
  if (modes.contains("serve")) return helper_serve(modes);
  if (modes.contains("wrapper")) return helper_wrapper();
  puts("helper gives up");
  return 3;
}

}  // namespace sluice::runtime

int main(int argc, char** argv) {
  if (argc >= 2 && std::strcmp(argv[1], "--helper") == 0)
    return sluice::runtime::helper(argc, argv);
  if (argc >= 2 && std::strcmp(argv[1], "--host") == 0) return sluice::runtime::helper_host();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
