// Reading documents: whatever comes in, the limits hold, and what was read, printed and read again
// is equal.
#include <cstdint>
#include <memory>
#include <string>

#include "expect.h"
#include "resource/check.h"
#include "resource/print.h"
#include "resource/read.h"

using sluice::resource::Object;
using sluice::resource::ReadResult;

namespace {

// Same identity and values as before, and nothing to complain of.
void expect_read_back(const std::string& text, const std::vector<Object>& objects) {
  const ReadResult again = sluice::resource::read(text, nullptr);
  FUZZ_EXPECT(again.complete && again.refused.empty(), "what was printed is read whole");
  FUZZ_EXPECT(again.diagnostics.empty(), "nothing to say of what was printed");
  FUZZ_EXPECT(again.objects == objects, "read, printed and read again is equal");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const ReadResult result = sluice::resource::read(text, std::make_shared<const std::string>("f"));
  // An object that is handed out has no error against it; one that is lost is told of.
  if (!result.complete || !result.refused.empty()) {
    FUZZ_EXPECT(sluice::resource::has_errors(result.diagnostics), "a lost object is told of");
  }
  for (const Object& object : result.objects) {
    (void)sluice::resource::check(object);
    // A List inside of a List's items would be taken apart again; so one object at a time, and all.
    expect_read_back(sluice::resource::to_yaml(object), {object});
    expect_read_back(sluice::resource::to_json(object.root), {object});
  }
  (void)sluice::resource::check_set(result.objects);
  expect_read_back(sluice::resource::to_yaml(result.objects), result.objects);
  return 0;
}
