// Which Event says that something happened to an object: the same again is counted on the Event
// that is there, many of a kind become one, and nothing is said without end. The rules and numbers
// are client-go's, so that `kubectl describe` shows what people are used to.
// Thread: one. Memory: kEventsMax Events of some hundred bytes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "resource/object.h"
#include "resource/value.h"

namespace sluice::kube {

inline constexpr std::size_t kEventsMax =
    4'096;  // remembered; beyond, the oldest half is forgotten
// An API server keeps Events for an hour; what is older can't be counted up.
inline constexpr std::int64_t kEventLifeSeconds = 3'600;
// More messages than these of one reason within so many seconds are one Event.
inline constexpr std::size_t kEventMessagesMax = 10;
inline constexpr std::int64_t kEventSimilarSeconds = 600;
// About one object: so many at once, then one in so many seconds; the others are dropped.
inline constexpr double kEventBurst = 25;
inline constexpr double kEventRefillSeconds = 300;

class EventLog {
 public:
  explicit EventLog(std::string source) : source_(std::move(source)) {}

  // The whole Event (core/v1): `count` is 1 for a new one; otherwise it stands for the one of its
  // name, with a higher count and a later time. Nothing: too much was said about this object.
  // `about` is the object if it is known; otherwise only its key is told.
  std::optional<resource::Value> record(const resource::ObjectKey& key,
                                        const resource::Object* about, std::string_view type,
                                        std::string_view reason, std::string_view message,
                                        std::int64_t now_seconds);
  std::size_t size() const noexcept { return said_.size(); }

 private:
  struct Said {
    std::string name;
    std::int64_t count = 0;
    std::int64_t first_seconds = 0;
    std::int64_t last_seconds = 0;
  };
  struct Alike {                                   // one object, type and reason
    std::map<std::string, std::int64_t> messages;  // when each was said last
    std::int64_t last_seconds = 0;
  };
  struct Budget {  // one object
    double left = kEventBurst;
    std::int64_t last_seconds = 0;
  };
  bool spend(const std::string& object, std::int64_t now_seconds);
  bool is_one_of_many(const std::string& group, std::string_view message, std::int64_t now_seconds);

  const std::string source_;
  std::map<std::string, Said> said_;
  std::map<std::string, Alike> alike_;
  std::map<std::string, Budget> budgets_;
  std::uint64_t made_ = 0;
};

}  // namespace sluice::kube
