#include "executor/flags.h"

#include <fmt/core.h>

#include <charconv>
#include <map>

#include "base/text.h"
#include "resource/duration.h"

namespace sluice::executor {

namespace {

struct Flag {
  std::string_view name;
  bool is_boolean;
  std::string_view otherwise;
  std::string_view what;
};

constexpr Flag kFlags[] = {
    {"sdep", false, "", "name of the SeldonDeployment (required)"},
    {"namespace", false, "", "its namespace (required)"},
    {"predictor", false, "", "name of the predictor (required)"},
    {"http_port", false, "8080", "port for HTTP, on all addresses"},
    {"grpc_port", false, "5000", "port for gRPC: each call is answered UNIMPLEMENTED so far"},
    {"protocol", false, "seldon", "seldon, tensorflow, v2 or kfserving"},
    {"transport", false, "rest", "rest; grpc is not served yet"},
    {"server_type", false, "rpc", "rpc; kafka is not served"},
    {"prometheus_path", false, "/metrics", "path of the metrics page"},
    {"full_health_checks", true, "false", "readiness asks the unit over HTTP, not its port alone"},
    {"file", false, "", "SeldonDeployment to read instead of env ENGINE_PREDICTOR"},
    {"graceful_timeout", false, "15s", "how long requests may take to end on SIGTERM"},
    {"shutdown_delay", false, "0s", "how long to go on serving after SIGTERM"},
    {"log_level", false, "INFO", "DEBUG, INFO, WARN or ERROR (env SELDON_LOG_LEVEL)"},
    {"debug", true, "false", "--log_level DEBUG (env SELDON_DEBUG)"},
    {"annotations", false, "/etc/podinfo/annotations", "file of the pod's annotations"},
    {"address", false, "0.0.0.0", "address of both ports"},
    {"hostname", false, "", "no effect without payload logging"},
    {"logger_workers", false, "10", "no effect without payload logging"},
    {"log_work_buffer_size", false, "10000", "no effect without payload logging"},
    {"log_write_timeout_ms", false, "2000", "no effect without payload logging"},
    {"log_kafka_broker", false, "", "not served: refused when set (env LOGGER_KAFKA_BROKER)"},
    {"log_kafka_topic", false, "", "no effect"},
    {"kafka_broker", false, "", "no effect without server_type kafka"},
    {"kafka_input_topic", false, "", "no effect without server_type kafka"},
    {"kafka_output_topic", false, "", "no effect without server_type kafka"},
    {"kafka_full_graph", true, "false", "no effect without server_type kafka"},
    {"kafka_workers", false, "4", "no effect without server_type kafka"},
    {"kafka_auto_commit", true, "true", "no effect without server_type kafka"},
    {"config", false, "", "no effect"},
    {"kubeconfig", false, "", "no effect"},
};

using Values = std::map<std::string, std::string, std::less<>>;

const Flag* find_flag(std::string_view name) noexcept {
  for (const Flag& flag : kFlags) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

// strconv.ParseBool's words.
std::optional<bool> parse_boolean(std::string_view text) noexcept {
  for (const std::string_view word : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == word) return true;
  }
  for (const std::string_view word : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == word) return false;
  }
  return std::nullopt;
}

Result<Values> read_words(const std::vector<std::string>& words, bool& help) {
  Values values;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    if (word.size() < 2 || word[0] != '-' || word == "--") break;  // flags end here
    word.remove_prefix(word[1] == '-' ? 2 : 1);
    const auto equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    if (name == "help" || name == "h") {
      help = true;
      return values;
    }
    const Flag* const flag = find_flag(name);
    if (flag == nullptr) {
      return fail(Blame::kConfig, fmt::format("flag provided but not defined: -{}", name));
    }
    if (equals != std::string_view::npos) {
      values[std::string(name)] = word.substr(equals + 1);
    } else if (flag->is_boolean) {
      values[std::string(name)] = "true";
    } else if (i + 1 < words.size()) {
      values[std::string(name)] = words[++i];
    } else {
      return fail(Blame::kConfig, fmt::format("flag needs an argument: -{}", name));
    }
  }
  return values;
}

class Reader {
 public:
  explicit Reader(const Values& values) : values_(values) {}

  std::string text(std::string_view name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::string(find_flag(name)->otherwise) : found->second;
  }
  Result<std::uint16_t> port(std::string_view name) const {
    const std::string given = text(name);
    unsigned port = 0;
    const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), port);
    if (error != std::errc() || end != given.data() + given.size() || port > 65'535) {
      return bad(name, given, "a number from 0 to 65535");
    }
    return static_cast<std::uint16_t>(port);
  }
  Result<std::int64_t> number(std::string_view name) const {
    const std::string given = text(name);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), number);
    if (error != std::errc() || end != given.data() + given.size()) {
      return bad(name, given, "a number");
    }
    return number;
  }
  Result<bool> boolean(std::string_view name) const {
    const std::string given = text(name);
    const auto flag = parse_boolean(given);
    if (!flag) return bad(name, given, "true or false");
    return *flag;
  }
  Result<Nanoseconds> duration(std::string_view name) const {
    const std::string given = text(name);
    const auto duration = given == "0" ? Nanoseconds(0) : resource::parse_duration(given);
    if (!duration) return bad(name, given, "a duration such as 500ms or 15s");
    return *duration;
  }

 private:
  static tl::unexpected<Error> bad(std::string_view name, std::string_view given,
                                   std::string_view expected) {
    return fail(Blame::kConfig, fmt::format("invalid value \"{}\" for flag -{}: {} is expected",
                                            given, name, expected));
  }
  const Values& values_;
};

Result<std::string> level_of(const Reader& reader, const Values& values,
                             const Environment& environment) {
  SLUICE_TRY(bool debug, reader.boolean("debug"));
  if (values.find("debug") == values.end()) {
    debug = parse_boolean(environment("SELDON_DEBUG").value_or("false")).value_or(false);
  }
  if (debug) return std::string("debug");
  std::string level = reader.text("log_level");
  if (values.find("log_level") == values.end()) {
    level = environment("SELDON_LOG_LEVEL").value_or(level);
  }
  level = to_lower(level);
  if (level == "warn") return std::string("warning");
  if (level == "fatal") return std::string("error");
  for (const std::string_view known : {"debug", "info", "warning", "error"}) {
    if (level == known) return level;
  }
  return std::string("info");  // as the reference does with a word that it does not know
}

Result<void> check_served(const Reader& reader, const Environment& environment) {
  const std::string transport = reader.text("transport");
  if (transport == "grpc") {
    return fail(Blame::kConfig, "--transport grpc: gRPC is not served yet; use --transport rest");
  }
  if (transport != "rest") {
    return fail(Blame::kConfig, "--transport " + transport + ": rest or grpc is expected");
  }
  const std::string server = reader.text("server_type");
  if (server != "rpc") {
    return fail(Blame::kConfig, "--server_type " + server + ": only rpc is served");
  }
  if (!reader.text("log_kafka_broker").empty() || environment("LOGGER_KAFKA_BROKER").has_value()) {
    return fail(Blame::kConfig, "payload logging to Kafka is not served");
  }
  return {};
}

}  // namespace

Result<Options> parse_flags(const std::vector<std::string>& words, const Environment& environment) {
  Options options;
  SLUICE_TRY(const Values values, read_words(words, options.help));
  if (options.help) return options;
  const Reader reader(values);
  for (const Flag& flag : kFlags) {
    if (flag.is_boolean) SLUICE_CHECK(reader.boolean(flag.name));
  }
  for (const std::string_view name :
       {"logger_workers", "log_work_buffer_size", "log_write_timeout_ms", "kafka_workers"}) {
    SLUICE_CHECK(reader.number(name));
  }
  options.deployment = reader.text("sdep");
  options.name_space = reader.text("namespace");
  options.predictor = reader.text("predictor");
  for (const std::string_view name : {"sdep", "namespace", "predictor"}) {
    if (reader.text(name).empty()) {
      return fail(Blame::kConfig, fmt::format("Required argument {} missing", name));
    }
  }
  SLUICE_TRY(options.http_port, reader.port("http_port"));
  SLUICE_TRY(options.grpc_port, reader.port("grpc_port"));
  SLUICE_TRY(options.protocol, parse_protocol(reader.text("protocol")));
  SLUICE_CHECK(check_served(reader, environment));
  options.prometheus_path = reader.text("prometheus_path");
  options.file = reader.text("file");
  SLUICE_TRY(options.graceful_timeout, reader.duration("graceful_timeout"));
  SLUICE_TRY(options.shutdown_delay, reader.duration("shutdown_delay"));
  SLUICE_TRY(options.full_health_checks, reader.boolean("full_health_checks"));
  SLUICE_TRY(options.log_level, level_of(reader, values, environment));
  options.annotations = reader.text("annotations");
  options.address = reader.text("address");
  return options;
}

std::string usage() {
  std::string text =
      "Serve one predictor's inference graph: the engine container of a SeldonDeployment.\n"
      "Usage: sluice executor [FLAGS], each as --name value, --name=value, -name value or "
      "-name=value\n\nFLAGS:\n";
  for (const Flag& flag : kFlags) {
    text += fmt::format("  --{:<22}{}{}\n", flag.name, flag.what,
                        flag.otherwise.empty() ? "" : fmt::format(" [{}]", flag.otherwise));
  }
  text +=
      "\nExample:\n  ENGINE_PREDICTOR=$(base64 -w0 predictor.json) sluice executor --sdep iris "
      "--namespace seldon \\\n    --predictor main --http_port 8000 --grpc_port 5001\n";
  return text;
}

Result<Annotations> parse_annotations(std::string_view text) {
  Annotations annotations;
  for (const std::string_view line : split(text, '\n')) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos ||
        trim(line.substr(0, equals)) != "seldon.io/rest-timeout")
      continue;
    std::string_view value = trim(line.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    std::int64_t timeout_ms = 0;
    const auto [end, error] =
        std::from_chars(value.data(), value.data() + value.size(), timeout_ms);
    constexpr std::int64_t kMost = 1'000'000'000;  // eleven days
    if (error != std::errc() || end != value.data() + value.size() || timeout_ms > kMost) {
      return fail(Blame::kConfig, fmt::format("\"{}\" is no number of milliseconds", value),
                  "annotation seldon.io/rest-timeout");
    }
    annotations.rest_timeout = Milliseconds(std::max<std::int64_t>(timeout_ms, 0));
  }
  return annotations;
}

}  // namespace sluice::executor
