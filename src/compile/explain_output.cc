// Explanations as text and as values, and curl's arguments as requests.

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include "base/text.h"
#include "compile/describe.h"
#include "compile/explain.h"

namespace sluice::compile {
namespace {

using Outcome = Explanation::Outcome;
using resource::List;
using resource::Map;
using resource::Value;

const char* outcome_word(Outcome outcome) {
  switch (outcome) {
    case Outcome::kForward:
      return "forward";
    case Outcome::kRedirect:
      return "redirect";
    case Outcome::kDirectResponse:
      return "direct-response";
    case Outcome::kNotFound:
      return "not-found";
    case Outcome::kBadRequest:
      return "bad-request";
    case Outcome::kNoListener:
      return "no-listener";
    case Outcome::kNoTlsServer:
      return "no-tls-server";
  }
  return "";
}

std::string headline(const Explanation& said) {
  switch (said.outcome) {
    case Outcome::kForward:
      return "forwarded";
    case Outcome::kRedirect:
      return fmt::format("answered {}: redirected to {}", said.status, said.location);
    case Outcome::kDirectResponse:
      return fmt::format("answered {} by the rule itself", said.status);
    case Outcome::kNotFound:
      return "answered 404: no route";
    case Outcome::kBadRequest:
      return "answered 400";
    case Outcome::kNoListener:
      return "refused: nothing listens there";
    case Outcome::kNoTlsServer:
      return "closed in the TLS handshake";
  }
  return "";
}

std::string endpoints_of(const Explanation::Destination& destination) {
  if (!destination.problem.empty()) return destination.problem;
  std::string text;
  for (const std::string& each : destination.endpoints) text += (text.empty() ? "" : ", ") + each;
  return text;
}

Value destinations_value(const std::vector<Explanation::Destination>& destinations) {
  List list;
  for (const auto& each : destinations) {
    List endpoints;
    for (const std::string& endpoint : each.endpoints) endpoints.emplace_back(endpoint);
    Map map{{"name", each.name},
            {"cluster", each.cluster},
            {"weight", std::int64_t{each.weight}},
            {"sharePercent", each.share_percent},
            {"endpoints", std::move(endpoints)}};
    if (!each.problem.empty()) map.set("problem", each.problem);
    list.emplace_back(std::move(map));
  }
  return list;
}

// Options of curl that take a value but say nothing to routing.
bool takes_ignored_value(std::string_view option) {
  constexpr std::array<std::string_view, 30> kOptions = {"-o",
                                                         "--output",
                                                         "-w",
                                                         "--write-out",
                                                         "-m",
                                                         "--max-time",
                                                         "--connect-timeout",
                                                         "--cacert",
                                                         "--capath",
                                                         "-E",
                                                         "--cert",
                                                         "--key",
                                                         "--resolve",
                                                         "--connect-to",
                                                         "-u",
                                                         "--user",
                                                         "-A",
                                                         "--user-agent",
                                                         "-e",
                                                         "--referer",
                                                         "-b",
                                                         "--cookie",
                                                         "-c",
                                                         "--cookie-jar",
                                                         "--retry",
                                                         "-x",
                                                         "--proxy",
                                                         "--ciphers",
                                                         "--interface",
                                                         "--retry-delay"};
  return std::find(kOptions.begin(), kOptions.end(), option) != kOptions.end();
}

bool takes_data(std::string_view option) {
  constexpr std::array<std::string_view, 9> kOptions = {
      "-d",     "--data", "--data-raw", "--data-binary", "--data-ascii", "--data-urlencode",
      "--json", "-F",     "--form"};
  return std::find(kOptions.begin(), kOptions.end(), option) != kOptions.end();
}

struct CurlState {
  ExplainRequest request;
  bool has_method = false;
  bool has_url = false;
};

void add_header(std::string_view line, ExplainRequest& request) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string name = to_lower(trim(line.substr(0, colon)));
  const std::string value(trim(line.substr(colon + 1)));
  if (name == "host") {
    request.authority = value;
  } else {
    request.headers.emplace_back(name, value);
  }
}

Result<void> take_url(std::string_view url, CurlState& state) {
  ExplainRequest& request = state.request;
  state.has_url = true;
  if (url.starts_with('/')) {
    request.target = url;
    return {};
  }
  if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    request.scheme = to_lower(url.substr(0, scheme));
    url.remove_prefix(scheme + 3);
  }
  if (request.scheme != "http" && request.scheme != "https") {
    return fail(Blame::kClient, "only http and https URLs can be explained");
  }
  const std::size_t slash = url.find_first_of("/?");
  std::string_view authority = url.substr(0, slash);
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    authority.remove_prefix(at + 1);
  }
  request.target = slash == std::string_view::npos ? "/" : std::string(url.substr(slash));
  if (request.target[0] == '?') request.target.insert(0, "/");
  const std::size_t colon = authority.rfind(':');
  std::string_view host = authority;
  if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    std::from_chars(authority.data() + colon + 1, authority.data() + authority.size(),
                    request.port);
    host = authority.substr(0, colon);
  }
  if (request.authority.empty()) request.authority = authority;
  if (!request.sni && request.scheme == "https") request.sni = std::string(host);
  return {};
}

// "-XPOST" is "-X POST"; "-sk" is "-s -k". Longer options stay.
std::vector<std::string> spread(const std::vector<std::string>& arguments) {
  std::vector<std::string> result;
  constexpr std::string_view kWithValue = "XHdowmEuAebcxF";
  for (const std::string& each : arguments) {
    if (each.size() <= 2 || each[0] != '-' || each[1] == '-') {
      result.push_back(each);
      continue;
    }
    for (std::size_t i = 1; i < each.size(); ++i) {
      result.push_back(std::string("-") + each[i]);
      if (kWithValue.find(each[i]) == std::string_view::npos) continue;
      if (i + 1 < each.size()) result.push_back(each.substr(i + 1));
      break;
    }
  }
  return result;
}

bool is_request_line(const std::vector<std::string>& arguments) {
  const auto is_method = [](std::string_view word) {
    return !word.empty() &&
           std::all_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  };
  return !arguments.empty() && is_method(arguments[0].substr(0, arguments[0].find(' ')));
}

}  // namespace

Result<ExplainRequest> parse_curl_arguments(const std::vector<std::string>& given) {
  CurlState state;
  std::vector<std::string> arguments = spread(given);
  if (is_request_line(arguments)) {  // in one argument or in several
    std::vector<std::string> words;
    for (const std::string_view word : split(arguments[0], ' ')) words.emplace_back(word);
    arguments.erase(arguments.begin());
    arguments.insert(arguments.begin(), words.begin(), words.end());
    state.request.method = arguments[0];
    state.has_method = true;
    arguments.erase(arguments.begin());
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string option = arguments[i];
    std::optional<std::string> value;
    if (const std::size_t equals = option.find('=');
        option.starts_with("--") && equals != std::string::npos) {
      value = option.substr(equals + 1);
      option.resize(equals);
    }
    const auto take_value = [&]() -> std::string {
      if (value) return *value;
      return i + 1 < arguments.size() ? arguments[++i] : std::string();
    };
    if (option == "-X" || option == "--request") {
      state.request.method = take_value();
      state.has_method = true;
    } else if (option == "-H" || option == "--header") {
      add_header(take_value(), state.request);
    } else if (takes_data(option)) {
      take_value();
      const char* type =
          option == "--json" ? "application/json" : "application/x-www-form-urlencoded";
      if (!state.has_method) state.request.method = "POST";
      const auto has_type =
          std::any_of(state.request.headers.begin(), state.request.headers.end(),
                      [](const auto& each) { return each.first == "content-type"; });
      if (!has_type) state.request.headers.emplace_back("content-type", type);
    } else if (option == "-I" || option == "--head") {
      if (!state.has_method) state.request.method = "HEAD";
    } else if (option == "--url") {
      SLUICE_CHECK(take_url(take_value(), state));
    } else if (takes_ignored_value(option)) {
      take_value();
    } else if (option.starts_with("-") && option != "-") {
      continue;  // a switch: -s, -k, --http2
    } else if (option == "curl" || option.starts_with("HTTP/")) {
      continue;
    } else if (!option.empty()) {
      SLUICE_CHECK(take_url(option, state));
    }
  }
  if (!state.has_url) {
    return fail(Blame::kClient, "there is no URL to explain",
                "explain -- http://host/path, or explain -- \"GET /path\" -H \"Host: host\"");
  }
  // A body's default type comes first in the list only when -H gave none.
  auto& headers = state.request.headers;
  const auto typed = [](const auto& each) { return each.first == "content-type"; };
  if (std::count_if(headers.begin(), headers.end(), typed) > 1) {
    headers.erase(std::find_if(headers.begin(), headers.end(), typed));
  }
  return std::move(state.request);
}

std::string to_text(const Explanation& said) {
  std::string text = headline(said) + "\n";
  const auto line = [&](std::string_view label, const std::string& value) {
    if (!value.empty()) text += fmt::format("  {:<13}{}\n", label, value);
  };
  line("listener", fmt::format("port {}{}", said.port, said.is_tls ? ", TLS" : ""));
  line("TLS server", said.server);
  line("virtual host", said.virtual_host);
  line("rule", said.origin.empty() ? said.rule : said.rule + "  (" + said.origin + ")");
  line("match", said.match);
  line("path", said.path);
  if (said.outcome == Outcome::kForward) {
    line("sent as", said.upstream_path + "  Host: " + said.upstream_authority);
    for (const auto& each : said.destinations) {
      line("destination", fmt::format("{} {}: {}", describe_percent(each.share_percent), each.name,
                                      endpoints_of(each)));
    }
    for (const auto& each : said.mirrors) {
      line("mirror", fmt::format("{} {}: {}", describe_percent(each.share_percent), each.name,
                                 endpoints_of(each)));
    }
    line("timeout", said.timeout_ms == 0 ? "none" : fmt::format("{} ms", said.timeout_ms));
    line("retries", said.retries);
  }
  line("fault", said.fault);
  for (const std::string& note : said.notes) line("note", note);
  for (const Explanation::Miss& miss : said.misses) {
    line("missed", miss.origin.empty() ? miss.rule : miss.rule + "  (" + miss.origin + ")");
    for (const std::string& reason : miss.reasons) text += fmt::format("{:<17}{}\n", "", reason);
  }
  return text;
}

Value to_value(const Explanation& said) {
  Map map{{"outcome", outcome_word(said.outcome)}};
  const auto set = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) map.set(key, value);
  };
  if (said.status != 0) map.set("status", std::int64_t{said.status});
  map.set("listener", Map{{"port", std::int64_t{said.port}}, {"tls", said.is_tls}});
  set("tlsServer", said.server);
  set("virtualHost", said.virtual_host);
  set("rule", said.rule);
  set("origin", said.origin);
  set("match", said.match);
  set("path", said.path);
  set("upstreamPath", said.upstream_path);
  set("upstreamAuthority", said.upstream_authority);
  set("location", said.location);
  if (said.outcome == Outcome::kForward) {
    map.set("destinations", destinations_value(said.destinations));
    map.set("mirrors", destinations_value(said.mirrors));
    map.set("timeoutMs", said.timeout_ms);
    set("retries", said.retries);
  }
  set("fault", said.fault);
  List misses;
  for (const Explanation::Miss& miss : said.misses) {
    List reasons;
    for (const std::string& reason : miss.reasons) reasons.emplace_back(reason);
    misses.emplace_back(
        Map{{"rule", miss.rule}, {"origin", miss.origin}, {"reasons", std::move(reasons)}});
  }
  if (!misses.empty()) map.set("misses", std::move(misses));
  List notes;
  for (const std::string& note : said.notes) notes.emplace_back(note);
  if (!notes.empty()) map.set("notes", std::move(notes));
  return map;
}

}  // namespace sluice::compile
