#include "gateway/format.h"

#include <unistd.h>

#include <ctime>

#include "http/head.h"
#include "http/write.h"

namespace sluice::gateway {

namespace {

using Command = route::HeaderFormat::Command;

std::string_view field_of(const HeadEdit* edit, std::string_view name) noexcept {
  const Field* found = edit == nullptr ? nullptr : edit->find(name);
  return found == nullptr ? std::string_view() : found->value;
}

std::string_view request_value(const FormatContext& context, std::string_view name) noexcept {
  if (name == ":method") return context.method;
  if (name == ":path") return context.path;
  if (name == ":authority" || name == "host") return context.authority;
  if (name == ":scheme") return context.scheme;
  return field_of(context.request, name);
}

std::string_view hostname() noexcept {
  static char name[256];
  static const bool known = gethostname(name, sizeof name - 1) == 0;
  return known ? std::string_view(name) : std::string_view("-");
}

void append_number(Arena& arena, std::uint64_t number) noexcept {
  char digits[http::kDecimalBytesMax];
  arena.append({digits, http::write_decimal(digits, number)});
}

void append_address(const FormatContext& context, bool with_port, Arena& arena) noexcept {
  const bool bracketed = with_port && context.peer_ip.find(':') != std::string_view::npos;
  if (bracketed) arena.append("[");
  arena.append(context.peer_ip);
  if (bracketed) arena.append("]");
  if (!with_port) return;
  arena.append(":");
  append_number(arena, context.peer_port);
}

void append_time(std::int64_t seconds, Arena& arena) noexcept {
  const auto when = static_cast<time_t>(seconds);
  tm parts{};
  gmtime_r(&when, &parts);
  char text[40];
  arena.append({text, strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000Z", &parts)});
}

void append_piece(const route::HeaderFormat::Piece& piece, const FormatContext& context,
                  Arena& arena) noexcept {
  std::string_view text;
  switch (piece.command) {
    case Command::kText:
      text = piece.text;
      break;
    case Command::kRequestHeader:
      text = request_value(context, piece.text);
      if (text.empty() && !piece.alternative.empty()) {
        text = request_value(context, piece.alternative);
      }
      break;
    case Command::kResponseHeader:
      text = field_of(context.response, piece.text);
      if (text.empty() && !piece.alternative.empty()) {
        text = field_of(context.response, piece.alternative);
      }
      break;
    case Command::kProtocol:
      text = "HTTP/1.1";
      break;
    case Command::kResponseCode:
      return append_number(arena, context.status);
    case Command::kDownstreamAddress:
      return append_address(context, true, arena);
    case Command::kDownstreamAddressWithoutPort:
      return append_address(context, false, arena);
    case Command::kStartTime:
      return append_time(context.start_seconds, arena);
    case Command::kRouteName:
      text = context.route_name;
      break;
    case Command::kUpstreamCluster:
      text = context.cluster;
      break;
    case Command::kHostname:
      text = hostname();
      break;
  }
  if (piece.length_max > 0) text = text.substr(0, piece.length_max);
  arena.append(text);
}

}  // namespace

std::string_view format(const route::HeaderFormat& format, const FormatContext& context,
                        Arena& arena) noexcept {
  if (format.is_plain()) return format.pieces[0].text;  // outlives the head: it is the snapshot's
  arena.begin();
  for (const auto& piece : format.pieces) append_piece(piece, context, arena);
  return arena.take();
}

namespace {

// What says how long a message is, and what belongs to one hop, is the gateway's own: no rule may
// write it.
bool is_ours(std::string_view name) noexcept {
  switch (http::find_known(name)) {
    case http::Known::kContentLength:
    case http::Known::kTransferEncoding:
    case http::Known::kConnection:
    case http::Known::kKeepAlive:
    case http::Known::kProxyConnection:
    case http::Known::kUpgrade:
      return true;
    default:
      return false;
  }
}

}  // namespace

void apply(const route::HeaderOps& ops, const FormatContext& context, Arena& arena, HeadEdit& edit,
           std::string_view& authority) noexcept {
  for (const std::string& name : ops.remove) edit.remove(name);
  const auto put = [&](const auto& operation, bool replaces) {
    const auto& [name, value_format] = operation;
    const std::string_view value = format(value_format, context, arena);
    // An empty value is not added (Envoy's rule). A line end in a rule's text would begin another
    // field, or another request.
    if (value.empty() || is_ours(name) || !http::is_field_value(value)) return;
    if (name == "host" || name == ":authority") {
      authority = value;
    } else if (!http::is_field_name(name)) {
      return;
    } else if (replaces) {
      edit.set(name, value);
    } else {
      edit.add(name, value);
    }
  };
  for (const auto& each : ops.set) put(each, true);
  for (const auto& each : ops.add) put(each, false);
}

}  // namespace sluice::gateway
