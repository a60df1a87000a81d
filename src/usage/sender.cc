#include "usage/sender.h"

#include <fmt/core.h>

#include "base/log.h"
#include "kube/connection.h"

namespace sluice::usage {

namespace {

constexpr std::size_t kAnswerBytesMax = 64U << 10U;

}  // namespace

Result<std::unique_ptr<Sender>> Sender::make(const std::string& url, Milliseconds deadline) {
  const bool is_url = url.starts_with("http://") || url.starts_with("https://");
  if (!is_url || url.find_first_of("@?# ") != std::string::npos) {
    return fail(Blame::kConfig,
                "an address is written http://HOST[:PORT]/PATH or https://HOST[:PORT]/PATH", url);
  }
  std::unique_ptr<Sender> made(new Sender());
  SLUICE_TRY(made->endpoint_, kube::parse_endpoint(url, "", ""));
  made->deadline_ = deadline;
  if (made->endpoint_.is_https) {
    net::TlsClientOptions options;
    options.host = made->endpoint_.host;
    SLUICE_TRY(made->tls_, net::TlsContext::make_client(options));
  }
  return made;
}

Sender::~Sender() {
  stop_.set();
  if (thread_.is_joinable()) thread_.join();
}

void Sender::send(std::string document) {
  if (busy_.exchange(true)) return;
  if (thread_.is_joinable()) thread_.join();  // it has ended
  thread_ = kube::Thread([this, document = std::move(document)] {
    const auto posted = post(document);
    (posted ? sent_ : failed_).fetch_add(1);
    if (!posted && !stop_.is_set()) {
      log::warning("usage metrics could not be sent; the next ones will be tried",
                   {{"address", endpoint_.authority + endpoint_.base_path},
                    {"error", to_string(posted.error())}});
    }
    busy_ = false;
  });
}

Result<void> Sender::post(const std::string& document) {
  const std::int64_t deadline = monotonic_ns() + Nanoseconds(deadline_).count();
  SLUICE_TRY(std::unique_ptr<kube::Connection> connection,
             kube::Connection::open(endpoint_, tls_, stop_, deadline));
  const std::string request = fmt::format(
      "POST {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: sluice\r\nContent-Type: application/json\r\n"
      "Content-Length: {}\r\nConnection: close\r\n\r\n{}",
      endpoint_.base_path.empty() ? "/" : endpoint_.base_path, endpoint_.authority, document.size(),
      document);
  SLUICE_CHECK(connection->exchange(request, deadline));
  const int status = connection->status();
  std::string answer;
  for (bool more = true; more && answer.size() < kAnswerBytesMax;) {
    SLUICE_TRY(more, connection->read_body(answer, deadline));
  }
  if (status / 100 != 2) return fail(Blame::kUpstream, fmt::format("answered {}", status));
  return {};
}

}  // namespace sluice::usage
