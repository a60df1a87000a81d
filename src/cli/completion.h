// Shell completion, made from the same description of verbs and options that --help prints.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace sluice::cli {

// Prints the script for "bash", "zsh" or "fish"; returns the exit code.
int completion(const CLI::App& app, const std::string& shell);

}  // namespace sluice::cli
