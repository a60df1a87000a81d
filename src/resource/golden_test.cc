// Against recordings of other readers: tests/golden/yaml.
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "resource/parse.h"
#include "resource/print.h"

namespace sluice::resource {
namespace {

const std::string kFolder = std::string(SLUICE_SOURCE_DIR) + "/tests/golden/yaml/";

std::string content(const std::string& name) {
  std::ifstream file(kFolder + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Value json(std::string_view text) {
  Budget budget;
  Parsed parsed = parse_json(text, 1, budget);
  return parsed.failure || parsed.documents.size() != 1 ? Value("not JSON")
                                                        : parsed.documents[0].root;
}

// Read although kubectl refuses: newer YAML has them, and their meaning is plain.
const std::set<std::string> kOnlyHere = {"a: \"\\/\"", "%YAML 1.2\n---\na: 1", "a: !!int 08"};
// Refused although kubectl reads them: the last of two equal keys would win unseen; a newer libyaml
// reads "?b".
const std::set<std::string> kOnlyThere = {"a: 1\na: 2", "a: [?b]"};

TEST(Golden, documents_mean_what_they_mean_to_kubectl) {
  std::istringstream lines(content("kubectl.txt"));
  std::string line;
  std::size_t count = 0;
  while (std::getline(lines, line)) {
    const auto tab = line.find('\t');
    ASSERT_NE(tab, std::string::npos);
    const std::string document = *json(std::string_view(line).substr(0, tab)).as_string();
    const std::string_view meant = std::string_view(line).substr(tab + 1);
    ++count;
    if (kOnlyHere.contains(document) || kOnlyThere.contains(document)) continue;
    Budget budget;
    const Parsed parsed = parse_yaml(document, 1, budget);
    // The recorder reads the first document only.
    const bool refused =
        parsed.documents.empty() ? parsed.failure.has_value() : parsed.documents[0].refused;
    ASSERT_EQ(refused, meant == "refused")
        << line << (parsed.failure ? to_string(*parsed.failure) : std::string());
    if (refused) continue;
    const Value value = parsed.documents.empty() ? Value() : parsed.documents[0].root;
    ASSERT_TRUE(value == json(meant)) << line << "\n" << to_json(value);
  }
  EXPECT_GT(count, 500U);
}

TEST(Golden, strings_are_printed_as_recorded) {
  const Value strings = json(content("strings.json"));
  ASSERT_GT(strings.map().size(), 100U);
  EXPECT_EQ(to_yaml(strings), content("strings.yaml"));
}

}  // namespace
}  // namespace sluice::resource
