// Goal: what Istio's webhook refuses is refused, and nothing else. Method: its recorded verdicts,
// tests/golden/admission/verdicts.tsv: file, kind, namespace, name, accepted or refused.
#include "compile/admission.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "base/text.h"
#include "resource/read.h"

namespace sluice::compile {
namespace {

const std::string kFolder = std::string(SLUICE_SOURCE_DIR) + "/tests/golden/";

std::string read_file(const std::string& path) {
  const std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string text_of(const resource::Diagnostics& diagnostics) {
  std::string text;
  for (const auto& each : diagnostics) text += resource::to_string(each) + "\n";
  return text;
}

TEST(Admission, verdicts_are_those_of_istio) {
  std::map<std::string, resource::ReadResult> files;
  std::size_t refused = 0;
  const std::string verdicts = read_file(kFolder + "admission/verdicts.tsv");
  for (const std::string_view line : split(verdicts, '\n')) {
    if (line.empty()) continue;
    const auto cells = split(line, '\t');
    const std::string name(cells[0]);
    if (!files.contains(name)) {
      files[name] = resource::read(read_file(kFolder + "admission/" + name),
                                   std::make_shared<const std::string>(name));
    }
    const resource::Object* found = nullptr;
    for (const resource::Object& object : files[name].objects) {
      if (object.kind == cells[1] && object.namespace_ == cells[2] && object.name == cells[3]) {
        found = &object;
      }
    }
    // What cannot be read as an object is refused by the reader.
    if (found == nullptr) {
      EXPECT_EQ(cells[4], "refused") << line;
      continue;
    }
    const resource::Diagnostics said = check_object(*found);
    EXPECT_EQ(resource::has_errors(said) ? "refused" : "accepted", cells[4]) << line << "\n"
                                                                             << text_of(said);
    for (const auto& each : said) {
      EXPECT_NE(each.place.line, 0U) << resource::to_string(each);
      EXPECT_FALSE(each.field.empty()) << resource::to_string(each);
    }
    refused += resource::has_errors(said) ? 1 : 0;
  }
  EXPECT_GT(refused, 40U);
}

// The recorded routes come from configurations that Istio took.
TEST(Admission, accepted_configurations_stay_accepted) {
  const std::string calls = read_file(kFolder + "routes/calls.tsv");
  std::map<std::string, bool> seen;
  for (const std::string_view line : split(calls, '\n')) {
    const std::string name(line.substr(0, line.find('\t')));
    if (name.empty() || !seen.try_emplace(name).second) continue;
    if (std::ifstream(kFolder + "admission/" + name).good()) continue;  // has refused objects
    for (const resource::Object& object :
         resource::read(read_file(kFolder + "routes/" + name), nullptr).objects) {
      const auto said = check_object(object);
      EXPECT_FALSE(resource::has_errors(said)) << name << "\n" << text_of(said);
    }
  }
  EXPECT_GT(seen.size(), 50U);
}

TEST(Admission, a_line_end_in_a_header_is_warned_of_at_its_line) {
  const auto read = resource::read(
      "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec:\n"
      "  hosts: [a.test]\n  gateways: [gw]\n  http:\n  - route:\n    - destination: {host: "
      "b.test}\n"
      "    headers:\n      request:\n        set:\n          x-team: |\n            blue\n",
      std::make_shared<const std::string>("a.yaml"));
  ASSERT_EQ(read.objects.size(), 1U);
  const auto found = check_object(read.objects[0]);
  ASSERT_EQ(found.size(), 1U) << text_of(found);
  EXPECT_EQ(found[0].code, "control-character");
  EXPECT_EQ(found[0].place.line, 13U);
  EXPECT_FALSE(resource::has_errors(found));
}

TEST(Admission, rules_that_nothing_can_reach_are_warned_of) {
  const auto read = resource::read(R"(
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a}
spec:
  hosts: [a.test]
  gateways: [gw]
  http:
  - match: [{uri: {prefix: /a}}]
    directResponse: {status: 200}
  - match: [{uri: {prefix: /a/b}}, {uri: {exact: /c}}]
    directResponse: {status: 200}
  - directResponse: {status: 200}
  - match: [{uri: {regex: /x}}]
    directResponse: {status: 200}
)",
                                   nullptr);
  ASSERT_EQ(read.objects.size(), 1U);
  const auto said = check_object(read.objects[0]);
  ASSERT_EQ(said.size(), 2U) << text_of(said);
  EXPECT_EQ(said[0].field, "spec.http[1].match[0]");
  EXPECT_EQ(said[0].code, "unreachable-rule");
  EXPECT_EQ(said[1].field, "spec.http[3].match[0]");
  EXPECT_FALSE(resource::has_errors(said));
}

}  // namespace
}  // namespace sluice::compile
