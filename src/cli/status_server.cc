#include "cli/status_server.h"

#include "base/log.h"
#include "compile/link.h"
#include "resource/print.h"

namespace sluice::cli {

namespace {

admin::Response json(const resource::Value& value, std::uint16_t status = 200) {
  return {status, "application/json",
          resource::to_json(value, resource::JsonStyle::kPretty) + "\n"};
}

admin::Response text(std::string body, std::uint16_t status = 200) {
  return {status, "text/plain; charset=utf-8", std::move(body)};
}

// What a Secret holds is nobody's business who asks for a dump.
resource::Value without_secrets(const resource::Value& objects) {
  resource::List list;
  for (const resource::Value& object : objects.list()) {
    resource::Value copy = object;
    if (copy.at("kind").text() == "Secret" && copy.as_map() != nullptr) {
      for (const char* name : {"data", "stringData"}) {
        resource::Value* data = copy.as_map()->find(name);
        if (data == nullptr || data->as_map() == nullptr) continue;
        for (resource::Member& member : *data->as_map()) member.value = "(hidden)";
      }
    }
    list.push_back(std::move(copy));
  }
  return list;
}

resource::Value routes(const std::shared_ptr<const route::Snapshot>& snapshot) {
  resource::List rows;
  if (snapshot != nullptr) {
    for (const compile::RouteRow& row : compile::list_routes(*snapshot)) {
      rows.push_back(resource::Map{{"port", std::int64_t{row.port}},
                                   {"tls", row.server},
                                   {"host", row.host},
                                   {"match", row.match},
                                   {"action", row.action},
                                   {"rule", row.rule},
                                   {"from", row.origin}});
    }
  }
  return rows;
}

}  // namespace

Result<void> StatusServer::start(net::Loop& loop, const std::string& address, Sources sources) {
  if (address == "off") return {};
  server_ = std::make_unique<admin::Server>(loop, address);
  const auto shared = std::make_shared<Sources>(std::move(sources));
  std::string index =
      "sluice admin\n"
      "GET  /healthz      200 while the process works\n"
      "GET  /readyz       200 when it does its work; else why not\n"
      "GET  /status       deployments and what there is to say about them (JSON)\n"
      "GET  /metrics      Prometheus\n"
      "GET  /version\n"
      "POST /log_level?level=debug|info|warning|error\n";
  server_->route("GET", "/healthz", [](const admin::Request&) { return text("ok\n"); });
  server_->route("GET", "/readyz", [shared](const admin::Request&) {
    if (shared->is_ready()) return text("ready\n");
    std::string body = "not ready\n";
    const resource::Value status = shared->status();  // outlives the loop over a part of it
    if (const auto trouble = status.at("trouble").text(); !trouble.empty())
      body += std::string(trouble) + "\n";
    for (const resource::Value& each : status.at("deployments").list()) {
      if (each.at("state").text() != "Creating") continue;
      body += std::string(each.at("namespace").text()) + "/" + std::string(each.at("name").text()) +
              " is being created\n";
    }
    return text(std::move(body), 503);
  });
  server_->route("GET", "/status",
                 [shared](const admin::Request&) { return json(shared->status()); });
  if (shared->snapshot) {
    index += "GET  /routes       the route table in the order in which it is tried (JSON)\n";
    server_->route("GET", "/routes",
                   [shared](const admin::Request&) { return json(routes(shared->snapshot())); });
  }
  if (shared->objects) {
    index += "GET  /config_dump  every object in the store, secrets hidden (JSON)\n";
    server_->route("GET", "/config_dump", [shared](const admin::Request&) {
      return json(without_secrets(shared->objects()));
    });
  }
  if (shared->drain) {
    index += "POST /drain        the same as SIGTERM\n";
    server_->route("POST", "/drain", [shared](const admin::Request&) {
      shared->drain();
      return text("draining\n", 202);
    });
  }
  server_->route("GET", "/", [index](const admin::Request&) { return text(index); });
  server_->route("GET", "/metrics", [shared](const admin::Request&) {
    return admin::Response{200, "text/plain; version=0.0.4; charset=utf-8", shared->metrics()};
  });
  server_->route("GET", "/version", [](const admin::Request&) {
    return json(resource::Map{{"version", SLUICE_VERSION}});
  });
  server_->route("POST", "/log_level", [](const admin::Request& request) {
    log::Level level = log::Level::kInfo;
    if (!log::parse_level(request.parameter("level"), level)) {
      return text("say which: /log_level?level=debug, info, warning or error\n", 400);
    }
    log::set_level(level);
    return text("log level is " + std::string(request.parameter("level")) + "\n");
  });
  const Result<std::string> bound = server_->start();
  if (!bound) return tl::unexpected<Error>(within("--admin", bound.error()));
  log::info("admin port is open", {{"bound", *bound}});
  return {};
}

}  // namespace sluice::cli
