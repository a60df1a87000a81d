// Gives each file (or each file of each folder) named on the command line to the fuzz target once.
// Exit status 1 when there is none: a corpus that went missing is not a pass.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::vector<std::filesystem::path> files_of(const std::filesystem::path& place) {
  std::error_code error;
  if (!std::filesystem::is_directory(place, error)) return {place};
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(place, error)) {
    if (entry.is_regular_file(error)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  unsigned count = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& path : files_of(argv[i])) {
      std::ifstream file(path, std::ios::binary);
      if (!file) {
        std::fprintf(stderr, "%s: can't be read\n", path.c_str());
        return 1;
      }
      std::fprintf(stderr, "%s\n", path.filename().c_str());  // the last one printed is the culprit
      const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
      // A copy of exact size, so that sanitizers see a read beyond it.
      const std::vector<std::uint8_t> input(bytes.begin(), bytes.end());
      LLVMFuzzerTestOneInput(input.data(), input.size());
      ++count;
    }
  }
  std::fprintf(stderr, "%u inputs replayed\n", count);
  return count == 0 ? 1 : 0;
}
