#include "executor/flags.h"

#include <gtest/gtest.h>

#include <map>

namespace sluice::executor {
namespace {

Environment none() {
  return [](std::string_view) { return std::optional<std::string>(); };
}

Result<Options> parse(std::vector<std::string> more, const Environment& environment = none()) {
  std::vector<std::string> words = {"--sdep", "d", "--namespace", "n", "--predictor", "p"};
  words.insert(words.end(), more.begin(), more.end());
  return parse_flags(words, environment);
}

// What the operator writes (its container's args), word by word.
TEST(Flags, the_operators_command_line_is_understood) {
  const auto options = parse({"--http_port", "8000", "--grpc_port", "5001", "--protocol", "v2",
                              "--transport", "rest", "--prometheus_path", "/prometheus",
                              "--server_type", "rpc", "--log_work_buffer_size", "10000",
                              "--log_write_timeout_ms", "2000", "--full_health_checks=false"});
  ASSERT_TRUE(options) << to_string(options.error());
  EXPECT_EQ(options->deployment, "d");
  EXPECT_EQ(options->name_space, "n");
  EXPECT_EQ(options->predictor, "p");
  EXPECT_EQ(options->http_port, 8000);
  EXPECT_EQ(options->grpc_port, 5001);
  EXPECT_EQ(options->protocol, Protocol::kV2);
  EXPECT_EQ(options->prometheus_path, "/prometheus");
  EXPECT_FALSE(options->full_health_checks);
}

TEST(Flags, are_written_as_go_takes_them) {
  const auto options = parse({"-http_port=1", "--grpc_port=2", "-full_health_checks",
                              "-shutdown_delay", "1m30s", "--debug=T", "--", "--http_port", "x"});
  ASSERT_TRUE(options) << to_string(options.error());
  EXPECT_EQ(options->http_port, 1);
  EXPECT_EQ(options->grpc_port, 2);
  EXPECT_TRUE(options->full_health_checks);
  EXPECT_EQ(options->shutdown_delay, std::chrono::seconds(90));
  EXPECT_EQ(options->log_level, "debug");
  // A boolean takes no word after it: the next word ends the flags.
  EXPECT_EQ(parse({"--full_health_checks", "false", "--http_port", "9"})->http_port, 8080);
  EXPECT_TRUE(parse({"-h"})->help);
}

TEST(Flags, what_is_wrong_or_not_served_is_said) {
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{"--nope"}, "flag provided but not defined: -nope"},
      {{"--http_port"}, "flag needs an argument: -http_port"},
      {{"--http_port", "70000"}, "invalid value \"70000\" for flag -http_port"},
      {{"--full_health_checks=maybe"}, "invalid value \"maybe\""},
      {{"--shutdown_delay", "soon"}, "invalid value \"soon\""},
      {{"--log_work_buffer_size", "x"}, "invalid value \"x\""},
      {{"--protocol", "http"}, "Protocol must be seldon, tensorflow or v2"},
      {{"--transport", "grpc"}, "gRPC is not served yet"},
      {{"--server_type", "kafka"}, "only rpc is served"},
      {{"--log_kafka_broker", "b:9092"}, "Kafka is not served"},
      {{"--predictor", ""}, "Required argument predictor missing"},
  };
  for (const auto& [words, what] : cases) {
    const auto options = parse(words);
    ASSERT_FALSE(options) << what;
    EXPECT_NE(to_string(options.error()).find(what), std::string::npos)
        << to_string(options.error());
  }
  EXPECT_EQ(parse_flags({}, none()).error().what, "Required argument sdep missing");
  const Environment kafka = [](std::string_view name) {
    return name == "LOGGER_KAFKA_BROKER" ? std::optional<std::string>("b:9092") : std::nullopt;
  };
  EXPECT_FALSE(parse({}, kafka));
}

TEST(Flags, the_level_comes_from_the_environment_unless_a_flag_says_it) {
  const Environment environment = [](std::string_view name) {
    return name == "SELDON_LOG_LEVEL" ? std::optional<std::string>("WARN") : std::nullopt;
  };
  EXPECT_EQ(parse({}, environment)->log_level, "warning");
  EXPECT_EQ(parse({"--log_level", "ERROR"}, environment)->log_level, "error");
  EXPECT_EQ(parse({})->log_level, "info");
}

TEST(Annotations, the_timeout_is_read_and_others_pass_by) {
  EXPECT_EQ(parse_annotations("")->rest_timeout, Milliseconds(0));
  EXPECT_EQ(parse_annotations("a=\"b=c\"\nseldon.io/rest-timeout=\"150\"\n")->rest_timeout,
            Milliseconds(150));
  EXPECT_FALSE(parse_annotations("seldon.io/rest-timeout=\"soon\""));
  EXPECT_FALSE(parse_annotations("seldon.io/rest-timeout=\"99999999999999999999\""));
}

}  // namespace
}  // namespace sluice::executor
