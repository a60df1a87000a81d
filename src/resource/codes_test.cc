// Every code that this room's sources can say is explained in docs/reference/errors.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace sluice::resource {
namespace {

namespace fs = std::filesystem;
const fs::path kRoot = SLUICE_SOURCE_DIR;

std::string content(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Codes stand behind a severity, or first in the calls of the helpers that add one.
void collect(const std::string& source, std::set<std::string>& codes) {
  std::string text;
  std::unique_copy(source.begin(), source.end(), std::back_inserter(text), [](char a, char b) {
    return std::isspace(static_cast<unsigned char>(a)) &&
           std::isspace(static_cast<unsigned char>(b));
  });
  std::replace(text.begin(), text.end(), '\n', ' ');
  for (const std::string form : {"Severity::kError, \"", "Severity::kWarning, \"", "fail_with(\"",
                                 "fail_with( \"", "limit(\"", "wrong(\"", "complain(\""}) {
    for (auto at = text.find(form); at != std::string::npos; at = text.find(form, at + 1)) {
      const auto begin = at + form.size();
      const std::string code = text.substr(begin, text.find('"', begin) - begin);
      const bool is_code =
          !code.empty() &&
          code.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
      if (is_code) codes.insert(code);
    }
  }
}

TEST(Codes, are_documented) {
  std::set<std::string> codes;
  for (const fs::directory_entry& entry : fs::directory_iterator(kRoot / "src" / "resource")) {
    const std::string name = entry.path().filename();
    if (name.ends_with(".cc") && !name.ends_with("_test.cc")) collect(content(entry.path()), codes);
  }
  EXPECT_GT(codes.size(), 25U);
  const std::string page = content(kRoot / "docs" / "reference" / "errors.md");
  for (const std::string& code : codes) {
    EXPECT_NE(page.find("`" + code + "`"), std::string::npos) << code << " is not in errors.md";
  }
}

}  // namespace
}  // namespace sluice::resource
