#include "model/model.h"

#include <fmt/core.h>
#include <sys/stat.h>

namespace sluice::model {

Result<std::string> find_model_file(std::string_view model_uri) {
  std::string_view path = model_uri;
  if (const auto scheme = path.find("://"); scheme != std::string_view::npos) {
    if (path.substr(0, scheme) != "file") {
      return fail(Blame::kConfig,
                  fmt::format("modelUri scheme \"{}\" is not supported on one machine yet; use a "
                              "local path or file://",
                              path.substr(0, scheme)),
                  std::string(model_uri));
    }
    path.remove_prefix(scheme + 3);
  }
  if (path.empty())
    return fail(Blame::kConfig, "modelUri is empty; a folder or a model file is expected");
  std::string base(path);
  struct stat status{};
  if (stat(base.c_str(), &status) != 0)
    return fail(Blame::kConfig, "there is no such file or folder", base);
  if (!S_ISDIR(status.st_mode)) return base;
  while (base.size() > 1 && base.back() == '/') base.pop_back();
  for (const char* name : {"model.json", "model.ubj", "model.bst"}) {
    std::string file = base + '/' + name;
    if (stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode)) return file;
  }
  return fail(Blame::kConfig, "the folder has no model.json, model.ubj or model.bst", base);
}

}  // namespace sluice::model
