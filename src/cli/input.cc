#include "cli/input.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/clock.h"
#include "cli/live.h"
#include "compile/admission.h"
#include "compile/wire.h"
#include "resource/check.h"
#include "store/files.h"

namespace sluice::cli {

using resource::Diagnostics;
using resource::Object;

namespace {

constexpr std::string_view kSecretNamespace = "istio-system";

void append(Diagnostics& to, Diagnostics from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

using Names = std::set<std::pair<std::string_view, std::string_view>>;  // namespace and name

// Its controller is one of these SeldonDeployments.
bool is_made_for(const Object& object, const Names& deployments) {
  for (const resource::Value& owner : object.metadata().at("ownerReferences").list()) {
    if (owner.at("controller").flag() && owner.at("kind").text() == "SeldonDeployment")
      return deployments.contains({object.namespace_, owner.at("name").text()});
  }
  return false;
}

// When the objects of the cluster were made.
using Ages = std::map<resource::ObjectKey, resource::Value>;

// The object as it would be in the cluster. Of two VirtualServices that want the same requests the
// older one has them: it is as old as the one that it replaces, or newer than all that are there.
std::shared_ptr<const Object> aged(Object object, const Ages& ages) {
  resource::Map* root = object.root.as_map();
  if (root == nullptr || ages.empty()) return std::make_shared<const Object>(std::move(object));
  resource::Map metadata = object.metadata().map();
  const auto found = ages.find(object.key());
  metadata.set("creationTimestamp",
               found == ages.end() ? resource::Value("9999-12-31T23:59:59Z") : found->second);
  root->set("metadata", std::move(metadata));
  return std::make_shared<const Object>(std::move(object));
}

Input read_files(const std::vector<std::string>& files, const compile::Settings& settings) {
  store::Documents documents = store::read_documents(files, kSecretNamespace);
  Input input;
  input.diagnostics = std::move(documents.diagnostics);
  append(input.diagnostics, resource::check_set(documents.objects));
  std::set<std::string> unknown_kinds;
  std::set<resource::ObjectKey> seen;
  for (Object& object : documents.objects) {
    if (!resource::is_known(object)) {
      if (unknown_kinds.insert(object.api_version + "/" + object.kind).second) {
        append(input.diagnostics, resource::check(object));
      }
      continue;
    }
    if (!seen.insert(object.key()).second) continue;  // check_set has said so
    Diagnostics found = compile::admit(object, settings);
    const bool refused = resource::has_errors(found);
    append(input.diagnostics, std::move(found));
    if (!refused) input.objects.push_back(std::make_shared<const Object>(std::move(object)));
  }
  return input;
}

}  // namespace

Result<Input> read_input(const Source& source, const compile::Settings& settings, Wants wants) {
  Input input;
  if (!source.files.empty()) input = read_files(source.files, settings);
  if (source.live == nullptr) return input;
  if (source.files.empty() && wants != Wants::kRouting) {
    SLUICE_TRY(const Objects deployments, source.live->deployments());
    for (const auto& deployment : deployments) {
      Diagnostics found = compile::admit(*deployment, settings);
      const bool refused = resource::has_errors(found);
      append(input.diagnostics, std::move(found));
      if (!refused) input.objects.push_back(deployment);
    }
  }
  if (wants != Wants::kDeployments) {
    SLUICE_TRY(input.in_force, source.live->routing(input.diagnostics));
  }
  return input;
}

Linked link_input(const Input& input, const compile::Settings& settings) {
  Linked linked;
  compile::LinkSettings link_settings;
  link_settings.provide_gateway = input.in_force.empty();
  link_settings.now_seconds = wall_seconds();
  linked.linker = std::make_unique<compile::Linker>(link_settings);
  Names wired;
  for (const auto& object : input.objects) {
    if (object->kind == "SeldonDeployment") wired.emplace(object->namespace_, object->name);
  }
  Ages ages;
  for (const auto& object : input.in_force) {
    ages.emplace(object->key(), object->metadata().at("creationTimestamp"));
    if (!is_made_for(*object, wired)) linked.linker->put(object);
  }
  for (const auto& object : input.objects) {
    if (object->kind != "SeldonDeployment") {
      linked.linker->put(aged(*object, ages));
      continue;
    }
    for (Object& made : compile::wire(*object, settings).objects) {
      made.file = object->file;  // explain and routes say where a route comes from
      made.root.place = object->root.place;
      linked.linker->put(aged(std::move(made), ages));
    }
  }
  linked.snapshot = linked.linker->link();
  linked.diagnostics = linked.linker->diagnostics();
  return linked;
}

}  // namespace sluice::cli
