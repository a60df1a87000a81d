#include "executor/executor.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "base/log.h"
#include "executor/exchange.h"
#include "executor/flags.h"
#include "executor/grpc_refusal.h"
#include "executor/server.h"
#include "net/address.h"
#include "net/resolver.h"

namespace sluice::executor {

namespace {

constexpr std::size_t kFileBytesMax = 64U << 20U;

std::optional<std::string> environment(std::string_view name) {
  const char* const value =
      std::getenv(std::string(name).c_str());  // NOLINT(concurrency-mt-unsafe): before any thread
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::string environment_or(std::string_view name, std::string_view otherwise) {
  const auto value = environment(name);
  return value.has_value() && !value->empty() ? *value : std::string(otherwise);
}

Result<std::string> read_file(const std::string& path) {
  std::FILE* const file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr) return fail(Blame::kConfig, "can't be opened", path);
  std::string text;
  std::array<char, 16'384> piece{};
  std::size_t size = 0;
  while (text.size() <= kFileBytesMax &&
         (size = std::fread(piece.data(), 1, piece.size(), file)) > 0) {
    text.append(piece.data(), size);
  }
  const bool failed = std::ferror(file) != 0;
  std::fclose(file);
  if (failed) return fail(Blame::kConfig, "can't be read", path);
  if (text.size() > kFileBytesMax) return fail(Blame::kConfig, "is too large", path);
  return text;
}

Result<Predictor> load_predictor(const Options& options) {
  if (!options.file.empty()) {
    SLUICE_TRY(const std::string text, read_file(options.file));
    return find_predictor(text, options.predictor);
  }
  const auto text = environment("ENGINE_PREDICTOR");
  if (!text || text->empty()) {
    return fail(Blame::kConfig, "no predictor: give --file or set ENGINE_PREDICTOR");
  }
  return decode_predictor(*text);
}

Result<Annotations> load_annotations(const Options& options) {
  if (access(options.annotations.c_str(), R_OK) != 0) return Annotations{};  // none are mounted
  SLUICE_TRY(const std::string text, read_file(options.annotations));
  return parse_annotations(text);
}

// SELDON_CERT_MOUNT_PATH turns TLS on.
Result<std::shared_ptr<const net::TlsContext>> load_tls() {
  const std::string folder = environment_or("SELDON_CERT_MOUNT_PATH", "");
  if (folder.empty()) return std::shared_ptr<const net::TlsContext>();
  net::TlsServerOptions tls;
  SLUICE_TRY(tls.certificate_pem,
             read_file(folder + '/' + environment_or("SELDON_CERT_FILE_NAME", "tls.crt")));
  SLUICE_TRY(tls.key_pem,
             read_file(folder + '/' + environment_or("SELDON_CERT_KEY_FILE_NAME", "tls.key")));
  return net::TlsContext::make_server(tls);
}

// Everything of one process.
class Process {
 public:
  Process(Options options, Annotations annotations, Predictor predictor, Cors cors,
          std::shared_ptr<const net::TlsContext> tls)
      : delay_timer_(on_delay_over, this),
        deadline_timer_(on_deadline, this),
        engine_(loop_, std::move(options), annotations, std::move(predictor), std::move(cors)),
        server_(engine_, std::move(tls)),
        grpc_(loop_) {}
  ~Process() {
    signal_watch_.stop();
    if (signal_fd_ >= 0) ::close(signal_fd_);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  Result<void> start() {
    const Options& options = engine_.options;
    SLUICE_TRY(const net::Address http, net::Address::parse(options.address, options.http_port));
    SLUICE_TRY(const net::Address grpc, net::Address::parse(options.address, options.grpc_port));
    if (!watch_signals()) return fail(Blame::kInternal, "signals can't be watched");
    SLUICE_CHECK(server_.listen(http));
    SLUICE_CHECK(grpc_.listen(grpc));
    if (engine_.pool.is_name()) resolver_.set_names({engine_.pool.host()});
    log::info("executor ready", {{"deployment", options.deployment},
                                 {"namespace", options.name_space},
                                 {"predictor", engine_.predictor.name},
                                 {"http_port", server_.port()},
                                 {"unit", engine_.pool.authority()}});
    return {};
  }

  int run() {
    loop_.run();
    return status_;
  }

 private:
  bool watch_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGINT}) sigaddset(&signals, signal);
    signal_fd_ = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    return signal_fd_ >= 0 &&
           signal_watch_.start(
               loop_, signal_fd_, net::kReadable,
               [](void* self, std::uint32_t) { static_cast<Process*>(self)->on_signal(); }, this);
  }

  void on_signal() {
    signalfd_siginfo info{};
    while (read(signal_fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    }
    if (stopping_) return;
    stopping_ = true;
    log::info("stopping", {{"sessions", server_.sessions()}});
    // Serving goes on meanwhile: who sends requests must hear first that we leave.
    delay_timer_.arm(loop_, engine_.options.shutdown_delay);
  }

  static void on_delay_over(void* self) {
    auto& process = *static_cast<Process*>(self);
    process.deadline_timer_.arm(process.loop_, process.engine_.options.graceful_timeout);
    process.grpc_.close();
    process.server_.drain([&process] { process.loop_.stop(); });
  }

  static void on_deadline(void* self) {
    auto& process = *static_cast<Process*>(self);
    log::error("requests did not end in time", {{"sessions", process.server_.sessions()}});
    process.status_ = 1;
    process.loop_.stop();
  }

  net::Loop loop_;
  net::Watch signal_watch_;
  net::Timer delay_timer_;
  net::Timer deadline_timer_;
  Engine engine_;
  Server server_;
  GrpcRefusals grpc_;
  net::Resolver resolver_{loop_, [this](const std::string&, const std::vector<std::string>& ips) {
                            engine_.pool.set_addresses(ips);
                            engine_.ready_pool.set_addresses(ips);
                          }};
  int signal_fd_ = -1;
  int status_ = 0;
  bool stopping_ = false;
};

Result<int> serve(Options options) {
  SLUICE_TRY(Predictor predictor, load_predictor(options));
  SLUICE_CHECK(check_served(predictor));
  SLUICE_TRY(const Annotations annotations, load_annotations(options));
  SLUICE_TRY(auto tls, load_tls());
  Cors cors;
  cors.origins = environment_or("CORS_ALLOWED_ORIGINS", cors.origins);
  cors.headers = environment_or("CORS_ALLOWED_HEADERS", cors.headers);
  for (const std::string* value :
       {&cors.origins, &cors.headers, &options.deployment, &options.name_space}) {
    if (!http::is_field_value(*value)) {
      return fail(Blame::kConfig, "can't stand in a field of HTTP: " + *value);
    }
  }
  Process process(std::move(options), annotations, std::move(predictor), std::move(cors),
                  std::move(tls));
  SLUICE_CHECK(process.start());
  return process.run();
}

void block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before any thread starts, so that none gets one
}

}  // namespace

int run(const std::vector<std::string>& words) {
  auto options = parse_flags(words, environment);
  if (!options) {
    const std::string what = to_string(options.error());
    const bool is_usage = what.find("flag") != std::string::npos;  // Go's package says it so
    std::fprintf(stderr, "%s\n", what.c_str());
    if (is_usage) std::fprintf(stderr, "%s", usage().c_str());
    return is_usage ? 2 : 1;
  }
  if (options->help) {
    std::fprintf(stdout, "%s", usage().c_str());
    return 0;
  }
  log::set_format(log::Format::kJson);
  log::Level level = log::Level::kInfo;
  log::parse_level(options->log_level, level);
  log::set_level(level);
  block_signals();
  const auto served = serve(std::move(*options));
  if (served) return *served;
  log::error("the executor can't serve", {{"reason", to_string(served.error())}});
  return 1;
}

}  // namespace sluice::executor
