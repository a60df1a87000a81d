#include "compile/annotations.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <optional>
#include <string>

namespace sluice::compile {
namespace {

TEST(Annotations, durations) {
  EXPECT_EQ(parse_duration_ms("10"), 10000);
  EXPECT_EQ(parse_duration_ms("500ms"), 500);
  EXPECT_EQ(parse_duration_ms("1.5s"), 1500);
  EXPECT_EQ(parse_duration_ms("1h1m1s"), 3661000);
  EXPECT_EQ(parse_duration_ms("0"), 0);
  for (const char* bad : {"-1", "x", "1.5", "s", "1s2", "1 s", "1e3s", "nans", "infs", "1us",
                          "99999999999999", "1.s.", "9999999999h"}) {
    EXPECT_EQ(parse_duration_ms(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(duration_text(1000), "1s");
  EXPECT_EQ(duration_text(500), "0.5s");
  EXPECT_EQ(duration_text(61250), "61.25s");
}

TEST(Annotations, integers_are_gos) {  // strconv.Atoi
  EXPECT_EQ(parse_integer("+3"), 3);
  EXPECT_EQ(parse_integer("-3"), -3);
  for (const char* bad : {"", "+", "+-3", "3 ", " 3", "3.0", "0x3", "99999999999999999999"}) {
    EXPECT_EQ(parse_integer(bad), std::nullopt) << bad;
  }
}

TEST(Annotations, every_one_is_documented) {
  std::ifstream in(SLUICE_SOURCE_DIR "/docs/reference/annotations.md");
  const std::string page{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  for (const std::string_view key : known_annotations()) {
    EXPECT_NE(page.find("`" + std::string(key) + "`"), std::string::npos) << key;
  }
}

// Codes are written in the sources as literals after the field; each must be on the page.
TEST(Annotations, every_code_of_the_rules_is_documented) {
  std::ifstream in(SLUICE_SOURCE_DIR "/docs/reference/errors.md");
  const std::string page{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  std::size_t found = 0;
  for (const char* file :
       {"validate.cc", "annotations.cc", "wire.cc", "wire_engine.cc", "wire_servers.cc",
        "wire_explainer.cc", "wire_scaling.cc", "wire_local.cc"}) {
    std::ifstream source_in(std::string(SLUICE_SOURCE_DIR "/src/compile/") + file);
    const std::string source{std::istreambuf_iterator<char>(source_in),
                             std::istreambuf_iterator<char>()};
    for (std::size_t at = source.find('"'); at != std::string::npos;
         at = source.find('"', at + 1)) {
      const std::size_t end = source.find('"', at + 1);
      if (end == std::string::npos) break;
      const std::string word = source.substr(at + 1, end - at - 1);
      at = end;
      bool is_code = false;
      for (const char* suffix :
           {"-unknown", "-missing", "-duplicate", "-invalid", "-mixed",   "-transport", "-range",
            "-sum",     "-single",  "-alone",     "-several", "-traffic", "-conflict",  "-negative",
            "-bounds",  "-value",   "-misplaced", "-default", "-graph",   "-deep",      "-off",
            "-yet",     "-locally", "-both",      "-root"}) {
        is_code =
            is_code || (word.ends_with(suffix) && word.find_first_of("/. _") == std::string::npos &&
                        !word.starts_with("-") && !word.starts_with("seldon"));
      }
      if (!is_code) continue;
      ++found;
      EXPECT_NE(page.find("`" + word + "`"), std::string::npos) << word << " of " << file;
    }
  }
  EXPECT_GT(found, 35U);
}

}  // namespace
}  // namespace sluice::compile
