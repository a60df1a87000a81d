#include "gateway/gateway.h"

#include <algorithm>

#include "base/log.h"
#include "gateway/worker.h"

namespace sluice::gateway {

namespace {

// A port of the gateway and where it is really bound.
struct Port {
  std::uint16_t gateway_port = 0;
  std::string bind;  // as in the snapshot
  net::Address address;
  std::string error;
  bool is_bound = false;
};

}  // namespace

struct Gateway::Impl {
  net::Loop& control;
  Options options;
  Publisher publisher;
  std::vector<Port> ports;
  // The log's thread reads the workers' rings: it must end before they do.
  std::vector<std::unique_ptr<Worker>> workers;
  std::unique_ptr<AccessLogFile> log_file;
  // Callbacks that are under way to the control loop look here whether the gateway still lives.
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);

  Impl(net::Loop& loop, Options given) : control(loop), options(std::move(given)) {}

  Result<net::Address> address_of(const Port& port) const;
  void bind(Port& port, std::vector<std::vector<BoundSocket>>& sockets);
  void update_ports(const Published& published, std::vector<std::vector<BoundSocket>>& sockets);
  std::function<void()> when_all(std::function<void()> done);
};

Gateway::Gateway(net::Loop& control, Options options)
    : impl_(std::make_unique<Impl>(control, std::move(options))) {
  impl_->options.workers = std::max(1U, impl_->options.workers);
  std::vector<LogRing*> rings;
  for (unsigned i = 0; i < impl_->options.workers; ++i) {
    impl_->workers.push_back(std::make_unique<Worker>(control, impl_->options, i));
    if (impl_->workers.back()->log_ring() != nullptr) {
      rings.push_back(impl_->workers.back()->log_ring());
    }
  }
  if (!rings.empty()) {
    auto opened = AccessLogFile::open(impl_->options.access_log_path, std::move(rings));
    if (opened) {
      impl_->log_file = std::move(*opened);
    } else {
      log::error("no access log is written", {{"why", to_string(opened.error())}});
    }
  }
  for (const auto& worker : impl_->workers) worker->start();
}

Gateway::~Gateway() {
  *impl_->alive = false;
  for (const auto& worker : impl_->workers) worker->stop();
  impl_->log_file.reset();
}

Result<net::Address> Gateway::Impl::address_of(const Port& port) const {
  std::string ip = port.bind.empty() ? options.bind_address : port.bind;
  std::uint16_t number = port.gateway_port;
  for (const Bind& each : options.binds) {
    if (each.gateway_port != port.gateway_port) continue;
    number = each.port;
    if (!each.address.empty()) ip = each.address;
  }
  return net::Address::parse(ip, number);
}

// For all workers or for none.
void Gateway::Impl::bind(Port& port, std::vector<std::vector<BoundSocket>>& sockets) {
  auto address = address_of(port);
  std::vector<net::Fd> opened;
  for (unsigned i = 0; address && i < workers.size(); ++i) {
    auto fd = net::open_listener(*address);
    if (!fd) {
      address = tl::unexpected<Error>(std::move(fd).error());
      break;
    }
    // Port 0 means any, but the same for all workers.
    *address = net::Address::of_local(fd->get());
    opened.push_back(std::move(*fd));
  }
  if (!address) {
    const std::string error = to_string(address.error());
    if (port.error != error) {
      log::error("a port is not served", {{"port", port.gateway_port}, {"why", error}});
    }
    port.error = error;
    return;
  }
  port.error.clear();
  port.is_bound = true;
  port.address = *address;
  log::debug("listening", {{"gateway_port", port.gateway_port}, {"address", address->text()}});
  for (std::size_t i = 0; i < opened.size(); ++i) {
    sockets[i].push_back({port.gateway_port, port.bind, std::move(opened[i])});
  }
}

void Gateway::Impl::update_ports(const Published& published,
                                 std::vector<std::vector<BoundSocket>>& sockets) {
  // Workers close what the snapshot does not name when they adopt it.
  std::erase_if(ports, [&](const Port& port) {
    return published.find(port.gateway_port, port.bind) == nullptr;
  });
  for (const auto& each : published.listeners) {
    const route::Listener& listener = *each->listener;
    auto known = std::find_if(ports.begin(), ports.end(), [&](const Port& port) {
      return port.gateway_port == listener.port && port.bind == listener.bind;
    });
    if (known == ports.end()) {
      Port port;
      port.gateway_port = listener.port;
      port.bind = listener.bind;
      ports.push_back(std::move(port));
      known = ports.end() - 1;
    }
    if (!known->is_bound) bind(*known, sockets);
  }
}

// A callback for each worker; the last one that is called posts `done` to the control loop.
std::function<void()> Gateway::Impl::when_all(std::function<void()> done) {
  if (!done) return {};
  struct Waiting {
    std::size_t left;
    std::function<void()> done;
  };
  auto waiting = std::make_shared<Waiting>(Waiting{workers.size(), std::move(done)});
  return [&loop = control, waiting, alive = alive] {
    loop.post([waiting, alive] {
      if (--waiting->left == 0 && *alive) waiting->done();
    });
  };
}

void Gateway::publish(std::shared_ptr<const route::Snapshot> snapshot,
                      std::function<void()> adopted) {
  const std::shared_ptr<const Published> published = impl_->publisher.make(std::move(snapshot));
  std::vector<std::vector<BoundSocket>> sockets(impl_->workers.size());
  impl_->update_ports(*published, sockets);
  const std::function<void()> each = impl_->when_all(std::move(adopted));
  for (std::size_t i = 0; i < impl_->workers.size(); ++i) {
    impl_->workers[i]->post_adopt(published, std::move(sockets[i]), each);
  }
}

void Gateway::drain(Milliseconds deadline, std::function<void()> done) {
  const std::function<void()> each = impl_->when_all(std::move(done));
  for (const auto& worker : impl_->workers) worker->post_drain(deadline, each);
}

std::vector<PortStatus> Gateway::ports() const {
  std::vector<PortStatus> all;
  for (const Port& port : impl_->ports) {
    all.push_back({port.gateway_port, port.is_bound ? port.address.text() : "", port.error});
  }
  return all;
}

std::string Gateway::metrics() const {
  std::vector<const Metrics*> all;
  for (const auto& worker : impl_->workers) {
    all.push_back(&static_cast<const Worker&>(*worker).metrics());
  }
  return render(all);
}

}  // namespace sluice::gateway
