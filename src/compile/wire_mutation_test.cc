// Goal: no document, however wrong, crashes the wiring, and what is refused makes no objects.
// Method: one value of a recorded input is replaced by something odd, in both profiles and for one
// machine; a fixed seed.
#include <dirent.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/random.h"
#include "compile/wire.h"
#include "resource/read.h"
#include "resource/seldon_deployment.h"

namespace sluice::compile {
namespace {

using resource::List;
using resource::Map;
using resource::Member;
using resource::Object;
using resource::Value;

constexpr int kMutationsOfEach = 8;

std::vector<Object> inputs() {
  std::vector<Object> objects;
  const std::string folder = SLUICE_SOURCE_DIR "/tests/golden/operator";
  DIR* directory = opendir(folder.c_str());
  if (directory == nullptr) return objects;
  while (const dirent* entry = readdir(directory)) {
    std::ifstream in(folder + "/" + entry->d_name + "/in.yaml");
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    for (Object& object : resource::read(text, nullptr).objects) {
      if (resource::is_seldon_deployment(object)) objects.push_back(std::move(object));
    }
  }
  closedir(directory);
  return objects;
}

void collect(Value& value, std::vector<Value*>& all) {
  all.push_back(&value);
  if (Map* map = value.as_map()) {
    for (Member& member : *map) collect(member.value, all);
  } else if (List* list = value.as_list()) {
    for (Value& item : *list) collect(item, all);
  }
}

Value odd_value(Random& random, const std::vector<Value*>& others) {
  switch (random.below(10)) {
    case 0:
      return nullptr;
    case 1:
      return "";
    case 2:
      return std::string(100, 'x');
    case 3:
      return std::int64_t{-1} << 40U;
    case 4:
      return 1.5;
    case 5:
      return true;
    case 6:
      return List{nullptr, List{}, Map{}, "a"};
    case 7:
      return Map{{"name", Map{}}, {"containers", List{Map{{"name", "m"}}}}};
    case 8:
      return "pvc://";
    default:
      return *others[random.below(static_cast<std::uint32_t>(others.size()))];
  }
}

TEST(WireMutations, never_crash_and_refusals_make_nothing) {
  Random random(20240607);
  std::size_t accepted = 0;
  std::size_t refused = 0;
  const std::vector<Object> objects = inputs();
  ASSERT_GT(objects.size(), 130U);
  for (const Object& object : objects) {
    for (int i = 0; i < kMutationsOfEach; ++i) {
      Object mutant = object;
      std::vector<Value*> all;
      Value* spec = mutant.root.as_map()->find("spec");
      ASSERT_NE(spec, nullptr);
      collect(*spec, all);
      const Value odd = odd_value(random, all);
      *all[random.below(static_cast<std::uint32_t>(all.size()))] = odd;
      for (const int way : {0, 1, 2}) {
        Settings settings = default_settings(way == 0 ? Profile::kCompat : Profile::kDefault);
        settings.local = way == 2;
        const Wiring wiring = wire(mutant, settings);
        const bool failed = resource::has_errors(wiring.diagnostics);
        (failed ? refused : accepted) += 1;
        ASSERT_EQ(wiring.objects.empty(), failed) << object.name;
      }
    }
  }
  EXPECT_GT(accepted, 200U);  // both sides are reached
  EXPECT_GT(refused, 500U);
}

}  // namespace
}  // namespace sluice::compile
