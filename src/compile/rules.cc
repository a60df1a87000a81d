#include "compile/rules.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"
#include "compile/actions.h"

namespace sluice::compile {

using resource::Value;
using route::StringMatch;

std::shared_ptr<const route::Regex> RegexCache::find_or_make(std::string_view pattern) {
  const std::string key(pattern);
  if (const auto found = patterns_.find(key); found != patterns_.end()) {
    if (auto alive = found->second.lock()) return alive;
  }
  auto made = route::Regex::make(pattern);
  if (!made) return nullptr;
  if (patterns_.size() >= sweep_at_) {
    std::erase_if(patterns_, [](const auto& each) { return each.second.expired(); });
    sweep_at_ = std::max<std::size_t>(1024, patterns_.size() * 2);
  }
  patterns_[key] = *made;
  return *made;
}

StringMatch translate_string_match(const Value& value, RegexCache& regexes, bool& is_unusable) {
  StringMatch match;
  if (const std::string* text = value.at("exact").as_string()) {
    match.kind = StringMatch::Kind::kExact;
    match.text = *text;
  } else if (const std::string* prefix = value.at("prefix").as_string()) {
    match.kind = StringMatch::Kind::kPrefix;
    match.text = *prefix;
  } else if (const std::string* regex = value.at("regex").as_string()) {
    match.kind = StringMatch::Kind::kRegex;
    match.text = *regex;
    match.regex = regexes.find_or_make(*regex);
    is_unusable = is_unusable || match.regex == nullptr;
  } else {
    match.kind = StringMatch::Kind::kPresent;
  }
  return match;
}

namespace {

using DraftMatch = RuleDraft::Match;

std::vector<route::HeaderMatch> translate_named(const Value& map, bool lower, RegexCache& regexes,
                                                bool& is_unusable) {
  std::vector<route::HeaderMatch> matches;
  for (const resource::Member& member : map.map()) {
    matches.push_back({lower ? to_lower(member.key) : member.key,
                       translate_string_match(member.value, regexes, is_unusable)});
  }
  return matches;
}

// An absent or present-only condition on a pseudo-header says nothing.
std::optional<StringMatch> translate_optional(const Value& value, RegexCache& regexes,
                                              bool& is_unusable) {
  if (!value.is_map()) return std::nullopt;
  StringMatch match = translate_string_match(value, regexes, is_unusable);
  if (match.kind == StringMatch::Kind::kPresent) return std::nullopt;
  return match;
}

DraftMatch translate_match(const Value& value, std::uint32_t index, RegexCache& regexes) {
  DraftMatch draft;
  bool& bad = draft.is_unusable;
  draft.index = index;
  draft.match.uri = translate_optional(value.at("uri"), regexes, bad);
  if (draft.match.uri && draft.match.uri->kind != StringMatch::Kind::kRegex) {
    draft.match.uri->ignore_case = value.at("ignoreUriCase").flag();
  }
  draft.match.method = translate_optional(value.at("method"), regexes, bad);
  draft.match.scheme = translate_optional(value.at("scheme"), regexes, bad);
  draft.match.authority = translate_optional(value.at("authority"), regexes, bad);
  draft.match.headers = translate_named(value.at("headers"), true, regexes, bad);
  draft.match.without_headers = translate_named(value.at("withoutHeaders"), true, regexes, bad);
  draft.match.query_params = translate_named(value.at("queryParams"), false, regexes, bad);
  draft.port = static_cast<std::uint32_t>(value.at("port").integer());
  draft.gateways = resource::read_texts(value.at("gateways"));
  draft.source_labels = resource::read_labels(value.at("sourceLabels"));
  draft.source_namespace = value.at("sourceNamespace").text();
  return draft;
}

Field field(const Value& rule, std::string_view key) {
  const Value& value = rule.at(key);
  return value.is_null() ? nullptr : &value;
}

Field field(const Value& rule, std::string_view key, std::string_view older_key) {
  const Field found = field(rule, key);
  return found != nullptr ? found : field(rule, older_key);
}

RuleDraft draft_rule(const resource::VirtualService& service, const Value& rule, std::size_t index,
                     RegexCache& regexes) {
  RuleDraft draft;
  const resource::Object& object = *service.object;
  draft.owner = &service;
  draft.name = "VirtualService " + object.namespace_ + "/" + object.name + " http[" +
               std::to_string(index) + "]";
  if (object.file != nullptr) {
    // Made of a SeldonDeployment, a rule has no line of its own: then it is the deployment's.
    const auto line = rule.place.line != 0 ? rule.place.line : object.root.place.line;
    draft.origin = line == 0 ? *object.file : *object.file + ":" + std::to_string(line);
  }
  draft.place = rule.place;
  std::uint32_t match_index = 0;
  for (const Value& match : rule.at("match").list()) {
    draft.matches.push_back(translate_match(match, match_index++, regexes));
  }
  draft.route = field(rule, "route");
  draft.redirect = field(rule, "redirect");
  draft.direct_response = field(rule, "directResponse");
  draft.rewrite = field(rule, "rewrite");
  draft.timeout = field(rule, "timeout");
  draft.retries = field(rule, "retries");
  draft.fault = field(rule, "fault");
  draft.mirror = field(rule, "mirror");
  draft.mirror_percentage = field(rule, "mirrorPercentage", "mirrorPercent");
  draft.mirrors = field(rule, "mirrors");
  draft.cors = field(rule, "corsPolicy");
  draft.headers = field(rule, "headers");
  return draft;
}

// Delegate and root cannot both hold, or Istio does not try to find out.
bool conflicts(const DraftMatch& root, const DraftMatch& delegate) {
  if (root.port != 0 && delegate.port != 0 && root.port != delegate.port) return true;
  if (!root.match.uri || !delegate.match.uri) return false;
  const StringMatch& outer = *root.match.uri;
  const StringMatch& inner = *delegate.match.uri;
  if (outer.kind == StringMatch::Kind::kRegex || inner.kind == StringMatch::Kind::kRegex) {
    return true;
  }
  if (outer.ignore_case != inner.ignore_case) return true;
  if (outer.kind == StringMatch::Kind::kPrefix) return !inner.text.starts_with(outer.text);
  return inner.kind != StringMatch::Kind::kExact || inner.text != outer.text;
}

// Conditions of both; of one header, parameter or pseudo-header the delegate's.
void merge_named(std::vector<route::HeaderMatch>& into,
                 const std::vector<route::HeaderMatch>& from) {
  for (const route::HeaderMatch& each : from) {
    const auto same = std::find_if(into.begin(), into.end(),
                                   [&](const auto& other) { return other.name == each.name; });
    if (same != into.end()) {
      same->value = each.value;
    } else {
      into.push_back(each);
    }
  }
}

DraftMatch merged(const DraftMatch& root, const DraftMatch& delegate) {
  DraftMatch result = root;
  const route::Match& inner = delegate.match;
  if (inner.uri) result.match.uri = inner.uri;
  if (inner.method) result.match.method = inner.method;
  if (inner.scheme) result.match.scheme = inner.scheme;
  if (inner.authority) result.match.authority = inner.authority;
  merge_named(result.match.headers, inner.headers);
  merge_named(result.match.without_headers, inner.without_headers);
  merge_named(result.match.query_params, inner.query_params);
  if (delegate.port != 0) result.port = delegate.port;
  if (!delegate.gateways.empty()) result.gateways = delegate.gateways;
  result.is_unusable = root.is_unusable || delegate.is_unusable;
  return result;
}

// False: some delegate match has no partner, so the delegate rule is dropped.
bool merge_matches(const std::vector<DraftMatch>& root, std::vector<DraftMatch>& delegate) {
  if (root.empty()) return true;
  if (delegate.empty()) {
    delegate = root;
    return true;
  }
  std::vector<DraftMatch> result;
  for (const DraftMatch& inner : delegate) {
    bool has_partner = false;
    for (const DraftMatch& outer : root) {
      if (conflicts(outer, inner)) continue;
      has_partner = true;
      result.push_back(merged(outer, inner));
    }
    if (!has_partner) return false;
  }
  delegate = std::move(result);
  return true;
}

void take_missing(RuleDraft& rule, const RuleDraft& root) {
  const auto take = [](Field& mine, Field theirs) {
    if (mine == nullptr) mine = theirs;
  };
  if (rule.mirror == nullptr) rule.mirror_percentage = root.mirror_percentage;
  take(rule.rewrite, root.rewrite);
  take(rule.timeout, root.timeout);
  take(rule.retries, root.retries);
  take(rule.fault, root.fault);
  take(rule.mirror, root.mirror);
  take(rule.mirrors, root.mirrors);
  take(rule.cors, root.cors);
  take(rule.headers, root.headers);
  take(rule.direct_response, root.direct_response);
}

void append_delegate(const RuleDraft& root, const Value& reference,
                     const resource::VirtualService& owner, RegexCache& regexes,
                     const FindDelegate& find_delegate, std::vector<RuleDraft>& drafts) {
  const std::string_view ns = reference.at("namespace").text(owner.object->namespace_);
  const resource::VirtualService* found = find_delegate(ns, reference.at("name").text());
  if (found == nullptr || !found->hosts.empty()) return;
  std::size_t index = 0;
  for (const Value& rule : found->http()) {
    RuleDraft draft = draft_rule(*found, rule, index++, regexes);
    if (!rule.at("delegate").is_null()) continue;  // delegates cannot delegate
    if (!merge_matches(root.matches, draft.matches)) continue;
    take_missing(draft, root);
    draft.name = root.name + " > " + draft.name;
    drafts.push_back(std::move(draft));
  }
}

bool fits(const DraftMatch& match, const resource::VirtualService& service,
          const RuleTarget& target) {
  if (match.is_unusable) return false;
  if (match.port != 0 && match.port != target.port) return false;
  if (!match.source_namespace.empty() && match.source_namespace != target.gateway_namespace) {
    return false;
  }
  if (!resource::has_labels(*target.gateway_labels, match.source_labels)) return false;
  if (match.gateways.empty()) return true;
  return std::any_of(match.gateways.begin(), match.gateways.end(), [&](const std::string& each) {
    return gateway_reference(each, service.object->namespace_, "cluster.local") == target.gateway;
  });
}

}  // namespace

std::vector<RuleDraft> draft_rules(const resource::VirtualService& service, RegexCache& regexes,
                                   const FindDelegate& find_delegate) {
  std::vector<RuleDraft> drafts;
  std::size_t index = 0;
  for (const Value& rule : service.http()) {
    RuleDraft draft = draft_rule(service, rule, index++, regexes);
    const Value& delegate = rule.at("delegate");
    if (delegate.is_map()) {
      append_delegate(draft, delegate, service, regexes, find_delegate, drafts);
    } else {
      drafts.push_back(std::move(draft));
    }
  }
  return drafts;
}

std::vector<CompiledRule> compile_rules(const resource::VirtualService& service,
                                        const std::vector<RuleDraft>& drafts,
                                        const RuleTarget& target, RegexCache& regexes) {
  std::vector<CompiledRule> compiled;
  std::uint32_t index = 0;
  for (const RuleDraft& draft : drafts) {
    if (draft.matches.empty()) {
      compiled.push_back(
          {index, make_rule(service, draft, route::Match{}, std::string(), target, regexes)});
      return compiled;
    }
    for (const RuleDraft::Match& match : draft.matches) {
      const std::uint32_t place = index++;
      if (!fits(match, service, target)) continue;
      const std::string suffix = ".match[" + std::to_string(match.index) + "]";
      compiled.push_back({place, make_rule(service, draft, match.match, suffix, target, regexes)});
      if (match.match.is_catch_all()) return compiled;
    }
  }
  return compiled;
}

std::string gateway_reference(std::string_view written, std::string_view ns,
                              std::string_view cluster_domain) {
  if (written == "mesh" || written.empty()) return {};
  if (const std::size_t slash = written.find('/'); slash != std::string_view::npos) {
    return written.starts_with("./") ? std::string() : std::string(written);
  }
  const std::size_t dot = written.find('.');
  if (dot == std::string_view::npos) return std::string(ns) + "/" + std::string(written);
  // "name.ns", "name.ns.svc.cluster.local": the old way to name a Gateway elsewhere.
  std::string_view rest = written.substr(dot + 1);
  const std::string suffix = ".svc." + std::string(cluster_domain);
  if (rest.ends_with(suffix)) rest.remove_suffix(suffix.size());
  if (rest.find('.') != std::string_view::npos) rest = rest.substr(0, rest.find('.'));
  return std::string(rest) + "/" + std::string(written.substr(0, dot));
}

}  // namespace sluice::compile
