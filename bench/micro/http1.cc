// What a head costs: read, written, looked up. The requests are what curl, a Python client and wrk
// send. Beside it http_parser on the same bytes, which makes no views, no lower case, no framing
// checks beyond its own.
#include <benchmark/benchmark.h>
#include <http_parser.h>

#include <string>

#include "http/http1.h"
#include "http/write.h"

namespace {

using sluice::http::Progress;

// 10 fields, 330 bytes.
const std::string kTypical =
    "POST /seldon/default/income-classifier/api/v1.0/predictions HTTP/1.1\r\n"
    "Host: models.example.com\r\n"
    "User-Agent: python-requests/2.31.0\r\n"
    "Accept-Encoding: gzip, deflate\r\n"
    "Accept: */*\r\n"
    "Connection: keep-alive\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 57\r\n"
    "X-Request-Id: 5f1c7f0e-8f0b-4f0e-9a52-8a3f2f6f7f11\r\n"
    "X-Forwarded-For: 203.0.113.7\r\n"
    "Cookie: session=0123456789abcdef\r\n"
    "\r\n";
const std::string kSmall = "GET /a HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";
const std::string kResponse =
    "HTTP/1.1 200 OK\r\n"
    "Server: uvicorn\r\n"
    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 240\r\n"
    "\r\n";

void read_request(benchmark::State& state, const std::string& bytes) {
  std::string buffer(bytes.size() + 64, '\0');  // as a read buffer has: room behind the head
  sluice::http::RequestHead head;
  sluice::http::RequestParser parser(head);
  for (auto _ : state) {
    // Lower-casing happens in place: each round has the sender's spelling, as in life.
    std::memcpy(buffer.data(), bytes.data(), bytes.size());
    parser.reset();
    if (parser.parse({buffer.data(), bytes.size()}) != Progress::kDone)
      state.SkipWithError("refused");
    benchmark::DoNotOptimize(head);
  }
}

void read_response(benchmark::State& state) {
  std::string buffer(kResponse.size() + 64, '\0');
  sluice::http::ResponseHead head;
  sluice::http::ResponseParser parser(head);
  for (auto _ : state) {
    std::memcpy(buffer.data(), kResponse.data(), kResponse.size());
    parser.reset(false);
    if (parser.parse({buffer.data(), kResponse.size()}) != Progress::kDone) {
      state.SkipWithError("refused");
    }
    benchmark::DoNotOptimize(head);
  }
}

void peer_reads_request(benchmark::State& state, const std::string& bytes) {
  http_parser_settings settings;
  http_parser_settings_init(&settings);
  settings.on_header_field = settings.on_header_value =
      settings.on_url = [](http_parser*, const char* at, std::size_t size) {
        benchmark::DoNotOptimize(at);
        benchmark::DoNotOptimize(size);
        return 0;
      };
  settings.on_headers_complete = [](http_parser*) { return 0; };
  for (auto _ : state) {
    http_parser parser;
    http_parser_init(&parser, HTTP_REQUEST);
    benchmark::DoNotOptimize(http_parser_execute(&parser, &settings, bytes.data(), bytes.size()));
  }
}

void write_request(benchmark::State& state) {
  std::string buffer = kTypical;
  sluice::http::RequestHead head;
  sluice::http::RequestParser parser(head);
  if (parser.parse(buffer) != Progress::kDone) state.SkipWithError("refused");
  char room[2048];
  for (auto _ : state) {
    sluice::http::Writer writer(room, room + sizeof room);
    writer.request_line(head.method, head.target);
    for (const sluice::Field& field : head.fields.all()) writer.field(field.name, field.value);
    writer.end_of_head();
    benchmark::DoNotOptimize(writer.size());
    benchmark::ClobberMemory();
  }
}

void copy_alone(benchmark::State& state) {  // what the copy in read_request costs
  std::string buffer(kTypical.size() + 64, '\0');
  for (auto _ : state) {
    std::memcpy(buffer.data(), kTypical.data(), kTypical.size());
    benchmark::ClobberMemory();
  }
}

void read_chunked(benchmark::State& state) {
  std::string body;
  for (int i = 0; i < 16; ++i) body += "400\r\n" + std::string(1024, 'x') + "\r\n";
  body += "0\r\n\r\n";
  for (auto _ : state) {
    sluice::http::BodyDecoder decoder;
    decoder.start(sluice::http::Framing::kChunked, 0);
    std::string_view rest = body;
    while (!decoder.is_done()) {
      const auto piece = decoder.next(rest);
      benchmark::DoNotOptimize(piece.data);
      rest.remove_prefix(piece.consumed);
    }
  }
  state.SetItemsProcessed(state.iterations() * 16);
}

BENCHMARK_CAPTURE(read_request, typical_10_fields, kTypical);
BENCHMARK_CAPTURE(read_request, small_1_field, kSmall);
BENCHMARK(read_response);
BENCHMARK_CAPTURE(peer_reads_request, typical_10_fields, kTypical);
BENCHMARK(write_request);
BENCHMARK(copy_alone);
BENCHMARK(read_chunked);

}  // namespace
