#include "gateway/published.h"

#include "base/log.h"

namespace sluice::gateway {

const PublishedTlsServer* PublishedListener::find(std::string_view server_name) const noexcept {
  if (const auto found = exact.find(server_name); found != exact.end()) return found->second;
  // "a.b.test" is tried as ".b.test", then ".test": the longest suffix comes first.
  for (std::size_t dot = server_name.find('.', 1); dot != std::string_view::npos;
       dot = server_name.find('.', dot + 1)) {
    if (const auto found = suffixes.find(server_name.substr(dot)); found != suffixes.end()) {
      return found->second;
    }
  }
  return any;
}

const PublishedListener* Published::find(std::uint16_t gateway_port,
                                         std::string_view bind) const noexcept {
  for (const auto& each : listeners) {
    if (each->listener->port == gateway_port && each->listener->bind == bind) return each.get();
  }
  return nullptr;
}

std::shared_ptr<const Published> Publisher::make(std::shared_ptr<const route::Snapshot> snapshot) {
  auto published = std::make_shared<Published>();
  for (const auto& listener : snapshot->listeners) {
    std::shared_ptr<const PublishedListener> kept;
    if (last_ != nullptr) {
      for (const auto& before : last_->listeners) {
        if (before->listener == listener) kept = before;
      }
    }
    published->listeners.push_back(kept != nullptr ? kept : make_listener(listener));
  }
  published->snapshot = std::move(snapshot);
  std::erase_if(contexts_, [](const auto& each) { return each.second.settings.expired(); });
  last_ = published;
  return published;
}

std::shared_ptr<const PublishedListener> Publisher::make_listener(
    const std::shared_ptr<const route::Listener>& listener) {
  auto made = std::make_shared<PublishedListener>();
  made->listener = listener;
  for (const auto& server : listener->tls_servers) {
    made->servers.push_back(make_server(server, listener->port));
    const PublishedTlsServer* published = made->servers.back().get();
    for (const std::string& host : server->hosts) {
      if (host == "*") {
        if (made->any == nullptr) made->any = published;
      } else if (host.starts_with("*.")) {
        made->suffixes.emplace(host.substr(1), published);
      } else {
        made->exact.emplace(host, published);
      }
    }
  }
  return made;
}

std::shared_ptr<const PublishedTlsServer> Publisher::make_server(
    const std::shared_ptr<const route::TlsServer>& server, std::uint16_t port) {
  auto made = std::make_shared<PublishedTlsServer>();
  made->server = server;
  const std::string key = std::to_string(port) + "/" + server->name;
  if (server->tls == nullptr) return made;
  const auto known = contexts_.find(server->tls.get());
  if (known != contexts_.end() && known->second.settings.lock() == server->tls) {
    made->context = known->second.context.lock();
  }
  if (made->context == nullptr) {
    net::TlsServerOptions options;
    options.certificate_pem = server->tls->certificate_pem;
    options.key_pem = server->tls->key_pem;
    options.ca_pem = server->tls->ca_pem;
    options.crl_pem = server->tls->crl_pem;
    options.subject_alt_names = server->tls->subject_alt_names;
    options.client = static_cast<net::TlsServerOptions::Client>(server->tls->client);
    options.version_min = server->tls->version_min;
    options.version_max = server->tls->version_max;
    options.cipher_suites = server->tls->cipher_suites;
    if (auto context = net::TlsContext::make_server(options)) {
      made->context = *context;
      contexts_[server->tls.get()] = {server->tls, *context};
    } else {
      const auto good = last_good_.find(key);
      if (good != last_good_.end()) made->context = good->second;
      log::error("a TLS server's certificate can't be used",
                 {{"server", key},
                  {"why", to_string(context.error())},
                  {"serving", made->context != nullptr ? "the last good one" : "none"}});
    }
  }
  if (made->context != nullptr) last_good_[key] = made->context;
  return made;
}

}  // namespace sluice::gateway
