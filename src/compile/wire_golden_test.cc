// Goal: under `compat`, wiring is what the reference operator (Seldon Core 1.18.2) made of the same
// input. Method: tests/golden/operator holds inputs and recordings; its compare.py compares them
// with `sluice render`, and this test does the same in-process, by the same rule: every field that
// we set must be there with the same value; a field that only the reference has must be one that
// the API server fills in. VirtualServices and DestinationRules must be equal.
#include <dirent.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compile/json.h"
#include "compile/wire.h"
#include "resource/parse.h"
#include "resource/print.h"
#include "resource/read.h"

namespace sluice::compile {
namespace {

using resource::List;
using resource::Map;
using resource::Member;
using resource::Object;
using resource::Value;

const std::string kFolder = SLUICE_SOURCE_DIR "/tests/golden/operator";

// In these the cluster decided, not the wiring (a CRD's schema, the Deployment's own validation,
// another controller's object); compare.py leaves out the same.
const std::set<std::string> kDecidedByCluster{"retries-timeout-zero", "triton-server-seldon",
                                              "controller-id-label"};

// Cases that do not agree yet, with the reason. A case listed here that agrees fails the test: take
// it off.
const std::map<std::string, std::string> kNotYet{};

// Path suffix (list indexes left out) -> the value the API server fills in; null: any value. As in
// compare.py.
const std::vector<std::pair<std::string_view, Value>>& server_defaults() {
  static const std::vector<std::pair<std::string_view, Value>> defaults{
      {"spec.progressDeadlineSeconds", 600},
      {"spec.replicas", 1},
      {"spec.revisionHistoryLimit", 10},
      {"strategy.type", "RollingUpdate"},
      {"spec.strategy", nullptr},
      {"rollingUpdate.maxSurge", nullptr},
      {"rollingUpdate.maxUnavailable", nullptr},
      {"spec.restartPolicy", "Always"},
      {"spec.dnsPolicy", "ClusterFirst"},
      {"spec.schedulerName", "default-scheduler"},
      {"spec.securityContext", Map{}},
      {"spec.terminationGracePeriodSeconds", 30},
      {"imagePullPolicy", nullptr},
      {"terminationMessagePath", "/dev/termination-log"},
      {"terminationMessagePolicy", "File"},
      {"resources", Map{}},
      {"protocol", "TCP"},
      {"defaultMode", 420},
      {"fieldRef.apiVersion", "v1"},
      {"serviceAccount", nullptr},
      {"successThreshold", 1},
      {"failureThreshold", 3},
      {"periodSeconds", 10},
      {"timeoutSeconds", 1},
      {"httpGet.scheme", "HTTP"},
      {"template.metadata.creationTimestamp", nullptr},
      {"spec.sessionAffinity", "None"},
      {"spec.type", "ClusterIP"},
      {"targetPort", nullptr},
      {"secret.optional", nullptr},
      {"metadata.annotations.seldon.io/last-applied", "(present)"},
      {"metadata.ownerReferences", nullptr},
      {"metadata.namespace", nullptr}};
  return defaults;
}

bool is_filled_in(const std::string& path, const Value& value) {
  for (const auto& [suffix, filled] : server_defaults()) {
    if (path == suffix || path.ends_with("." + std::string(suffix)))
      return filled.is_null() || filled == value;
  }
  return false;
}

bool is_blank(const Value& value) {
  return value.is_null() || (value.is_string() && value.text().empty()) ||
         (value.is_map() && value.map().empty()) || (value.is_list() && value.list().empty());
}

void compare(const Value& ours, const Value& theirs, const std::string& path, bool exact,
             std::vector<std::string>& out);

void compare_maps(const Map& ours, const Map& theirs, const std::string& path, bool exact,
                  std::vector<std::string>& out) {
  const auto at = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
  for (const Member& member : ours) {
    const Value* other = theirs.find(member.key);
    if (other != nullptr) {
      compare(member.value, *other, at(member.key), exact, out);
    } else if (!is_blank(member.value)) {
      out.push_back(at(member.key) +
                    ": only ours: " + resource::to_json(member.value).substr(0, 120));
    }
  }
  for (const Member& member : theirs) {
    if (ours.find(member.key) != nullptr || is_blank(member.value)) continue;
    const bool allowed = is_filled_in(at(member.key), member.value) &&
                         !(exact && at(member.key).starts_with("spec"));
    if (!allowed)
      out.push_back(at(member.key) +
                    ": missing: " + resource::to_json(member.value).substr(0, 120));
  }
}

void compare(const Value& ours, const Value& theirs, const std::string& path, bool exact,
             std::vector<std::string>& out) {
  if (ours.is_map() && theirs.is_map())
    return compare_maps(ours.map(), theirs.map(), path, exact, out);
  if (ours.is_list() && theirs.is_list()) {
    const List& left = ours.list();
    const List& right = theirs.list();
    if (left.size() != right.size()) {
      out.push_back(fmt::format("{}: {} entries, reference {}", path, left.size(), right.size()));
    }
    for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i)
      compare(left[i], right[i], path, exact, out);
    return;
  }
  const bool equal =
      ours.is_number() && theirs.is_number() ? ours.number() == theirs.number() : ours == theirs;
  if (!equal) {
    out.push_back(path + ": ours " + resource::to_json(ours).substr(0, 100) + ", reference " +
                  resource::to_json(theirs).substr(0, 100));
  }
}

std::string decode_base64(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    static const std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) break;
    bits = bits << 6U | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xffU);
  }
  return out;
}

Value parsed_json(std::string_view text) {
  resource::Budget budget;
  resource::Parsed parsed = resource::parse_json(text, 1, budget);
  return parsed.failure || parsed.documents.empty() ? Value()
                                                    : std::move(parsed.documents.front().root);
}

// ENGINE_PREDICTOR is base64 of JSON; the recordings show it decoded.
Value with_decoded_predictor(const Value& value) {
  if (const Map* map = value.as_map()) {
    if (value.at("name").text() == "ENGINE_PREDICTOR" && value.at("value").is_string()) {
      return Map{{"name", "ENGINE_PREDICTOR"},
                 {"valueDecoded", parsed_json(decode_base64(value.at("value").text()))}};
    }
    Map copy;
    for (const Member& member : *map) copy.set(member.key, with_decoded_predictor(member.value));
    return copy;
  }
  if (const List* list = value.as_list()) {
    List copy;
    for (const Value& item : *list) copy.push_back(with_decoded_predictor(item));
    return copy;
  }
  return value;
}

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<Value> documents(const std::string& path) {
  resource::Budget budget;
  resource::Parsed parsed = resource::parse_yaml(contents(path), 1, budget);
  EXPECT_FALSE(parsed.failure) << path << ": " << parsed.failure->what;
  std::vector<Value> roots;
  for (resource::Document& document : parsed.documents) {
    EXPECT_FALSE(document.refused) << path;
    if (!document.root.is_null()) roots.push_back(std::move(document.root));
  }
  return roots;
}

using Key = std::string;  // "Deployment/models/iris"
Key key_of(const Value& object) {
  return fmt::format("{}/{}/{}", object.at("kind").text(),
                     object.at("metadata").at("namespace").text("default"),
                     object.at("metadata").at("name").text());
}

std::map<Key, Value> objects_of(const Value& step) {
  std::map<Key, Value> found;
  for (const Member& kind : step.at("objects").map()) {
    for (const Value& object : kind.value.list()) found.emplace(key_of(object), object);
  }
  return found;
}

bool is_routing(const Key& key) {
  return key.starts_with("VirtualService/") || key.starts_with("DestinationRule/");
}

class Case {
 public:
  explicit Case(const std::string& name) : folder_(kFolder + "/" + name) {}

  std::vector<std::string> differences() {
    std::vector<Value> inputs = documents(folder_ + "/in.yaml");
    if (!inputs.empty() && inputs.front().at("kind").text() == "OperatorEnv") {
      const Value env = inputs.front().at("env");
      for (const Member& member : env.map()) {
        environment_[member.key] = member.value.is_string() ? std::string(member.value.text())
                                                            : resource::to_json(member.value);
      }
      inputs.erase(inputs.begin());
    }
    const std::vector<Value> recorded = documents(folder_ + "/out.yaml");
    if (recorded.size() != 1) return {"out.yaml is not one document"};
    const List& steps = recorded.front().at("steps").list();
    if (steps.size() != inputs.size()) return {"the steps do not fit the inputs"};
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (inputs[i].at("kind").text() != "Delete") check_step(inputs[i], steps[i]);
    }
    return std::move(out_);
  }

 private:
  void check_step(const Value& input, const Value& step) {
    const auto settings = settings_from(
        [&](std::string_view name) {
          const auto found = environment_.find(std::string(name));
          return found == environment_.end() ? std::nullopt
                                             : std::optional<std::string>(found->second);
        },
        Profile::kCompat);
    ASSERT_TRUE(settings) << to_string(settings.error());
    const auto object = resource::make_object(input);
    ASSERT_TRUE(object) << to_string(object.error());
    const Wiring wiring = wire(*object, *settings);

    const std::map<Key, Value> expected = objects_of(step);
    bool accepted = step.at("response").at("accepted").flag();
    const std::string_view state = step.at("status").at("state").text();
    // The reference took it, then failed on it and made nothing.
    if (accepted && state == "Failed" && (expected.empty() || expected == before_))
      accepted = false;
    if (accepted == resource::has_errors(wiring.diagnostics)) {
      out_.push_back(fmt::format("step {}: the reference {} it; ours: {}",
                                 step.at("step").integer(), accepted ? "accepts" : "refuses",
                                 wiring.diagnostics.empty()
                                     ? "accepts it"
                                     : resource::to_string(wiring.diagnostics.front())));
    } else if (accepted) {
      compare_objects(wiring, expected, state == "Available");
    } else {
      EXPECT_TRUE(wiring.objects.empty());
    }
    before_ = expected;
  }

  void compare_objects(const Wiring& wiring, const std::map<Key, Value>& expected,
                       bool routes_written) {
    std::map<Key, Value> ours;
    for (const Object& made : wiring.objects)
      ours.emplace(key_of(made.root), with_decoded_predictor(made.root));
    EXPECT_EQ(ours.size(), wiring.objects.size()) << folder_;
    for (const auto& [key, value] : ours) {
      if (is_routing(key) && !routes_written) continue;
      const auto found = expected.find(key);
      if (found == expected.end()) {
        out_.push_back(key + ": only ours");
        continue;
      }
      std::vector<std::string> lines;
      compare(value, found->second, "", is_routing(key), lines);
      for (const std::string& line : lines) out_.push_back(key + ": " + line);
    }
    for (const auto& [key, value] : expected) {
      const bool asked =
          !(is_routing(key) && !routes_written) && before_.find(key) == before_.end();
      if (asked && ours.find(key) == ours.end()) out_.push_back(key + ": missing");
    }
  }

  std::string folder_;
  std::map<std::string, std::string> environment_;
  std::map<Key, Value> before_;
  std::vector<std::string> out_;
};

std::vector<std::string> cases() {
  std::vector<std::string> names;
  DIR* folder = opendir(kFolder.c_str());
  if (folder == nullptr) return names;
  while (const dirent* entry = readdir(folder)) {
    const std::string name = entry->d_name;
    if (name.find('.') == std::string::npos && kDecidedByCluster.count(name) == 0)
      names.push_back(name);
  }
  closedir(folder);
  std::sort(names.begin(), names.end());
  return names;
}

class GoldenWiring : public testing::TestWithParam<std::string> {};

TEST_P(GoldenWiring, CompatEqualsReference) {
  const std::vector<std::string> found = Case(GetParam()).differences();
  const auto listed = kNotYet.find(GetParam());
  if (listed == kNotYet.end()) {
    for (const std::string& line : found) ADD_FAILURE() << line;
  } else {
    EXPECT_FALSE(found.empty()) << "agrees now: take it off kNotYet (" << listed->second << ")";
  }
}

INSTANTIATE_TEST_SUITE_P(Operator, GoldenWiring, testing::ValuesIn(cases()),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(GoldenWiringCases, AreAllThere) { EXPECT_EQ(cases().size() + kDecidedByCluster.size(), 138U); }

}  // namespace
}  // namespace sluice::compile
