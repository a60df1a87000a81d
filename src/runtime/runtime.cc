#include "runtime/runtime.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/log.h"
#include "runtime/container_tool.h"
#include "runtime/plan.h"
#include "runtime/pod.h"
#include "runtime/process.h"
#include "runtime/slices.h"
#include "runtime/status.h"

namespace sluice::runtime {

using resource::Object;
using resource::ObjectKey;

namespace {

constexpr const char* kSliceGroup = "discovery.k8s.io";

struct Deployment {
  store::ObjectPointer object;
  DeploymentSpec spec;
  std::uint64_t revision = 0;    // of the pod template; goes up when pods must be replaced
  std::int64_t progress_ns = 0;  // when it last got nearer to what is wanted
  int progress_ready = 0;
  bool removed = false;
  bool needs_tool = false;
  std::string blocked;  // why no pod can be started at all
  std::string last_trouble;
  resource::Value status;  // as written last
  struct Entry {
    std::uint64_t revision = 0;
    std::map<std::string, std::string> labels;
    std::unique_ptr<Pod> pod;
    std::map<ObjectKey, ObjectKey> slices;  // Service -> its slice in the store
    bool published = false;                 // the Services were gone through with these ports
    PortMap published_ports;
  };
  std::vector<Entry> pods;
};

}  // namespace

// Changes only mark what is dirty; one pass at the end of the loop's round does the work, so that a
// file with many objects, or a burst of events, costs one.
class Runtime::Impl : public std::enable_shared_from_this<Runtime::Impl> {
 public:
  Impl(net::Loop& loop, store::Store& store, Options options)
      : loop_(loop),
        store_(store),
        options_(std::move(options)),
        ports_(options_.address, options_.port_first, options_.port_last,
               static_cast<std::uint64_t>(getpid()) * 7'919U),
        host_{loop_, options_, ports_, {}, [this](Pod& pod) { on_pod(pod); }},
        tool_(loop_, [this] { on_tool(); }),
        deadline_timer_([](void* self) { static_cast<Impl*>(self)->on_deadline(); }, this) {}

  void start();
  void drain(std::function<void()> done);
  void close();  // nothing is touched any more after it
  std::size_t process_count() const noexcept;

 private:
  void on_change(const store::Change& change);
  void on_deployment(const store::Change& change);
  void on_service(const store::Change& change);
  void on_pod(Pod& pod);
  void on_tool();
  void on_deadline();
  void schedule();
  void pass();
  void settle(const ObjectKey& key, Deployment& deployment);
  void start_pod(Deployment& deployment);
  void retire(Deployment::Entry& entry);
  void publish(Deployment::Entry& entry);
  void publish_to(Deployment::Entry& entry, const Object& service);
  void unpublish(Deployment::Entry& entry);
  void write_status(const ObjectKey& key, Deployment& deployment);
  void check_drained();

  net::Loop& loop_;
  store::Store& store_;
  const Options options_;
  PortPool ports_;
  Pod::Host host_;
  ContainerTool tool_;
  net::Timer deadline_timer_;  // progress deadlines: looked at once a second while anything is not
                               // complete
  std::map<ObjectKey, Deployment> deployments_;
  // namespace -> name -> Service, for those with a selector
  std::map<std::string, std::map<std::string, store::ObjectPointer>> services_;
  std::set<ObjectKey> dirty_;
  std::map<std::uint64_t, ObjectKey> owners_;  // pod id -> Deployment
  std::uint64_t next_pod_ = 1;
  std::uint64_t next_revision_ = 1;
  bool scheduled_ = false;
  bool draining_ = false;
  bool closed_ = false;
  std::function<void()> drained_;
};

void Runtime::Impl::start() {
  Guard::start();
  store_.watch([weak = weak_from_this()](const store::Change& change) {
    if (const auto self = weak.lock(); self && !self->closed_) self->on_change(change);
  });
}

void Runtime::Impl::close() {
  closed_ = true;
  deployments_.clear();
  Guard::stop();
}

std::size_t Runtime::Impl::process_count() const noexcept {
  std::size_t count = 0;
  for (const auto& [key, deployment] : deployments_) {
    for (const auto& entry : deployment.pods) count += entry.pod->process_count();
  }
  return count;
}

// ---- what the store tells

void Runtime::Impl::on_change(const store::Change& change) {
  if (change.status_only) return;
  if (change.key.group == "apps" && change.key.kind == "Deployment") return on_deployment(change);
  if (change.key.group.empty() && change.key.kind == "Service") return on_service(change);
}

void Runtime::Impl::on_deployment(const store::Change& change) {
  dirty_.insert(change.key);
  schedule();
  if (!change.after) {
    if (const auto found = deployments_.find(change.key); found != deployments_.end())
      found->second.removed = true;
    return;
  }
  Deployment& deployment = deployments_[change.key];
  const bool fresh = deployment.object == nullptr || deployment.removed ||
                     !same_pod(*deployment.object, *change.after);
  deployment.removed = false;
  deployment.object = change.after;
  deployment.spec = read_deployment(*change.after);
  deployment.progress_ns = loop_.now_ns();
  if (fresh) {
    deployment.revision = next_revision_++;
    deployment.blocked.clear();
    deployment.last_trouble.clear();
    for (const std::string& warning : deployment.spec.pod.warnings) {
      log::warning(warning, {{"deployment", change.key.namespace_ + '/' + change.key.name}});
    }
  }
  const auto& containers = deployment.spec.pod.containers;
  deployment.needs_tool =
      std::any_of(containers.begin(), containers.end(),
                  [](const ContainerSpec& each) { return each.command.empty(); });
  if (deployment.needs_tool && !tool_.is_known()) tool_.ask();
  for (auto& entry : deployment.pods) {
    if (entry.revision != deployment.revision || entry.labels == deployment.spec.labels) continue;
    entry.labels = deployment.spec.labels;  // new labels alone restart nothing
    if (entry.published) publish(entry);
  }
}

void Runtime::Impl::on_service(const store::Change& change) {
  auto& services = services_[change.key.namespace_];
  if (change.after && !change.after->spec().at("selector").map().empty()) {
    services[change.key.name] = change.after;
  } else {
    services.erase(change.key.name);
  }
  const bool can_select = services.contains(change.key.name);
  for (auto& [key, deployment] : deployments_) {
    if (key.namespace_ != change.key.namespace_) continue;
    for (auto& entry : deployment.pods) {
      if (!entry.published) continue;
      if (can_select && selects(*change.after, entry.labels)) {
        publish_to(entry, *change.after);
      } else if (const auto slice = entry.slices.find(change.key); slice != entry.slices.end()) {
        (void)store_.remove(slice->second);
        entry.slices.erase(slice);
      }
    }
  }
}

void Runtime::Impl::on_pod(Pod& pod) {
  const auto owner = owners_.find(pod.id());
  if (owner == owners_.end()) return;
  dirty_.insert(owner->second);
  schedule();
}

void Runtime::Impl::on_tool() {
  host_.container_tool = tool_.name();
  for (auto& [key, deployment] : deployments_) {
    if (deployment.needs_tool) dirty_.insert(key);
  }
  schedule();
}

// ---- the work

void Runtime::Impl::schedule() {
  if (scheduled_ || closed_) return;
  scheduled_ = true;
  loop_.defer([weak = weak_from_this()] {
    if (const auto self = weak.lock(); self && !self->closed_) self->pass();
  });
}

void Runtime::Impl::pass() {
  scheduled_ = false;
  const std::set<ObjectKey> keys = std::exchange(dirty_, {});
  for (const ObjectKey& key : keys) {
    const auto found = deployments_.find(key);
    if (found == deployments_.end()) continue;
    settle(key, found->second);
    if (found->second.removed && found->second.pods.empty()) deployments_.erase(found);
  }
  if (draining_) check_drained();
}

void Runtime::Impl::settle(const ObjectKey& key, Deployment& deployment) {
  std::erase_if(deployment.pods, [&](const Deployment::Entry& entry) {
    if (!entry.pod->is_gone()) return false;
    owners_.erase(entry.pod->id());
    return true;
  });
  // The new ones first: an old endpoint goes only after its successor is in the store.
  for (auto& entry : deployment.pods) {
    const bool as_published =
        entry.pod->is_ready() == entry.published && entry.pod->ports() == entry.published_ports;
    if (!as_published) publish(entry);
  }
  if (deployment.needs_tool && tool_.is_known() && tool_.name().empty()) {
    const std::string blocked = fmt::format(
        "a container has only an image, and neither podman nor docker works here ({}): give the "
        "container a "
        "command that runs as a local process, or point a ServiceEntry at where the model runs",
        tool_.trouble());
    if (deployment.blocked.empty())
      log::error(blocked, {{"deployment", key.namespace_ + '/' + key.name}});
    deployment.blocked = blocked;
  }
  const bool may_start = !draining_ && !deployment.removed && deployment.blocked.empty() &&
                         (!deployment.needs_tool || tool_.is_known());
  const bool stops = draining_ || deployment.removed;
  std::vector<PodView> views;
  for (const auto& entry : deployment.pods) {
    if (!entry.pod->is_retired()) {
      views.push_back(
          {entry.pod->id(), entry.revision == deployment.revision, entry.pod->is_ready()});
    }
  }
  const PodPlan plan = plan_pods(stops ? 0 : deployment.spec.replicas, views);
  if (may_start) {
    for (int i = 0; i < plan.starts; ++i) start_pod(deployment);
  }
  for (auto& entry : deployment.pods) {
    const bool chosen =
        std::find(plan.retires.begin(), plan.retires.end(), entry.pod->id()) != plan.retires.end();
    // Without a successor an old pod stays, whatever the plan hoped for.
    if (chosen && (may_start || stops || deployment.spec.replicas == 0)) retire(entry);
  }
  // While all is being stopped the last status stays: nothing is wrong with the Deployments.
  if (!deployment.removed && !draining_) write_status(key, deployment);
}

void Runtime::Impl::start_pod(Deployment& deployment) {
  Deployment::Entry entry;
  entry.revision = deployment.revision;
  entry.labels = deployment.spec.labels;
  const std::uint64_t id = next_pod_++;
  entry.pod =
      std::make_unique<Pod>(host_, id, deployment.spec.namespace_,
                            fmt::format("{}-{}", deployment.spec.name, id), deployment.spec.pod);
  owners_[id] = deployment.object->key();
  deployment.pods.push_back(std::move(entry));
  deployment.pods.back().pod->start();
}

void Runtime::Impl::retire(Deployment::Entry& entry) {
  unpublish(entry);
  entry.pod->retire();
}

// ---- endpoints

void Runtime::Impl::publish(Deployment::Entry& entry) {
  if (!entry.pod->is_ready()) return unpublish(entry);
  entry.published = true;
  entry.published_ports = entry.pod->ports();
  const auto& services = services_[entry.pod->namespace_name()];
  for (auto slice = entry.slices.begin(); slice != entry.slices.end();) {
    const auto service = services.find(slice->first.name);
    if (service != services.end() && selects(*service->second, entry.labels)) {
      ++slice;
      continue;
    }
    (void)store_.remove(slice->second);
    slice = entry.slices.erase(slice);
  }
  for (const auto& [name, service] : services) {
    if (selects(*service, entry.labels)) publish_to(entry, *service);
  }
}

void Runtime::Impl::publish_to(Deployment::Entry& entry, const Object& service) {
  auto slice = make_slice(service, entry.pod->name(), entry.labels, entry.pod->spec(),
                          entry.pod->ports(), options_.address);
  if (!slice) {
    log::warning(
        "the pod has no port that the service names",
        {{"service", service.namespace_ + '/' + service.name}, {"pod", entry.pod->name()}});
    return;
  }
  const ObjectKey slice_key = slice->key();
  if (const auto applied = store_.apply(std::move(*slice)); !applied) {
    log::error("an EndpointSlice could not be written",
               {{"slice", slice_key.name}, {"reason", to_string(applied.error())}});
    return;
  }
  entry.slices[service.key()] = slice_key;
}

void Runtime::Impl::unpublish(Deployment::Entry& entry) {
  entry.published = false;
  entry.published_ports = entry.pod->ports();
  for (const auto& [service, slice] : std::exchange(entry.slices, {})) (void)store_.remove(slice);
}

// ---- status

void Runtime::Impl::write_status(const ObjectKey& key, Deployment& deployment) {
  DeploymentCounts counts;
  counts.wanted = deployment.spec.replicas;
  std::string trouble = deployment.blocked;
  for (const auto& entry : deployment.pods) {
    if (entry.pod->is_retired()) continue;
    ++counts.replicas;
    if (entry.revision == deployment.revision) ++counts.updated;
    if (entry.pod->is_ready()) ++counts.ready;
    if (trouble.empty() && entry.revision == deployment.revision) trouble = entry.pod->trouble();
  }
  if (counts.ready > deployment.progress_ready) deployment.progress_ns = loop_.now_ns();
  deployment.progress_ready = counts.ready;
  const bool complete = counts.ready >= counts.wanted && counts.updated >= counts.wanted &&
                        counts.replicas == counts.wanted;
  const bool late = !complete && loop_.now_ns() - deployment.progress_ns >=
                                     Nanoseconds(deployment.spec.progress_deadline).count();
  if (!complete && !late && !deadline_timer_.is_armed())
    deadline_timer_.arm(loop_, std::chrono::seconds(1));
  resource::Value status =
      make_status(counts, deployment.object->metadata().at("generation").integer(0), trouble,
                  late || !deployment.blocked.empty());
  if (status == deployment.status) return;
  if (counts.ready == counts.wanted && complete) {
    log::info("deployment ready",
              {{"deployment", key.namespace_ + '/' + key.name}, {"pods", counts.ready}});
  }
  deployment.status = status;
  if (const auto set = store_.set_status(key, std::move(status)); !set) {
    log::error("a status could not be written", {{"deployment", key.namespace_ + '/' + key.name},
                                                 {"reason", to_string(set.error())}});
  }
}

void Runtime::Impl::on_deadline() {
  if (draining_) return;
  for (auto& [key, deployment] : deployments_) {
    if (!deployment.removed) write_status(key, deployment);
  }
}

// ---- the end

void Runtime::Impl::drain(std::function<void()> done) {
  draining_ = true;
  drained_ = std::move(done);
  for (const auto& [key, deployment] : deployments_) dirty_.insert(key);
  schedule();
}

void Runtime::Impl::check_drained() {
  for (const auto& [key, deployment] : deployments_) {
    if (!deployment.pods.empty()) return;
  }
  if (!drained_) return;
  const auto done = std::exchange(drained_, nullptr);
  done();
}

Runtime::Runtime(net::Loop& loop, store::Store& store, Options options)
    : impl_(std::make_shared<Impl>(loop, store, std::move(options))) {}
Runtime::~Runtime() { impl_->close(); }
void Runtime::start() { impl_->start(); }
void Runtime::drain(std::function<void()> done) { impl_->drain(std::move(done)); }
std::size_t Runtime::process_count() const noexcept { return impl_->process_count(); }

}  // namespace sluice::runtime
