// The request target, brought to the one form that matches are compared with.
// Source: what Istio's default path normalisation (BASE) makes Envoy do, as recorded
// (docs/explanation/routing.md). Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::route {

struct NormalisedPath {
  bool ok = false;         // false: answer 400; nothing else is set
  std::string_view path;   // without query: starts with '/'
  std::string_view query;  // without '?', untouched; empty when there is none
  bool has_query = false;  // tells "/a?" from "/a": the '?' goes upstream
};

// Takes an origin-form target ("/a/../b?x#y"). Dot segments are resolved ("%2e" counts as a dot),
// '\' becomes '/', encoded unreserved characters are decoded, characters that may not stand in a
// path are encoded, a fragment is cut off. Double slashes and every other encoding stay as sent.
//
// Not ok: no leading '/', a byte that is a control, a blank or above 127, "%00" in the path.
//
// No allocation when the path is in normal form already, as nearly all are: the views then point
// into `target`. Otherwise `path` points into `buffer`, which is overwritten and keeps its
// capacity.
NormalisedPath normalise(std::string_view target, std::string& buffer);

}  // namespace sluice::route
