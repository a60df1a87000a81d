// The laws of the HTTP/1.1 codec, checked on any bytes. For http_test and the fuzz targets alone.
//
//  1. However the bytes are cut, and wherever the buffer lies, the result is the same.
//  2. A head that is accepted, printed and parsed again is equal.
//  3. What we accept and would send on, http_parser (the parser that Node.js had, written by other
//     people) reads in the same way: head, body, and whether the message ends. Being stricter than
//     it is fine.
//
// Each function returns "" or the law that is broken.
#pragma once

#include <http_parser.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/http1.h"
#include "http/write.h"

namespace sluice::http::peer {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Message {
  std::string verdict;  // "more", "refused: why", "done"
  std::string start;    // method and target, or status
  Fields fields;
  std::string facts;  // of ours alone
  bool keep_alive = false;
  bool stops_at_head = false;  // an upgrade: what follows is not HTTP/1.1
  std::string body;
  std::string body_verdict;   // as verdict, "" when the head is not done
  std::size_t consumed = 0;   // head and body
  bool has_trailers = false;  // the peer saw some

  bool operator==(const Message&) const = default;
};

inline std::string verdict_of(Progress progress, Refusal refusal) {
  if (progress == Progress::kMore) return "more";
  if (progress == Progress::kDone) return "done";
  return "refused: " + std::string(to_string(refusal));
}

inline Fields fields_of(const FieldList& list) {
  Fields fields;
  for (const Field& field : list.all()) fields.emplace_back(field.name, field.value);
  return fields;
}

// `step`: how many bytes at once; 0: all.
inline void decode_body(std::string_view bytes, Framing framing, std::uint64_t length,
                        std::size_t step, Message& message) {
  BodyDecoder decoder;
  decoder.start(framing, length);
  std::size_t at = 0;
  std::size_t end = step == 0 ? bytes.size() : 0;
  Progress progress = decoder.is_done() ? Progress::kDone : Progress::kMore;
  while (progress == Progress::kMore) {
    if (at == end) {
      if (end == bytes.size()) break;
      end = std::min(bytes.size(), end + step);
    }
    const BodyDecoder::Piece piece = decoder.next(bytes.substr(at, end - at));
    message.body += piece.data;
    at += piece.consumed;
    progress = piece.progress;
  }
  message.body_verdict = verdict_of(progress, decoder.refusal());
  message.consumed += at;
}

template <class Parser, class Head>
Progress feed(Parser& parser, Head&, std::string& bytes, std::size_t step, std::string& room) {
  if (step == 0) return parser.parse(bytes);
  Progress progress = Progress::kMore;
  for (std::size_t end = 0; progress == Progress::kMore;) {
    end = std::min(bytes.size(), end + step);
    // A new buffer each time, holding what the parser made of the old one.
    std::string moved(room.begin(), room.end());
    moved.append(bytes, room.size(), end - room.size());
    room.assign(room.size(), '#');
    room = std::move(moved);
    progress = parser.parse(room);
    if (end == bytes.size()) break;
  }
  return progress;
}

inline Message read_request(std::string bytes, std::size_t step) {
  Message message;
  RequestHead head;
  RequestParser parser(head);
  std::string room;
  const Progress progress = feed(parser, head, bytes, step, room);
  message.verdict = verdict_of(progress, parser.refusal());
  if (progress != Progress::kDone) return message;
  message.start = std::string(head.method) + " " + std::string(head.target);
  message.fields = fields_of(head.fields);
  message.keep_alive = head.keep_alive;
  message.stops_at_head = head.wants_upgrade || head.method_id == Method::kConnect;
  message.facts = std::string(head.authority) + " " + std::string(head.path) + " " +
                  std::to_string(head.expect_continue) + std::to_string(head.is_grpc) +
                  std::to_string(head.is_websocket) + std::to_string(head.te_trailers) +
                  std::to_string(head.connection_names);
  message.consumed = parser.consumed();
  decode_body(std::string_view(bytes).substr(parser.consumed()), head.framing, head.content_length,
              step, message);
  return message;
}

inline Message read_response(std::string bytes, std::size_t step, bool to_head) {
  Message message;
  ResponseHead head;
  ResponseParser parser(head);
  parser.reset(to_head);
  std::string room;
  const Progress progress = feed(parser, head, bytes, step, room);
  message.verdict = verdict_of(progress, parser.refusal());
  if (progress != Progress::kDone) return message;
  message.start = std::to_string(head.status) + " " + std::string(head.reason);
  message.fields = fields_of(head.fields);
  message.keep_alive = head.keep_alive;
  message.stops_at_head = head.is_upgrade;
  message.facts = std::to_string(head.is_interim) + std::to_string(head.version_minor);
  message.consumed = parser.consumed();
  decode_body(std::string_view(bytes).substr(parser.consumed()), head.framing, head.content_length,
              step, message);
  return message;
}

// ---- http_parser

struct Peer {
  Message message;
  bool in_value = false;
  bool to_head = false;
  bool head_done = false;
  std::string first;  // target or reason

  static Peer& of(http_parser* parser) { return *static_cast<Peer*>(parser->data); }
};

inline http_parser_settings peer_settings() {
  http_parser_settings settings;
  http_parser_settings_init(&settings);
  settings.on_url = settings.on_status = [](http_parser* parser, const char* at, std::size_t size) {
    Peer::of(parser).first.append(at, size);
    return 0;
  };
  settings.on_header_field = [](http_parser* parser, const char* at, std::size_t size) {
    Peer& peer = Peer::of(parser);
    if (peer.head_done) {
      peer.message.has_trailers = true;
      return 0;
    }
    if (peer.in_value || peer.message.fields.empty()) peer.message.fields.emplace_back();
    peer.in_value = false;
    for (std::size_t i = 0; i < size; ++i) {
      const char c = at[i];
      peer.message.fields.back().first += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    }
    return 0;
  };
  settings.on_header_value = [](http_parser* parser, const char* at, std::size_t size) {
    Peer& peer = Peer::of(parser);
    if (peer.head_done) return 0;
    peer.in_value = true;
    peer.message.fields.back().second.append(at, size);
    return 0;
  };
  settings.on_headers_complete = [](http_parser* parser) {
    Peer& peer = Peer::of(parser);
    peer.head_done = true;
    peer.message.keep_alive = http_should_keep_alive(parser) != 0;
    return peer.to_head ? 1 : 0;
  };
  settings.on_body = [](http_parser* parser, const char* at, std::size_t size) {
    Peer::of(parser).message.body.append(at, size);
    return 0;
  };
  settings.on_message_complete = [](http_parser* parser) {
    Peer::of(parser).message.body_verdict = "done";
    http_parser_pause(parser, 1);
    return 0;
  };
  return settings;
}

inline Message ask_peer(std::string_view bytes, http_parser_type type, bool to_head) {
  http_parser parser;
  http_parser_init(&parser, type);
  Peer peer;
  peer.to_head = to_head;
  parser.data = &peer;
  const http_parser_settings settings = peer_settings();
  Message& message = peer.message;
  message.consumed = http_parser_execute(&parser, &settings, bytes.data(), bytes.size());
  const auto error = static_cast<http_errno>(parser.http_errno);
  message.verdict = peer.head_done ? "done" : error == HPE_OK ? "more" : "refused: ";
  if (error != HPE_OK && error != HPE_PAUSED) {
    (peer.head_done ? message.body_verdict : message.verdict) =
        std::string("refused: ") + http_errno_name(error);
  } else if (message.body_verdict.empty() && peer.head_done) {
    message.body_verdict = "more";
  }
  message.start =
      type == HTTP_REQUEST
          ? std::string(http_method_str(static_cast<http_method>(parser.method))) + " " + peer.first
          : std::to_string(parser.status_code) + " " + peer.first;
  for (auto& [name, value] : message.fields) {
    const std::size_t last = value.find_last_not_of(" \t");  // it trims the front alone
    value.erase(last == std::string::npos ? 0 : last + 1);
  }
  return message;
}

inline std::string describe(const Message& message) {
  std::string text = message.verdict + " | " + message.start + " | body " + message.body_verdict +
                     " " + std::to_string(message.body.size()) + " bytes | consumed " +
                     std::to_string(message.consumed) +
                     (message.keep_alive ? " | keep" : " | close");
  for (const auto& [name, value] : message.fields) text += " | " + name + "=" + value;
  return text;
}

inline std::string broken(std::string_view law, const Message& a, const Message& b) {
  return std::string(law) + "\n  " + describe(a) + "\n  " + describe(b);
}

// The head as the gateway would send it on; of `bytes` nothing but what is behind the head is kept.
inline std::string printed(const Message& message, const std::string& start_line) {
  std::string room(start_line.size() + 64, '\0');
  for (const auto& [name, value] : message.fields) room.append(name.size() + value.size() + 4, ' ');
  Writer writer(room.data(), room.data() + room.size());
  writer.text(start_line);
  writer.text("\r\n");
  for (const auto& [name, value] : message.fields) writer.field(name, value);
  writer.end_of_head();
  return writer.overflowed() ? "overflow" : std::string(writer.written());
}

// http_parser knows a list of methods; any other is shown to it as PUT.
inline std::string method_for_peer(const std::string& start) {
  const std::size_t size = start.find(' ');
  for (const std::string_view known :
       {"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE"}) {
    if (std::string_view(start).substr(0, size) == known) return start;
  }
  return "PUT" + start.substr(size);
}

// http_parser 2.9.4 takes "transfer-encodingx" for "transfer-encoding".
inline bool peer_is_confused_by(const Fields& fields) {
  for (const auto& [name, value] : fields) {
    for (const std::string_view known :
         {"transfer-encoding", "content-length", "connection", "proxy-connection", "upgrade"}) {
      if (name.size() > known.size() && name.starts_with(known)) return true;
    }
    if (name == "proxy-connection") return true;  // it obeys this one
  }
  return false;
}

// It takes no list in which a member is empty, nor a blank other than ' '; lists are the gateway's
// to take away anyway.
inline bool is_plain_connection(const Fields& fields) {
  unsigned count = 0;
  for (const auto& [name, value] : fields) {
    if (name != "connection") continue;
    if (++count > 1 || value.find_first_of(", \t") != std::string::npos) return false;
  }
  return true;
}

inline std::string compare_with_peer(const Message& ours, const Message& peers,
                                     bool no_body = false) {
  if (peer_is_confused_by(ours.fields)) return "";
  if (peers.verdict != "done") {
    // It knows no host with odd but legal bytes in an absolute target.
    if (peers.verdict == "refused: HPE_INVALID_URL") return "";
    return broken("the peer accepts what we accept", ours, peers);
  }
  if (peers.start != ours.start) return broken("same start line", ours, peers);
  if (peers.fields != ours.fields) return broken("same fields", ours, peers);
  if (ours.stops_at_head) return "";
  // An answer without a body and without a length: it would wait for the end of the stream.
  if (no_body && !peers.keep_alive) return "";
  if (is_plain_connection(ours.fields) && peers.keep_alive != ours.keep_alive)
    return broken("same keep-alive", ours, peers);
  if (ours.body_verdict.starts_with("refused")) return "";  // stricter
  if (peers.body != ours.body) return broken("same body", ours, peers);
  // It reads framing out of trailers; we drop them.
  if (peers.has_trailers && peers.body_verdict.starts_with("refused")) return "";
  if (peers.body_verdict != ours.body_verdict) return broken("same end of body", ours, peers);
  return "";
}

// REQUIRES: a head that was accepted, so its first empty line (behind what may lead) is its end.
inline std::size_t head_size(const std::string& bytes) {
  return bytes.find("\r\n\r\n", bytes.find_first_not_of("\r\n")) + 4;
}

inline std::string request_laws(const std::string& bytes) {
  const Message whole = read_request(bytes, 0);
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, bytes.size() / 2 + 1}) {
    if (bytes.size() > 2000 && step < 100) continue;  // copies at each step
    const Message cut = read_request(bytes, step);
    if (cut != whole) return broken("same however cut", whole, cut);
  }
  if (whole.verdict != "done") return "";

  const std::string body = bytes.substr(head_size(bytes));
  const std::string head = printed(whole, whole.start + " HTTP/1.1");
  // Printing adds a blank behind each colon, which may pass the limit of a head.
  if (head.size() <= limits::kRequestHeadBytesMax) {
    Message again = read_request(head + body, 0);
    again.consumed = whole.consumed;
    if (again != whole) return broken("parsed, printed and parsed again is equal", whole, again);
  }
  Message asked = whole;
  asked.start = method_for_peer(whole.start);
  return compare_with_peer(
      asked, ask_peer(printed(asked, asked.start + " HTTP/1.1") + body, HTTP_REQUEST, false));
}

inline std::string response_laws(const std::string& bytes, bool to_head) {
  const Message whole = read_response(bytes, 0, to_head);
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, bytes.size() / 2 + 1}) {
    if (bytes.size() > 2000 && step < 100) continue;
    const Message cut = read_response(bytes, step, to_head);
    if (cut != whole) return broken("same however cut", whole, cut);
  }
  if (whole.verdict != "done") return "";
  // It takes a 304's content-length for that of a body (RFC 9112 section 6.3: there is none).
  const bool no_body = to_head || whole.start.starts_with("304");
  const std::string version = whole.facts.ends_with('0') ? "HTTP/1.0 " : "HTTP/1.1 ";
  const std::string head = printed(whole, version + whole.start);
  const std::string body = bytes.substr(head_size(bytes));
  if (head.size() <= limits::kResponseHeadBytesMax) {
    Message again = read_response(head + body, 0, to_head);
    again.consumed = whole.consumed;
    if (again != whole) return broken("parsed, printed and parsed again is equal", whole, again);
  }
  return compare_with_peer(whole, ask_peer(head + body, HTTP_RESPONSE, no_body), no_body);
}

}  // namespace sluice::http::peer
