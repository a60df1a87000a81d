// What is packed reads back the same.
#include "kube/packed.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/random.h"

namespace sluice::kube {
namespace {

using resource::List;
using resource::Map;
using resource::Value;

Value any_value(Random& random, int depth) {
  switch (random.below(depth > 0 ? 9 : 7)) {
    case 0:
      return {};
    case 1:
      return random.below(2) == 0;
    case 2:
      return static_cast<std::int64_t>(random.next());
    case 3:
      return static_cast<std::int64_t>(random.below(100)) - 50;
    case 4:
      return static_cast<double>(random.below(1'000)) / 7;
    case 5:
      return std::string(random.below(100), 'x');
    case 6:
      return std::string("\0\xff", 2) + std::to_string(random.below(3));
    case 7: {
      List list;
      for (std::uint32_t i = random.below(40); i > 0; --i)
        list.push_back(any_value(random, depth - 1));
      return list;
    }
    default: {
      Map map;
      for (std::uint32_t i = random.below(40); i > 0; --i)
        map.set("key" + std::string(random.below(80), '-') + std::to_string(i),
                any_value(random, depth - 1));
      return map;
    }
  }
}

TEST(PackedTest, ReadsBackTheSame) {
  Random random(1);
  Words words(50);  // too few for all: the others stay as they are
  for (int i = 0; i < 300; ++i) {
    const Value value = any_value(random, 3);
    const std::string packed = words.pack(value);
    ASSERT_EQ(words.unpack(packed), value) << i;
    ASSERT_EQ(words.unpack(words.pack(value)), value) << i;
  }
  EXPECT_EQ(words.size(), 50U);
  for (const std::int64_t number : {std::numeric_limits<std::int64_t>::min(), std::int64_t{-1},
                                    std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_EQ(words.unpack(words.pack(number)), Value(number));
  }
}

TEST(PackedTest, AKeyIsKeptOnce) {
  Words words;
  const Value document = Map{{"terminationGracePeriodSeconds", 1}};
  const std::size_t first = words.pack(document).size();
  EXPECT_GT(first, 29U);
  EXPECT_LT(words.pack(document).size(), 5U);
}

}  // namespace
}  // namespace sluice::kube
