#include "gateway/access_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>
#include <iterator>

#include "gateway/request.h"
#include "gateway/worker.h"

namespace sluice::gateway {

namespace {

// How long a line may wait for the writer thread.
constexpr auto kPollInterval = std::chrono::milliseconds(20);

void append_json_text(std::string& line, std::string_view text) {
  line += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (byte < 0x20 || byte >= 0x7f) {  // bytes that may be no UTF-8 are shown as Latin-1
      fmt::format_to(std::back_inserter(line), "\\u{:04x}", byte);
    } else {
      line += c;
    }
  }
  line += '"';
}

// For text lines: what would end a line or a quoted part is shown in hexadecimal.
void append_plain(std::string& line, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == '"' || byte == 0x7f) {
      fmt::format_to(std::back_inserter(line), "\\x{:02x}", byte);
    } else {
      line += c;
    }
  }
}

void append_time(std::string& line, std::int64_t seconds) {
  const auto when = static_cast<time_t>(seconds);
  tm parts{};
  gmtime_r(&when, &parts);
  char text[32];
  line.append(text, strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts));
}

}  // namespace

bool LogRing::put(std::string_view line) noexcept {
  const std::size_t head = head_.load(std::memory_order_relaxed);
  const std::size_t tail = tail_.load(std::memory_order_acquire);
  if (kBytes - (head - tail) < line.size()) return false;
  const std::size_t at = head % kBytes;
  const std::size_t first = std::min(line.size(), kBytes - at);
  std::memcpy(data_.get() + at, line.data(), first);
  std::memcpy(data_.get(), line.data() + first, line.size() - first);
  head_.store(head + line.size(), std::memory_order_release);
  return true;
}

std::size_t LogRing::take(char* out, std::size_t size) noexcept {
  const std::size_t tail = tail_.load(std::memory_order_relaxed);
  const std::size_t head = head_.load(std::memory_order_acquire);
  const std::size_t bytes = std::min(size, head - tail);
  const std::size_t at = tail % kBytes;
  const std::size_t first = std::min(bytes, kBytes - at);
  std::memcpy(out, data_.get() + at, first);
  std::memcpy(out + first, data_.get(), bytes - first);
  tail_.store(tail + bytes, std::memory_order_release);
  return bytes;
}

void AccessLogWriter::write(const Request& request, Worker& worker) {
  line_.clear();
  json_ ? write_json(request, worker) : write_text(request, worker);
  line_ += '\n';
  if (!ring_.put(line_)) worker.metrics().access_log_dropped.add();
}

void AccessLogWriter::write_json(const Request& request, Worker& worker) {
  char flags[64];
  const auto text = [&](std::string_view name, std::string_view value) {
    line_ += name;
    append_json_text(line_, value);
  };
  line_ += "{\"start_time\":\"";
  append_time(line_, worker.wall_seconds());
  text("\",\"method\":", request.head.method);
  text(",\"path\":", request.head.path);
  line_ += ",\"protocol\":\"HTTP/1.1\"";
  fmt::format_to(std::back_inserter(line_), ",\"response_code\":{}", request.status_);
  text(",\"response_flags\":", write_flags(request.flags_, flags));
  fmt::format_to(std::back_inserter(line_),
                 ",\"bytes_received\":{},\"bytes_sent\":{},\"duration\":{:.3f},\"attempts\":{}",
                 request.bytes_received_, request.bytes_sent_,
                 static_cast<double>(worker.now_ns() - request.start_ns_) / 1e6, request.tries_);
  text(",\"authority\":", request.head.authority);
  text(",\"downstream_remote_address\":", request.downstream_->peer_ip());
  text(",\"user_agent\":", request.head.fields.value(http::Known::kUserAgent));
  text(",\"request_id\":", request.has_request_id_
                               ? std::string_view(request.request_id_, sizeof request.request_id_)
                               : std::string_view());
  text(",\"route_name\":", request.rule_ == nullptr ? "" : std::string_view(request.rule_->name));
  text(",\"upstream_cluster\":", request.context().cluster);
  line_ += '}';
}

void AccessLogWriter::write_text(const Request& request, Worker& worker) {
  char flags[64];
  line_ += '[';
  append_time(line_, worker.wall_seconds());
  line_ += "] \"";
  append_plain(line_, request.head.method);
  line_ += ' ';
  append_plain(line_, request.head.path);
  fmt::format_to(std::back_inserter(line_), " HTTP/1.1\" {} {} {} {} {:.3f} ", request.status_,
                 write_flags(request.flags_, flags), request.bytes_received_, request.bytes_sent_,
                 static_cast<double>(worker.now_ns() - request.start_ns_) / 1e6);
  line_ += '"';
  append_plain(line_, request.head.authority);
  line_ += "\" ";
  line_ += request.downstream_->peer_ip();
  line_ += " \"";
  line_ += request.context().cluster;
  line_ += '"';
}

Result<std::unique_ptr<AccessLogFile>> AccessLogFile::open(const std::string& path,
                                                           std::vector<LogRing*> rings) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) {
    return fail(Blame::kConfig,
                "can't open the access log " + path + ": " + strerrordesc_np(errno));
  }
  return std::unique_ptr<AccessLogFile>(new AccessLogFile(fd, std::move(rings)));
}

AccessLogFile::AccessLogFile(int fd, std::vector<LogRing*> rings)
    : fd_(fd), rings_(std::move(rings)), thread_([this] { run(); }) {}

AccessLogFile::~AccessLogFile() {
  stopping_ = true;
  thread_.join();
  close(fd_);
}

void AccessLogFile::run() {
  std::vector<char> buffer(256U << 10U);
  while (!stopping_) {
    if (!empty_rings(buffer.data(), buffer.size())) std::this_thread::sleep_for(kPollInterval);
  }
  while (empty_rings(buffer.data(), buffer.size())) {
  }
}

bool AccessLogFile::empty_rings(char* buffer, std::size_t size) {
  bool any = false;
  for (LogRing* ring : rings_) {
    const std::size_t bytes = ring->take(buffer, size);
    any = any || bytes > 0;
    for (std::size_t at = 0; at < bytes;) {
      const ssize_t written = ::write(fd_, buffer + at, bytes - at);
      if (written <= 0) break;  // a full disk loses lines, not requests
      at += static_cast<std::size_t>(written);
    }
  }
  return any;
}

}  // namespace sluice::gateway
