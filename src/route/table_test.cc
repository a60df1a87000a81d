#include "route/table.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <cstring>
#include <map>
#include <optional>

#include "base/random.h"
#include "base/text.h"
#include "route/path_hash.h"

namespace sluice::route {
namespace {

RuleOrder order_of(std::string name, std::uint32_t index = 0) {
  RuleOrder order;
  order.name = std::move(name);
  order.index = index;
  return order;
}

PlacedRule placed(std::string name, Match match) {
  auto rule = std::make_shared<Rule>();
  rule->name = name;
  rule->match = std::move(match);
  RuleOrder order = order_of(std::move(name));
  order.catch_all = rule->match.is_catch_all();
  return {order, rule};
}

Match on_prefix(std::string text) {
  Match match;
  match.uri = StringMatch{StringMatch::Kind::kPrefix, false, std::move(text), nullptr};
  return match;
}

std::string find(const RouteTable& table, std::string_view host, std::string_view path) {
  RequestHead request;
  request.host = host;
  request.path = path;
  const Rule* rule = table.find(request);
  return rule == nullptr ? "" : rule->name;
}

TEST(RouteTableTest, exact_host_then_longest_suffix_then_any) {
  RouteTableBuilder builder;
  for (const char* host : {"a.test", "*.test", "*.b.test", "*", "*x.org"}) {
    builder.add(host, placed(host, Match{}));
  }
  const auto table = builder.build();
  EXPECT_EQ(find(*table, "a.test", "/"), "a.test");
  EXPECT_EQ(find(*table, "c.test", "/"), "*.test");
  EXPECT_EQ(find(*table, "x.y.b.test", "/"), "*.b.test");
  EXPECT_EQ(find(*table, "b.test", "/"), "*.test");
  EXPECT_EQ(find(*table, ".b.test", "/"), "*.test");
  EXPECT_EQ(find(*table, "test", "/"), "*");
  EXPECT_EQ(find(*table, "yx.org", "/"), "*x.org");
  EXPECT_EQ(find(*table, "x.org", "/"), "*");
  EXPECT_EQ(find(*table, "", "/"), "*");
}

TEST(RouteTableTest, no_other_host_is_asked) {
  RouteTableBuilder builder;
  builder.add("a.test", placed("a", on_prefix("/a")));
  builder.add("*", placed("any", Match{}));
  const auto table = builder.build();
  EXPECT_EQ(find(*table, "a.test", "/b"), "");
}

TEST(RouteTableTest, order_beats_length_and_catch_alls_come_last) {
  RouteTableBuilder builder;
  builder.add("*", placed("a", Match{}));
  builder.add("*", placed("b", on_prefix("/x")));
  builder.add("*", placed("c", on_prefix("/x/y")));
  const auto table = builder.build();
  EXPECT_EQ(find(*table, "h", "/x/y"), "b");
  EXPECT_EQ(find(*table, "h", "/z"), "a");
}

TEST(RouteTableTest, a_host_goes_with_its_last_rule_and_redirect) {
  RouteTableBuilder builder;
  const PlacedRule rule = placed("a", Match{});
  builder.add("*.a", rule);
  builder.set_https_redirect("*.a", true);
  auto table = builder.build();
  EXPECT_TRUE(table->host_for("x.a")->https_redirect());
  RouteTableBuilder next(*table);
  next.remove("*.a", rule);
  auto second = next.build();
  ASSERT_NE(second->host_for("x.a"), nullptr);
  next.set_https_redirect("*.a", false);
  EXPECT_EQ(next.build()->host_for("x.a"), nullptr);
  EXPECT_EQ(find(*table, "x.a", "/"), "a");  // the older table is as it was
}

// Method: a chain of 1,000 nodes is destroyed on a stack of 64 KiB, too small for a recursion.
TEST(RouteTableTest, chains_of_prefixes_are_destroyed_in_a_loop) {
  auto builder = std::make_unique<RouteTableBuilder>();
  std::string path = "/";
  for (int i = 0; i < 20'000; ++i) {
    if (i % 20 == 0) builder->add("*", placed(std::to_string(i), on_prefix(path)));
    path += 'x';
  }
  auto table = builder->build();
  EXPECT_NE(find(*table, "h", path), "");
  pthread_attr_t small;
  ASSERT_EQ(pthread_attr_init(&small), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&small, 64U << 10U), 0);
  pthread_t thread;
  const auto destroy = [](void* held) -> void* {
    static_cast<std::shared_ptr<const RouteTable>*>(held)->reset();
    return nullptr;
  };
  builder.reset();
  ASSERT_EQ(table.use_count(), 1);
  ASSERT_EQ(pthread_create(&thread, &small, destroy, &table), 0);
  ASSERT_EQ(pthread_join(thread, nullptr), 0);
  EXPECT_EQ(table, nullptr);
}

// Two paths of one hash: a first word that makes the hash zero, and then as many zeros as you like.
TEST(RouteTableTest, paths_of_one_hash_are_told_apart) {
  const std::uint64_t start = PathHash("").value();
  std::string one(sizeof start, ' ');
  std::memcpy(one.data(), &start, sizeof start);
  const std::string two = one + std::string(8, '\0');
  const auto hash_of = [](const std::string& path) {
    PathHash hash(path);
    while (hash.next()) {
    }
    return hash.value();
  };
  ASSERT_EQ(hash_of(one + "/"), hash_of(two + "/"));
  ASSERT_EQ(hash_of(one), hash_of(two));
  ASSERT_NE(hash_of("/a/b"), hash_of("/a/c"));

  const PlacedRule first = placed("a", on_prefix(one + "/"));
  const PlacedRule second = placed("b", on_prefix(two + "/"));
  RouteTableBuilder builder;
  builder.add("*", first);
  builder.add("*", second);
  const auto both = builder.build();
  EXPECT_EQ(find(*both, "h", one + "/x"), "a");
  EXPECT_EQ(find(*both, "h", two + "/x"), "b");
  builder.remove("*", first);
  builder.add("*", placed("c", on_prefix(two + "/")));  // now there is room for this path
  const auto later = builder.build();
  EXPECT_EQ(find(*later, "h", one + "/x"), "");
  EXPECT_EQ(find(*later, "h", two + "/x"), "b");
  builder.remove("*", second);
  EXPECT_EQ(find(*builder.build(), "h", two + "/x"), "c");
  EXPECT_EQ(find(*both, "h", one + "/x"), "a");  // the older table is as it was
}

// Paths of all lengths and depths, so that words, inline text and the slashes that are looked at
// have their borders met; each alone with its neighbours, exact and prefix.
TEST(RouteTableTest, long_and_deep_paths_are_found_exactly) {
  for (const std::string step : {"/", "/a", "/abcdefg", "/abcdefgh"}) {
    std::string path;
    for (int depth = 1; depth <= 40; ++depth) {
      path += step;
      const std::string prefix = path + "/";
      Match exact = on_prefix(path);
      exact.uri->kind = StringMatch::Kind::kExact;
      RouteTableBuilder builder;
      builder.add("*", placed("a", exact));
      builder.add("*", placed("b", on_prefix(prefix)));
      const auto table = builder.build();
      EXPECT_EQ(find(*table, "h", path), "a") << path;
      EXPECT_EQ(find(*table, "h", prefix), "b") << path;
      EXPECT_EQ(find(*table, "h", prefix + "x/y"), "b") << path;
      EXPECT_EQ(find(*table, "h", path + "x"), "") << path;
      std::string other = prefix;
      other[other.size() - 2] = '_';
      EXPECT_EQ(find(*table, "h", other), "") << path;
    }
  }
}

// Random tables over a small alphabet, so that conditions meet and overlap often.
class RandomTable {
 public:
  explicit RandomTable(std::uint64_t seed) : random_(seed) {}

  std::string pick(std::initializer_list<const char*> texts) {
    return *(texts.begin() + random_.below(static_cast<std::uint32_t>(texts.size())));
  }
  std::string path() {
    std::string text = "/";
    for (std::uint32_t i = random_.below(5); i > 0; --i) text += pick({"a", "b", "A", "/", "ab"});
    return text;
  }
  StringMatch string_match(std::string text) {
    StringMatch match;
    const std::uint32_t kind = random_.below(10);
    match.text = std::move(text);
    if (kind < 4) {
      match.kind = StringMatch::Kind::kExact;
    } else if (kind < 8) {
      match.kind = StringMatch::Kind::kPrefix;
      match.text.resize(random_.below(static_cast<std::uint32_t>(match.text.size() + 1)));
    } else {
      match.kind = StringMatch::Kind::kRegex;
      match.text = pick({".*", "/.*", ".*a.*", "/a|/b", "1|2"});
      match.regex = *Regex::make(match.text);
    }
    return match;
  }
  Match match() {
    Match match;
    if (random_.below(10) < 8) {
      match.uri = string_match(path());
      match.uri->ignore_case =
          match.uri->kind != StringMatch::Kind::kRegex && random_.below(4) == 0;
    }
    if (random_.below(10) == 0) match.method = string_match(pick({"GET", "POST"}));
    for (std::uint32_t i = random_.below(4); i > 1; --i) {
      match.headers.push_back(
          {pick({"seldon", "namespace", "x", "y"}), string_match(pick({"1", "2", "3"}))});
    }
    if (random_.below(10) == 0) match.without_headers.push_back({"x", string_match("1")});
    if (random_.below(10) == 0) match.query_params.push_back({"q", string_match("1")});
    return match;
  }
  PlacedRule rule(std::uint32_t index) {
    auto rule = std::make_shared<Rule>();
    rule->match = match();
    PlacedRule placed;
    placed.order.catch_all = rule->match.is_catch_all();
    placed.order.server = random_.below(2);
    placed.order.created = random_.below(2);
    placed.order.name = pick({"a", "b"});
    placed.order.namespace_ = pick({"a", "b"});
    placed.order.index = index;  // unique, so that orders are
    placed.rule = std::move(rule);
    return placed;
  }
  std::string host_name() { return pick({"a.x", "b.x", "*.x", "*.b.x", "*", "*x"}); }
  Random& random() { return random_; }

 private:
  Random random_;
};

using Naive = std::map<std::string, std::map<RuleOrder, std::shared_ptr<const Rule>>>;

// The law, as written in table.h.
const Rule* naive_find(const Naive& table, const RequestHead& request) {
  auto host = table.find(std::string(request.host));
  if (host == table.end()) {
    std::size_t best = 0;
    for (auto each = table.begin(); each != table.end(); ++each) {
      const std::string_view name = each->first;
      if (!name.starts_with('*') || name.size() <= best || request.host.size() < name.size()) {
        continue;
      }
      if (name == "*" ? host == table.end() : request.host.ends_with(name.substr(1))) {
        host = each;
        best = name.size();
      }
    }
    if (host == table.end()) host = table.find("*");
  }
  if (host == table.end()) return nullptr;
  for (const auto& [order, rule] : host->second) {
    if (rule->match.accepts(request)) return rule.get();
  }
  return nullptr;
}

struct Call {
  std::string host, path, method, query;
  std::vector<std::pair<std::string, std::string>> headers;
};

Call random_call(RandomTable& source) {
  Call call;
  call.host = source.pick({"a.x", "b.x", "c.x", "a.b.x", "x", "zx", "h"});
  call.path = source.path();
  call.method = source.pick({"GET", "POST"});
  call.query = source.pick({"", "q=1", "q=2&q=1"});
  for (std::uint32_t i = source.random().below(4); i > 0; --i) {
    call.headers.emplace_back(source.pick({"seldon", "namespace", "x", "y"}),
                              source.pick({"1", "2", "3", ""}));
  }
  return call;
}

void expect_equal(const RouteTable& table, const Naive& naive, RandomTable& source, int calls) {
  for (int i = 0; i < calls; ++i) {
    const Call call = random_call(source);
    std::vector<Field> fields;
    for (const auto& [name, value] : call.headers) fields.push_back({name, value});
    RequestHead request;
    request.host = call.host;
    request.path = call.path;
    request.method = call.method;
    request.query = call.query;
    request.fields = fields;
    ASSERT_EQ(table.find(request), naive_find(naive, request)) << call.host << " " << call.path;
  }
}

// Goal: the index finds what the scan finds, whatever was added and removed before, and tables made
// earlier do not change. Method: random steps; all tables are kept with their naive twins.
TEST(RouteTableProperty, index_equals_law_through_changes) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    RandomTable source(seed);
    Naive naive;
    std::vector<std::pair<std::string, PlacedRule>> present;
    auto table = RouteTableBuilder().build();
    std::vector<std::pair<std::shared_ptr<const RouteTable>, Naive>> kept;
    std::uint32_t index = 0;
    for (int step = 0; step < 8; ++step) {
      RouteTableBuilder builder(*table);
      for (std::uint32_t i = source.random().below(30); i > 0; --i) {
        if (!present.empty() && source.random().below(3) == 0) {
          const std::size_t at = source.random().below(static_cast<std::uint32_t>(present.size()));
          const auto [host, rule] = present[at];
          builder.remove(host, rule);
          naive[host].erase(rule.order);
          if (naive[host].empty()) naive.erase(host);
          present.erase(present.begin() + static_cast<std::ptrdiff_t>(at));
        } else {
          const std::string host = source.host_name();
          const PlacedRule rule = source.rule(index++);
          builder.add(host, rule);
          naive[host][rule.order] = rule.rule;
          present.emplace_back(host, rule);
        }
      }
      table = builder.build();
      kept.emplace_back(table, naive);
    }
    for (const auto& [each, twin] : kept) {
      ASSERT_NO_FATAL_FAILURE(expect_equal(*each, twin, source, 60)) << "seed " << seed;
      std::size_t count = 0;
      for (const VirtualHost* host : each->hosts()) count += host->rules().size();
      std::size_t wanted = 0;
      for (const auto& [name, rules] : twin) wanted += rules.size();
      ASSERT_EQ(count, wanted);
    }
    RouteTableBuilder emptied(*table);
    for (const auto& [host, rule] : present) emptied.remove(host, rule);
    EXPECT_TRUE(emptied.build()->hosts().empty());
  }
}

}  // namespace
}  // namespace sluice::route
