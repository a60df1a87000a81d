#include "executor/reply.h"

#include <fmt/core.h>

#include "executor/message.h"
#include "http/write.h"
#include "resource/parse.h"

namespace sluice::executor {

namespace {

void field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

// Of the caller's hop (RFC 9110 section 7.6.1), or made anew for each call.
bool is_own(http::Known known) noexcept {
  switch (known) {
    case http::Known::kHost:
    case http::Known::kContentLength:
    case http::Known::kTransferEncoding:
    case http::Known::kContentType:
    case http::Known::kExpect:
    case http::Known::kConnection:
    case http::Known::kKeepAlive:
    case http::Known::kProxyConnection:
    case http::Known::kUpgrade:
    case http::Known::kTe:
    case http::Known::kTrailer:
    case http::Known::kHttp2Settings:
      return true;
    default:
      return false;
  }
}

bool is_named_by_connection(const http::RequestHead& caller, std::string_view name) noexcept {
  if (!caller.connection_names) return false;
  for (const Field& each : caller.fields.all()) {
    if (each.name == "connection" && http::lists(each.value, name)) return true;
  }
  return false;
}

}  // namespace

Reply failure_reply(std::string_view what, unsigned status) {
  Reply reply;
  reply.status = status;
  reply.body = failure_document(what, static_cast<int>(status));
  reply.has_content_type = true;
  reply.content_type = sniff_content_type(reply.body);
  return reply;
}

Reply not_found_reply() { return refusal_reply(404, "404 page not found\n"); }

Reply refusal_reply(unsigned status, std::string_view text) {
  Reply reply;
  reply.status = status;
  reply.body = text;
  reply.has_content_type = !text.empty();
  reply.content_type = "text/plain; charset=utf-8";
  reply.is_plain = true;
  return reply;
}

Reply unit_reply(UnitReply&& answer) {
  Reply reply;
  reply.status = answer.status;
  reply.body = std::move(answer.body);
  reply.content_encoding = std::move(answer.content_encoding);
  if (reply.content_encoding.empty()) escape_html(reply.body);
  if (reply.status == 200) {
    reply.content_type = std::move(answer.content_type);
    reply.has_content_type = true;
  } else {
    reply.content_type = sniff_content_type(reply.body);
    reply.has_content_type = !reply.body.empty();
  }
  return reply;
}

Reply echo_reply(std::string body, std::string_view content_type) {
  return unit_reply(UnitReply{200, std::string(content_type), {}, std::move(body)});
}

void write_reply_head(std::string& out, const Reply& reply, const ReplyFacts& facts,
                      const Cors& cors) {
  out.append("HTTP/1.1 ").append(std::to_string(reply.status)).append(" ");
  out.append(http::reason_of(static_cast<std::uint16_t>(reply.status))).append("\r\n");
  if (!reply.is_plain) {
    field(out, "Access-Control-Allow-Headers", cors.headers);
    if (!facts.methods.empty()) field(out, "Access-Control-Allow-Methods", facts.methods);
    field(out, "Access-Control-Allow-Origin", cors.origins);
    if (!facts.cloud_event_path.empty()) {
      field(out, "Ce-Id", facts.puid);
      field(out, "Ce-Path", facts.cloud_event_path);
      field(out, "Ce-Source", fmt::format("seldon.{}", facts.deployment));
      field(out, "Ce-Specversion", "0.3");
      field(out, "Ce-Type",
            fmt::format("seldon.{}.{}.response", facts.deployment, facts.name_space));
    }
    field(out, "Seldon-Puid", facts.puid);
  }
  if (!reply.location.empty()) field(out, "Location", reply.location);
  if (!reply.content_encoding.empty()) field(out, "Content-Encoding", reply.content_encoding);
  if (reply.has_content_type) field(out, "Content-Type", reply.content_type);
  if (!reply.is_plain || reply.has_content_type) field(out, "X-Content-Type-Options", "nosniff");
  field(out, "Content-Length", std::to_string(reply.body.size()));
  field(out, "Date", facts.date);
  if (!facts.keep_alive) field(out, "Connection", "close");
  out += "\r\n";
}

std::string make_unit_head(const UnitRequest& request, const http::RequestHead& caller) {
  std::string out;
  out.reserve(1'024);
  out.append(request.method).append(" ").append(request.path).append(" HTTP/1.1\r\n");
  field(out, "Host", request.authority);
  if (request.has_body) {
    field(out, "Content-Length", std::to_string(request.body_bytes));
    field(out, "Content-Type", request.content_type);
  }
  bool has_puid = false;
  bool has_accept_encoding = false;
  bool has_user_agent = false;
  for (std::size_t i = 0; i < caller.fields.count; ++i) {
    const Field& each = caller.fields.at[i];
    const http::Known known = caller.fields.known[i];
    if (is_own(known) || is_named_by_connection(caller, each.name)) continue;
    if (each.name == "seldon-puid") {
      if (each.value.empty()) continue;
      has_puid = true;
    }
    has_accept_encoding = has_accept_encoding || known == http::Known::kAcceptEncoding;
    has_user_agent = has_user_agent || known == http::Known::kUserAgent;
    field(out, each.name, each.value);
  }
  if (!has_puid) field(out, "Seldon-Puid", request.puid);
  if (!has_user_agent) field(out, "User-Agent", "sluice");
  if (!has_accept_encoding) field(out, "Accept-Encoding", "gzip");
  out += "\r\n";
  return out;
}

std::string make_puid(Random& random) {
  const std::uint64_t a = random.next();
  const std::uint64_t b = random.next();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", a >> 32U, (a >> 16U) & 0xffffU,
                     a & 0xfffU, 0x8000U | ((b >> 48U) & 0x3fffU), b & 0xffffffffffffU);
}

}  // namespace sluice::executor
