// The access log: one line per request, put by the worker into a ring of its own and taken from
// there by one thread that writes the file. A full ring drops lines and counts them: logging never
// delays a request.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"

namespace sluice::gateway {

class Request;
class Worker;

// One producer (the worker), one consumer (the writer thread). Lines end with '\n'.
class LogRing {
 public:
  static constexpr std::size_t kBytes = 1U << 20U;
  LogRing() : data_(new char[kBytes]) {}
  bool put(std::string_view line) noexcept;  // false: full, nothing was put
  std::size_t take(char* out, std::size_t size) noexcept;

 private:
  std::unique_ptr<char[]> data_;
  alignas(64) std::atomic<std::size_t> head_{0};  // written by the producer
  alignas(64) std::atomic<std::size_t> tail_{0};  // written by the consumer
};

// A worker's end of the log.
class AccessLogWriter {
 public:
  explicit AccessLogWriter(bool json) : json_(json) { line_.reserve(4096); }
  void write(const Request& request, Worker& worker);
  LogRing& ring() noexcept { return ring_; }

 private:
  void write_json(const Request& request, Worker& worker);
  void write_text(const Request& request, Worker& worker);
  LogRing ring_;
  std::string line_;
  bool json_;
};

// The thread that empties the rings into a file.
class AccessLogFile {
 public:
  static Result<std::unique_ptr<AccessLogFile>> open(const std::string& path,
                                                     std::vector<LogRing*> rings);
  ~AccessLogFile();  // writes what is left

 private:
  AccessLogFile(int fd, std::vector<LogRing*> rings);
  void run();
  bool empty_rings(char* buffer, std::size_t size);
  int fd_;
  std::vector<LogRing*> rings_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace sluice::gateway
