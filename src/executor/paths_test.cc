#include "executor/paths.h"

#include <gtest/gtest.h>

namespace sluice::executor {
namespace {

struct PathCase {
  Protocol protocol;
  http::Method method;
  const char* path;
  Action action;
  const char* model;
  const char* methods;
};

constexpr auto kS = Protocol::kSeldon;
constexpr auto kT = Protocol::kTensorflow;
constexpr auto kV = Protocol::kV2;
constexpr auto kGet = http::Method::kGet;
constexpr auto kPost = http::Method::kPost;
constexpr auto kOptions = http::Method::kOptions;
constexpr const char* kBoth = "OPTIONS,POST,GET,OPTIONS";

const PathCase kCases[] = {
    {kS, kPost, "/api/v1.0/predictions", Action::kPredict, "", "OPTIONS,POST"},
    {kS, kPost, "/api/v0.1/predictions", Action::kPredict, "", "OPTIONS,POST"},
    {kS, kPost, "/api/v1.0/predictions/", Action::kNotFound, "", ""},
    {kS, kPost, "/api/v2.0/predictions", Action::kNotFound, "", ""},
    {kS, kGet, "/api/v1.0/predictions", Action::kMethodNotAllowed, "", ""},
    {kS, http::Method::kHead, "/api/v1.0/status", Action::kMethodNotAllowed, "", ""},
    {kS, kOptions, "/api/v1.0/predictions", Action::kPreflight, "", "OPTIONS,POST"},
    {kS, kPost, "/api/v0.1/feedback", Action::kFeedback, "", "OPTIONS,POST"},
    {kS, kGet, "/api/v1.0/status/m", Action::kStatus, "m", "GET,OPTIONS"},
    {kS, kGet, "/api/v1.0/status/", Action::kNotFound, "", ""},
    {kS, kGet, "/api/v1.0/status/m/n", Action::kNotFound, "", ""},
    {kS, kGet, "/api/v1.0/status", Action::kReady, "", "GET,OPTIONS"},
    {kS, kGet, "/api/v1.0/health/status", Action::kReady, "", "GET,OPTIONS"},
    {kS, kGet, "/api/v0.1/health/status", Action::kNotFound, "", ""},
    {kS, kGet, "/api/v1.0/metadata", Action::kGraphMetadata, "", "GET,OPTIONS"},
    {kS, kGet, "/api/v0.1/metadata", Action::kNotFound, "", ""},
    {kS, kGet, "/api/v0.1/metadata/m", Action::kMetadata, "m", "GET,OPTIONS"},
    {kS, kPost, "/ready", Action::kReady, "", ""},
    {kS, kGet, "/live", Action::kLive, "", ""},
    {kS, kGet, "/prometheus", Action::kPrometheus, "", ""},
    {kS, kGet, "/metrics", Action::kNotFound, "", ""},
    {kS, kPost, "/v2/models/infer", Action::kNotFound, "", ""},
    {kT, kPost, "/v1/models/m:predict", Action::kPredict, "m", kBoth},
    {kT, kGet, "/v1/models/m:predict", Action::kStatus, "m:predict", kBoth},
    {kT, kPost, "/v1/models/m/:predict", Action::kPredict, "m", "OPTIONS,POST"},
    {kT, kPost, "/v1/models:predict", Action::kPredict, "", "OPTIONS,POST"},
    {kT, kPost, "/v1/models/:predict", Action::kPredict, "", kBoth},
    {kT, kGet, "/v1/models/m", Action::kStatus, "m", "GET,OPTIONS"},
    {kT, kGet, "/v1/models/m/metadata", Action::kMetadata, "m", "GET,OPTIONS"},
    {kT, kPost, "/api/v1.0/feedback", Action::kFeedback, "", "OPTIONS,POST"},
    {kT, kPost, "/api/v1.0/predictions", Action::kNotFound, "", ""},
    {kV, kPost, "/v2/models/m/infer", Action::kPredict, "m", "OPTIONS,POST"},
    {kV, kPost, "/v2/models/infer", Action::kPredict, "", kBoth},
    {kV, kGet, "/v2/models/infer", Action::kMetadata, "infer", kBoth},
    {kV, kGet, "/v2/models/m/ready", Action::kStatus, "m", "GET,OPTIONS"},
    {kV, kGet, "/v2/models/m", Action::kMetadata, "m", "GET,OPTIONS"},
    {kV, kGet, "/v2/health/ready", Action::kReady, "", "GET,OPTIONS"},
    {kV, kGet, "/v2/health/live", Action::kNotFound, "", ""},
    {kT, kGet, "/v1/models/", Action::kNotFound, "", ""},
    {kV, kGet, "/v2/models/", Action::kNotFound, "", ""},
    {kV, kPost, "/v2/models//infer", Action::kNotFound, "", ""},
    {kV, kPost, "/v2/models/m/versions/1/infer", Action::kNotFound, "", ""},
};

TEST(Paths, mean_what_the_reference_says) {
  for (const PathCase& each : kCases) {
    SCOPED_TRACE(each.path);
    const Match match = find_path(each.protocol, "/prometheus", each.path, each.method);
    EXPECT_EQ(match.action, each.action);
    EXPECT_EQ(match.model, each.model);
    EXPECT_EQ(match.methods, each.methods);
    const bool counted = match.action >= Action::kPredict ||
                         (match.action == Action::kReady && !match.methods.empty());
    EXPECT_EQ(match.service.empty(), !counted);
  }
}

TEST(Paths, are_cleaned_as_the_reference_does) {
  const struct {
    const char* path;
    const char* clean;  // nullptr: stays
  } cases[] = {{"/", nullptr},    {"/a", nullptr},     {"/a/", nullptr},    {"//", "/"},
               {"/a//b", "/a/b"}, {"/./a", "/a"},      {"/a/../b", "/b"},   {"/../..", "/"},
               {"/a/..", "/"},    {"/a/b/../", "/a/"}, {"/a/.", "/a"},      {"/a/./", "/a/"},
               {"/..a", nullptr}, {"/a/...", nullptr}, {"//../a//", "/a/"}, {"", "/"}};
  for (const auto& each : cases) {
    std::string clean = "untouched";
    EXPECT_EQ(clean_path(each.path, clean), each.clean != nullptr) << each.path;
    EXPECT_EQ(clean, each.clean == nullptr ? "untouched" : each.clean) << each.path;
    if (each.clean != nullptr) {
      EXPECT_FALSE(clean_path(clean, clean)) << each.path;
    }
  }
}

}  // namespace
}  // namespace sluice::executor
