#include "cli/completion.h"

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "cli/output.h"

namespace sluice::cli {

namespace {

std::string option_words(const CLI::App& app) {
  std::string words;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_snames()) words += "-" + name + " ";
    for (const std::string& name : option->get_lnames()) words += "--" + name + " ";
  }
  return words;
}

std::string bash(const CLI::App& app) {
  std::string verbs;
  std::string cases;
  for (const CLI::App* verb : app.get_subcommands({})) {
    verbs += verb->get_name() + " ";
    cases += fmt::format("    {}) words=\"{}\" ;;\n", verb->get_name(), option_words(*verb));
  }
  return fmt::format(
      "# sluice completion for bash: source <(sluice completion bash)\n"
      "_sluice() {{\n"
      "  local word=\"${{COMP_WORDS[COMP_CWORD]}}\" before=\"${{COMP_WORDS[COMP_CWORD-1]}}\" "
      "words\n"
      "  case \"$before\" in\n"
      "    -f|--filename|--access-log-file|--model-uri) COMPREPLY=($(compgen -f -- \"$word\")); "
      "return ;;\n"
      "    -o|--output) COMPREPLY=($(compgen -W \"table yaml json\" -- \"$word\")); return ;;\n"
      "    --profile) COMPREPLY=($(compgen -W \"default compat\" -- \"$word\")); return ;;\n"
      "  esac\n"
      "  case \"${{COMP_WORDS[1]}}\" in\n{}"
      "    *) words=\"{}{}\" ;;\n"
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
      "}}\n"
      "complete -F _sluice sluice\n",
      cases, verbs, option_words(app));
}

std::string fish(const CLI::App& app) {
  std::string out = "# sluice completion for fish: sluice completion fish | source\n";
  for (const CLI::App* verb : app.get_subcommands({})) {
    out += fmt::format("complete -c sluice -n __fish_use_subcommand -f -a {} -d '{}'\n",
                       verb->get_name(), verb->get_description());
    for (const CLI::Option* option : verb->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        out += fmt::format("complete -c sluice -n '__fish_seen_subcommand_from {}' -l {}",
                           verb->get_name(), name);
        for (const std::string& letter : option->get_snames()) out += " -s " + letter;
        out += "\n";
      }
    }
  }
  return out;
}

}  // namespace

int completion(const CLI::App& app, const std::string& shell) {
  std::string script;
  if (shell == "fish") {
    script = fish(app);
  } else {
    if (shell == "zsh")
      script =
          "# sluice completion for zsh: source <(sluice completion zsh)\nautoload -U +X "
          "bashcompinit && bashcompinit\n";
    script += bash(app);
  }
  return print(script) ? kExitOk : kExitFailure;
}

}  // namespace sluice::cli
