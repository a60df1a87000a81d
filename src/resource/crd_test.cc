// The CRD is what API servers take as structural, and the chart has it as the code makes it. That a
// real API server accepts and refuses with it what was recorded: tests/chart/crd_on_cluster.py.
#include "resource/crd.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "resource/print.h"

namespace sluice::resource {
namespace {

const Value& schema_of(const Value& version) { return version.at("schema").at("openAPIV3Schema"); }

const Value& graph_of(const Value& version) {
  return schema_of(version)
      .at("properties")
      .at("spec")
      .at("properties")
      .at("predictors")
      .at("items")
      .at("properties")
      .at("graph");
}

// "" when `schema` and all below it have a type, or say that they are open.
std::string not_structural(const Value& schema, const std::string& path) {
  const bool open = schema.at("x-kubernetes-preserve-unknown-fields").flag() ||
                    schema.at("x-kubernetes-int-or-string").flag();
  if (!open && !schema.at("type").is_string()) return path;
  for (const Member& member : schema.at("properties").map()) {
    const std::string found = not_structural(member.value, path + "." + member.key);
    if (!found.empty()) return found;
  }
  for (const char* inner : {"items", "additionalProperties"}) {
    if (!schema.at(inner).is_map()) continue;
    const std::string found = not_structural(schema.at(inner), path + "[]");
    if (!found.empty()) return found;
  }
  return "";
}

TEST(Crd, is_in_the_chart_as_the_code_makes_it) {
  std::ifstream file(std::string(SLUICE_SOURCE_DIR) +
                     "/charts/sluice/crds-source/seldondeployments.yaml");
  std::stringstream text;
  text << file.rdbuf();
  const std::string committed = text.str();
  const auto comment_end = committed.find('\n') + 1;
  EXPECT_TRUE(committed.substr(comment_end) == to_yaml(seldon_deployment_crd()))
      << "run make crd, and look at what changed";
}

TEST(Crd, every_version_is_structural) {
  const Value crd = seldon_deployment_crd();
  ASSERT_EQ(crd.at("spec").at("versions").list().size(), 3U);
  std::string stored;
  for (const Value& version : crd.at("spec").at("versions").list()) {
    EXPECT_EQ(not_structural(schema_of(version), ""), "");
    EXPECT_TRUE(version.at("served").flag());
    if (version.at("storage").flag()) stored += version.at("name").text();
  }
  EXPECT_EQ(stored, "v1");
}

TEST(Crd, keeps_graphs_that_are_deeper_than_it_says) {
  const Value crd = seldon_deployment_crd();
  const Value* unit = &graph_of(crd.at("spec").at("versions").at(0));
  int depth = 0;
  while (unit->at("properties").is_map()) {
    EXPECT_EQ(unit->at("required").at(0).text(), "name") << depth;
    unit = &unit->at("properties").at("children").at("items");
    ++depth;
  }
  EXPECT_EQ(depth, kGraphDepth + 1);
  EXPECT_TRUE(unit->at("x-kubernetes-preserve-unknown-fields").flag());
}

// A default in the schema would be stored, and then look like something that the user wrote.
TEST(Crd, fills_in_nothing) {
  EXPECT_EQ(to_json(seldon_deployment_crd()).find("\"default\":"), std::string::npos);
}

}  // namespace
}  // namespace sluice::resource
