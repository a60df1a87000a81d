// What the executor does to bytes of callers and units: bodies, paths, the gRPC port.
//
// Input: a body, an answer, a path and a conversation at once; each law takes what it needs.
#include <algorithm>
#include <cstdint>
#include <string>

#include "executor/grpc_refusal.h"
#include "executor/message.h"
#include "executor/paths.h"
#include "expect.h"

namespace {

using namespace sluice;
using namespace sluice::executor;

void check_bodies(const std::string& text) {
  std::string escaped = text;
  escape_html(escaped);
  FUZZ_EXPECT(escaped.find_first_of("<>&") == std::string::npos, "nothing is left to escape");
  std::string twice = escaped;
  escape_html(twice);
  FUZZ_EXPECT(twice == escaped, "escaping twice is escaping once");
  const bool was_json = find_json_keys(text, {}).has_value();
  // What is escaped stands in strings alone when the text is JSON.
  FUZZ_EXPECT(!was_json || find_json_keys(escaped, {}), "escaped JSON is JSON");
  FUZZ_EXPECT(find_json_keys(failure_document(text), {}), "a failure is JSON whatever it says");
  for (const Protocol protocol : {Protocol::kTensorflow, Protocol::kV2}) {
    std::string body = text;
    bool is_gzip = false;
    const bool chained = chain(protocol, body, is_gzip).has_value();
    FUZZ_EXPECT(chained || body == text, "what is refused is left alone");
    FUZZ_EXPECT(!chained || was_json, "only JSON is passed on");
    std::string again = body;
    FUZZ_EXPECT(!chained || (chain(protocol, again, is_gzip) && again == body),
                "what was made a request stays as it is");
  }
  const std::vector<std::string_view> wanted = {"inputs", "outputs"};
  if (const auto keys = find_json_keys(text, wanted)) {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const JsonKey& key = (*keys)[i];
      FUZZ_EXPECT(
          key.size == 0 || text.substr(key.begin, key.size) == '"' + std::string(wanted[i]) + '"',
          "a key is where it is said to be");
    }
  }
  (void)gunzip(text);
}

void check_path(const std::string& path) {
  std::string clean;
  const bool changes = clean_path(path, clean);
  if (!changes) clean = path;
  FUZZ_EXPECT(!changes || clean != path, "a change changes");
  std::string again;
  FUZZ_EXPECT(!clean_path(clean, again), "a clean path is clean");
  for (const Protocol protocol : {Protocol::kSeldon, Protocol::kTensorflow, Protocol::kV2}) {
    for (const http::Method method : {http::Method::kGet, http::Method::kPost}) {
      const Match match = find_path(protocol, "/metrics", clean, method);
      FUZZ_EXPECT(match.model.find('/') == std::string_view::npos, "a model is one segment");
    }
  }
}

void check_conversation(const std::string& bytes) {
  std::string whole;
  GrpcRefusal at_once;
  const bool goes_on = at_once.take(bytes, whole);
  std::string cut;
  GrpcRefusal in_pieces;
  bool still = true;
  for (std::size_t at = 0; still && at < bytes.size(); at += 7) {
    still = in_pieces.take(std::string_view(bytes).substr(at, 7), cut);
  }
  FUZZ_EXPECT(!goes_on || (still && cut == whole), "cuts change nothing");
  FUZZ_EXPECT(whole.size() <= 200 * (bytes.size() / 9 + 1), "answers are no amplifier");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_bodies(text);
  check_path(text);
  check_conversation(text);
  return 0;
}
