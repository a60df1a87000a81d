#include "net/resolver.h"

#include <gtest/gtest.h>

#include <map>

namespace sluice::net {
namespace {

TEST(Resolver, AnswersOnTheLoopAndSaysNothingTwice) {
  Loop loop;
  std::map<std::string, std::vector<std::vector<std::string>>> answers;
  {
    Resolver resolver(
        loop,
        [&](const std::string& name, const std::vector<std::string>& addresses) {
          answers[name].push_back(addresses);
        },
        Milliseconds(1));
    resolver.set_names({"127.0.0.7", "name.invalid"});
    for (int i = 0; i < 200 && answers.size() < 2; ++i) loop.run_once(20);
    for (int i = 0; i < 5; ++i) loop.run_once(2);  // several refreshes pass
  }
  ASSERT_EQ(answers["127.0.0.7"].size(), 1U);
  EXPECT_EQ(answers["127.0.0.7"][0], std::vector<std::string>{"127.0.0.7"});
  ASSERT_EQ(answers["name.invalid"].size(), 1U);
  EXPECT_TRUE(answers["name.invalid"][0].empty());
}

}  // namespace
}  // namespace sluice::net
