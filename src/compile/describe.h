// Routes in words, for people: listings, explain, diagnostics. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "route/rule.h"
#include "route/snapshot.h"

namespace sluice::compile {

std::string describe(const route::StringMatch& match);  // "prefix /seldon/a/"
std::string describe(const route::Match& match);  // "prefix /a, header x exact 1"; "everything"
std::string describe(const route::RetryPolicy& retries);
// "outbound|8000|main|host" -> "host:8000 subset main".
std::string describe_cluster_name(std::string_view name);
// "iris-main.default.svc.cluster.local:8000 subset main 75%, ..."; "redirect 301 to ...".
std::string describe_action(const route::Rule& rule);
// What a destination gets of the requests, in percent.
double share_percent(const route::Forward& forward, const route::Destination& destination);
std::string describe_percent(double percent);  // "75%", "0.01%"

}  // namespace sluice::compile
