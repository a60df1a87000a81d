#include "store/memory_store.h"

#include <gtest/gtest.h>

namespace sluice::store {
namespace {

resource::Object object(std::string name, int replicas) {
  resource::Object made;
  made.api_version = "apps/v1";
  made.kind = "Deployment";
  made.namespace_ = "default";
  made.name = name;
  made.root = resource::Map{{"spec", resource::Map{{"replicas", replicas}}}};
  return made;
}

TEST(MemoryStore, GenerationCountsContentAlone) {
  MemoryStore store;
  const auto key = object("a", 1).key();
  ASSERT_TRUE(store.apply(object("a", 1)));
  EXPECT_EQ(store.find(key)->metadata().at("generation").integer(), 1);
  resource::Object annotated = object("a", 1);
  annotated.root.as_map()->set("metadata",
                               resource::Map{{"annotations", resource::Map{{"x", "y"}}}});
  ASSERT_TRUE(store.apply(annotated));
  EXPECT_EQ(store.find(key)->metadata().at("generation").integer(), 1);
  ASSERT_TRUE(store.set_status(key, resource::Map{{"readyReplicas", 1}}));
  EXPECT_EQ(store.find(key)->metadata().at("generation").integer(), 1);
  ASSERT_TRUE(store.apply(object("a", 2)));
  EXPECT_EQ(store.find(key)->metadata().at("generation").integer(), 2);
  EXPECT_EQ(store.find(key)->status().at("readyReplicas").integer(), 1) << "apply keeps the status";
}

TEST(MemoryStore, ApplyingTheSameTwiceTellsNobody) {
  MemoryStore store;
  int changes = 0;
  store.watch([&](const Change&) { ++changes; });
  ASSERT_TRUE(store.apply(object("a", 1)));
  ASSERT_TRUE(store.apply(object("a", 1)));
  EXPECT_EQ(changes, 1);
}

TEST(MemoryStore, ChangesOfAHandlerComeAfterTheOneThatCausedThem) {
  MemoryStore store;
  std::vector<std::string> seen;
  store.watch([&](const Change& change) {
    seen.push_back("first " + change.key.name);
    if (change.key.name == "a") {
      ASSERT_TRUE(store.apply(object("b", 1)));
    }
  });
  store.watch([&](const Change& change) { seen.push_back("second " + change.key.name); });
  ASSERT_TRUE(store.apply(object("a", 1)));
  EXPECT_EQ(seen, (std::vector<std::string>{"first a", "second a", "first b", "second b"}));
}

TEST(MemoryStore, ListIsOfOneKindInOrder) {
  MemoryStore store;
  ASSERT_TRUE(store.apply(object("b", 1)));
  ASSERT_TRUE(store.apply(object("a", 1)));
  const auto listed = store.list("apps", "Deployment");
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[0]->name, "a");
  EXPECT_TRUE(store.list("apps", "Deploy").empty());
}

}  // namespace
}  // namespace sluice::store
