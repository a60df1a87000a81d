// Answers and their heads, in the reference's form. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"
#include "executor/paths.h"
#include "executor/predictor.h"
#include "executor/unit_pool.h"
#include "http/head.h"

namespace sluice::executor {

struct Reply {
  unsigned status = 200;
  std::string body;
  std::string content_type;
  bool has_content_type = false;  // one that is present may be empty
  std::string content_encoding;
  std::string location;
  bool is_plain = false;  // of the server itself: without the fields of matched paths
};

// The executor's own error: 500 and a status document.
Reply failure_reply(std::string_view what, unsigned status = 500);
// 404, 405, 301 and what the codec refuses: no field of the executor's own.
Reply not_found_reply();
Reply refusal_reply(unsigned status, std::string_view text);
// A unit's answer that ends a request. Bodies are HTML-escaped unless packed; a status other than
// 200 is an error, and loses its content type as the reference's do.
Reply unit_reply(UnitReply&& answer);
// A body that goes back as it is: what no unit was asked about.
Reply echo_reply(std::string body, std::string_view content_type);
// `metadata` of the graph's single unit, as the unit gave it. Fails (kUpstream): no JSON object.
Result<std::string> graph_metadata(const Predictor& predictor, const std::string& metadata);

struct Cors {
  std::string origins = "*";
  std::string headers =
      "Accept, Accept-Encoding, Authorization, Content-Length, Content-Type, X-CSRF-Token";
};

// What the head of an answer says beside the reply.
struct ReplyFacts {
  std::string_view puid;
  std::string_view methods;
  std::string_view cloud_event_path;  // not empty: the request is a CloudEvent
  std::string_view deployment;
  std::string_view name_space;
  std::string_view date;
  bool keep_alive = true;
};
void write_reply_head(std::string& out, const Reply& reply, const ReplyFacts& facts,
                      const Cors& cors);

// The head of a call to a unit: `fields` of the caller without what is of his hop, framing and
// type.
struct UnitRequest {
  std::string_view method;
  std::string_view path;
  std::string_view authority;
  std::string_view content_type;
  std::string_view puid;
  std::size_t body_bytes = 0;
  bool has_body = false;
};
std::string make_unit_head(const UnitRequest& request, const http::RequestHead& caller);

// UUID version 4 (RFC 9562). Not for secrets.
std::string make_puid(Random& random);

}  // namespace sluice::executor
