#include "users.h"

#include <fmt/core.h>

#include <algorithm>

#include "resource/read.h"

namespace sluice::sim {

using resource::List;
using resource::Map;

namespace {

// Whole numbers that add up to 100 over those that are no shadows.
void share_out(Machine& machine, Predictors& predictors) {
  int left = 100;
  Predictor* last = nullptr;
  for (Predictor& each : predictors) {
    if (each.shadow) continue;
    each.traffic = 5 * static_cast<int>(machine.between(0, left / 5).count());
    left -= each.traffic;
    last = &each;
  }
  if (last != nullptr) last->traffic += left;
}

bool has(const Predictors& predictors, const std::string& name) {
  return std::any_of(predictors.begin(), predictors.end(),
                     [&](const Predictor& each) { return each.name == name; });
}

}  // namespace

ObjectKey seldon_deployment_key(const std::string& name) {
  return {"machinelearning.seldon.io", "SeldonDeployment", kNamespace, name};
}

Value seldon_deployment(const std::string& name, const Predictors& predictors) {
  List list;
  for (const Predictor& each : predictors) {
    const Map container{
        {"name", each.container},
        {"image", fmt::format("{}:{}", each.broken ? "broken" : "well", each.revision)}};
    Map made{{"name", each.name},
             {"replicas", each.replicas},
             {"progressDeadlineSeconds", 60},
             {"graph", Map{{"name", each.container}, {"type", "MODEL"}}},
             {"componentSpecs", List{Map{{"spec", Map{{"containers", List{container}}}}}}}};
    if (each.traffic > 0) made.set("traffic", each.traffic);
    if (each.shadow) made.set("shadow", true);
    list.push_back(std::move(made));
  }
  return Map{{"apiVersion", "machinelearning.seldon.io/v1"},
             {"kind", "SeldonDeployment"},
             {"metadata", Map{{"name", name}, {"namespace", kNamespace}}},
             {"spec", Map{{"predictors", std::move(list)}}}};
}

void Users::write(const std::string& name, Predictors predictors) {
  ++acts;
  std::string text;
  for (const Predictor& each : predictors) {
    text +=
        fmt::format(" {}={}{}{}:{}/{}x{}", each.name, each.traffic, each.shadow ? " shadow" : "",
                    each.broken ? " broken" : "", each.revision, each.container, each.replicas);
  }
  machine_.say(fmt::format("a user writes {}:{}", name, text));
  wanted[name] = predictors;
  server_.put(seldon_deployment(name, predictors));
}

void Users::remove(const std::string& name, bool foreground) {
  ++acts;
  machine_.say(fmt::format("a user removes {}{}", name, foreground ? ", what it owns first" : ""));
  disturbed.insert(name);
  wanted.erase(name);
  server_.remove(seldon_deployment_key(name), foreground);
}

std::string Users::some_name() {
  const auto at =
      static_cast<std::ptrdiff_t>(machine_.random.below(static_cast<std::uint32_t>(wanted.size())));
  return std::next(wanted.begin(), at)->first;
}

void Users::do_something() {
  static const char* const kNames[] = {"iris", "wine"};
  const std::uint32_t lot = machine_.random.below(100);
  if (wanted.empty() || (wanted.size() < std::size(kNames) && lot < 15)) {
    for (const char* name : kNames) {
      const ObjectKey key = seldon_deployment_key(name);
      if (wanted.contains(name) || server_.find(key) != nullptr) continue;
      write(name, {Predictor{"main", 100}});
      return;
    }
    return;
  }
  const std::string name = some_name();
  if (lot < 70) {
    edit(name);
  } else if (lot < 78) {
    meddle(name);
  } else if (lot < 82) {
    get_in_the_way(name);
  } else if (lot < 88) {
    std::vector<ObjectKey> keys;
    server_.for_each("Deployment", [&](const ObjectKey& key, const Value&) {
      if (key.name.starts_with(name + "-")) keys.push_back(key);
    });
    if (keys.empty()) return;
    ++acts;
    disturbed.insert(name);
    cluster_.crash(keys[machine_.random.below(static_cast<std::uint32_t>(keys.size()))]);
  } else {
    const Predictors predictors = wanted[name];
    const bool foreground = machine_.chance(0.3);
    remove(name, foreground);
    // kubectl replace --force: there again at once, another object.
    if (!foreground && machine_.chance(0.5)) write(name, predictors);
  }
}

void Users::edit(const std::string& name) {
  Predictors predictors = wanted[name];
  Predictor& some =
      predictors[machine_.random.below(static_cast<std::uint32_t>(predictors.size()))];
  switch (machine_.random.below(9)) {
    case 0:
    case 1: {
      static const char* const kPredictors[] = {"main", "canary", "blue"};
      for (const char* each : kPredictors) {
        if (has(predictors, each) || predictors.size() > 2) continue;
        predictors.push_back(Predictor{each, 0});
        predictors.back().broken = machine_.chance(0.2);
        predictors.back().revision = ++revisions_;
        break;
      }
      share_out(machine_, predictors);
      break;
    }
    case 2:
      if (!has(predictors, "dark")) {
        predictors.push_back(Predictor{"dark", 0, true, machine_.chance(0.5), ++revisions_});
      } else {
        std::erase_if(predictors, [](const Predictor& each) { return each.shadow; });
      }
      break;
    case 3:
      share_out(machine_, predictors);
      break;
    case 4:
      some.revision = ++revisions_;
      some.broken = machine_.chance(0.3);
      break;
    case 5:
      some.container = some.container == "clf" ? "net" : "clf";
      some.broken = machine_.chance(0.2);
      break;
    case 6:
      some.replicas = 1 + static_cast<int>(machine_.random.below(3));
      break;
    case 7:
      for (Predictor& each : predictors) each.broken = false;  // the abort of a broken one
      break;
    default: {
      const std::string gone = some.name;
      std::erase_if(predictors, [&](const Predictor& each) { return each.name == gone; });
      if (std::none_of(predictors.begin(), predictors.end(),
                       [](const Predictor& each) { return !each.shadow; }))
        predictors = {Predictor{"green", 100, false, false, ++revisions_}};
      share_out(machine_, predictors);
    }
  }
  write(name, std::move(predictors));
}

void Users::meddle(const std::string& name) {
  std::vector<ObjectKey> keys;
  for (const auto& [key, object] : server_.objects()) {
    for (const Value& owner : object.at("metadata").at("ownerReferences").list()) {
      if (owner.at("name").text() == name) keys.push_back(key);
    }
  }
  if (keys.empty()) return;
  ++acts;
  const ObjectKey key = keys[machine_.random.below(static_cast<std::uint32_t>(keys.size()))];
  disturbed.insert(name);
  Value object = *server_.find(key);
  Map& spec = *object.as_map()->find("spec")->as_map();
  if (machine_.chance(0.5)) {
    machine_.say("somebody removes " + to_string(key));
    server_.remove(key);
    return;
  }
  machine_.say("somebody edits " + to_string(key));
  if (key.kind == "Deployment") {
    spec.set("replicas", 5);
  } else if (key.kind == "Service") {
    spec.set("selector", Map{{"app", "nobody"}});
  } else if (key.kind == "VirtualService") {
    spec.set("hosts", List{"nobody.example.com"});
  } else if (key.kind == "DestinationRule") {
    spec.set("subsets", List{});
  }
  server_.put(std::move(object));
}

void Users::get_in_the_way(const std::string& name) {
  ++acts;
  static const char* const kPredictors[] = {"main", "canary", "blue", "dark", "green"};
  const std::string predictor = kPredictors[machine_.random.below(5)];
  Value object;
  if (machine_.chance(0.5)) {
    object = Map{{"apiVersion", "v1"}, {"kind", "Service"}};
  } else {
    object = Map{{"apiVersion", "networking.istio.io/v1alpha3"}, {"kind", "DestinationRule"}};
  }
  const std::string full = name + "-" + predictor;
  object.as_map()->set("metadata", Map{{"name", full}, {"namespace", kNamespace}});
  object.as_map()->set("spec", Map{{"host", full}});
  auto made = resource::make_object(object);
  if (!made || server_.find(made->key()) != nullptr) return;
  machine_.say("somebody else has a " + to_string(made->key()));
  disturbed.insert(name);
  server_.put(object);
  others[made->key()] = *server_.find(made->key());
}

void Users::repair() {
  for (const auto& [key, object] : others) server_.remove(key);
  others.clear();
  for (auto& [name, predictors] : std::map(wanted)) {
    for (Predictor& each : predictors) each.broken = false;
    write(name, predictors);
  }
}

}  // namespace sluice::sim
