#include <fmt/core.h>

#include <algorithm>

#include "cli/input.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "compile/explain.h"

namespace sluice::cli {
namespace {

using Outcome = compile::Explanation::Outcome;

bool has_route(const compile::Explanation& said) {
  return said.outcome == Outcome::kForward || said.outcome == Outcome::kRedirect ||
         said.outcome == Outcome::kDirectResponse;
}

// Endpoints of models that `serve` starts are known to it alone.
void add_note_on_endpoints(const Input& input, compile::Explanation& said) {
  const bool has_models =
      std::any_of(input.objects.begin(), input.objects.end(),
                  [](const auto& each) { return each->kind == "SeldonDeployment"; });
  const bool lacks_endpoints = std::any_of(said.destinations.begin(), said.destinations.end(),
                                           [](const auto& each) { return each.endpoints.empty(); });
  if (has_models && lacks_endpoints) {
    said.notes.emplace_back("models that serve would start have no endpoints in this listing");
  }
}

// What is wrong with Gateways, when that may be why there is no answer or none but a 404.
void add_notes_on_gateways(const resource::Diagnostics& diagnostics, compile::Explanation& said) {
  constexpr std::size_t kNotesMax = 5;
  std::string_view wanted;
  if (said.outcome == Outcome::kNoListener || said.outcome == Outcome::kNoTlsServer) {
    wanted = "bad-secret";
  } else if (said.outcome == Outcome::kNotFound) {
    wanted = "unknown-gateway";
  } else {
    return;
  }
  std::size_t count = 0;
  for (const resource::Diagnostic& each : diagnostics) {
    if (each.code != wanted || ++count > kNotesMax) continue;
    said.notes.push_back(each.hint.empty()
                             ? fmt::format("{}: {}", each.object, each.what)
                             : fmt::format("{}: {}; {}", each.object, each.what, each.hint));
  }
  if (count > kNotesMax) said.notes.push_back(fmt::format("and {} more", count - kNotesMax));
}

}  // namespace

int explain(const ExplainOptions& options) {
  const auto request = compile::parse_curl_arguments(options.request);
  if (!request) {
    print_diagnostics({resource::Diagnostic{resource::Severity::kError,
                                            "bad-request",
                                            "",
                                            {},
                                            "",
                                            "",
                                            request.error().what,
                                            request.error().where}});
    return kExitUsage;
  }
  const auto read = read_input(options.source, options.settings, Wants::kRouting);
  if (!read) return fail_with(read.error());
  const Input& input = *read;
  print_diagnostics(input.diagnostics);
  const Linked linked = link_input(input, options.settings);
  compile::Explanation said = compile::explain(*linked.snapshot, *request);
  add_note_on_endpoints(input, said);
  add_notes_on_gateways(linked.diagnostics, said);
  const bool printed = options.format == Format::kTable
                           ? print(compile::to_text(said))
                           : print(compile::to_value(said), options.format);
  if (!printed) return kExitFailure;
  return has_route(said) ? kExitOk : kExitFindings;
}

}  // namespace sluice::cli
