#include "kube/events.h"

#include <gtest/gtest.h>

#include "resource/read.h"

namespace sluice::kube {
namespace {

using resource::Map;
using resource::Object;
using resource::ObjectKey;
using resource::Value;

const ObjectKey kKey{"machinelearning.seldon.io", "SeldonDeployment", "ns", "iris"};
constexpr std::int64_t kNow = 1'800'000'000;

Value record(EventLog& log, std::string_view message, std::int64_t now = kNow,
             std::string_view reason = "InternalError", const ObjectKey& key = kKey) {
  return log.record(key, nullptr, "Warning", reason, message, now).value_or(Value());
}

TEST(EventLogTest, TheSameAgainIsCounted) {
  EventLog log("sluice");
  const Value first = record(log, "it fails");
  const Value second = record(log, "it fails", kNow + 5);
  EXPECT_EQ(first.at("count").integer(), 1);
  EXPECT_EQ(second.at("count").integer(), 2);
  EXPECT_EQ(second.at("metadata").at("name"), first.at("metadata").at("name"));
  EXPECT_EQ(second.at("firstTimestamp"), first.at("firstTimestamp"));
  EXPECT_EQ(first.at("firstTimestamp").text(), "2027-01-15T08:00:00Z");
  EXPECT_EQ(second.at("lastTimestamp").text(), "2027-01-15T08:00:05Z");
}

TEST(EventLogTest, AnotherObjectMessageOrReasonIsAnother) {
  EventLog log("sluice");
  std::set<std::string> names;
  names.insert(std::string(record(log, "a").at("metadata").at("name").text()));
  names.insert(std::string(record(log, "b").at("metadata").at("name").text()));
  names.insert(std::string(record(log, "a", kNow, "Updated").at("metadata").at("name").text()));
  ObjectKey other = kKey;
  other.name = "other";
  names.insert(
      std::string(record(log, "a", kNow, "Updated", other).at("metadata").at("name").text()));
  EXPECT_EQ(names.size(), 4U);
}

// The server has forgotten it by then.
TEST(EventLogTest, AfterAnHourItIsNew) {
  EventLog log("sluice");
  const Value first = record(log, "a");
  const Value later = record(log, "a", kNow + kEventLifeSeconds + 1);
  EXPECT_EQ(later.at("count").integer(), 1);
  EXPECT_NE(later.at("metadata").at("name"), first.at("metadata").at("name"));
}

TEST(EventLogTest, ManyAlikeBecomeOne) {
  EventLog log("sluice");
  for (std::size_t i = 0; i < kEventMessagesMax; ++i)
    EXPECT_EQ(record(log, "failure " + std::to_string(i)).at("count").integer(), 1);
  const Value eleventh = record(log, "failure x");
  EXPECT_EQ(eleventh.at("message").text(), "(combined from similar events): failure x");
  const Value twelfth = record(log, "failure y");
  EXPECT_EQ(twelfth.at("count").integer(), 2);
  EXPECT_EQ(twelfth.at("metadata").at("name"), eleventh.at("metadata").at("name"));
  EXPECT_EQ(twelfth.at("message").text(), "(combined from similar events): failure y");
  // After a quiet time each is itself again.
  EXPECT_EQ(record(log, "failure z", kNow + kEventSimilarSeconds + 1).at("message").text(),
            "failure z");
}

TEST(EventLogTest, NobodyFloods) {
  EventLog log("sluice");
  int written = 0;
  for (int i = 0; i < 100; ++i) written += record(log, "again").is_null() ? 0 : 1;
  EXPECT_EQ(written, static_cast<int>(kEventBurst));
  EXPECT_TRUE(record(log, "again", kNow + 200).is_null());
  EXPECT_FALSE(record(log, "again", kNow + 700).is_null());
  ObjectKey other = kKey;
  other.name = "other";
  EXPECT_FALSE(record(log, "again", kNow, "InternalError", other).is_null());
}

TEST(EventLogTest, ForgetsTheOldest) {
  EventLog log("sluice");
  ObjectKey key = kKey;
  for (std::size_t i = 0; i < 3 * kEventsMax; ++i) {
    key.name = "d" + std::to_string(i);
    record(log, "a", kNow + static_cast<std::int64_t>(i), "Updated", key);
    ASSERT_LE(log.size(), kEventsMax + 1);
  }
  // The last one is still counted up.
  EXPECT_EQ(record(log, "a", kNow + 3 * kEventsMax, "Updated", key).at("count").integer(), 2);
}

TEST(EventLogTest, HasRoomForLongNamesAndMessages) {
  EventLog log("sluice");
  ObjectKey key = kKey;
  key.name = std::string(253, 'n');
  const Value event = record(log, std::string(1'023, 'm') + "\xc3\xa4", kNow, "Updated", key);
  EXPECT_LE(event.at("metadata").at("name").text().size(), 253U);
  EXPECT_EQ(event.at("message").text(), std::string(1'023, 'm'));
}

}  // namespace
}  // namespace sluice::kube
