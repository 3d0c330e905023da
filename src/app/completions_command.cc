#include "app/completions_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>

#include "app/completions.h"
#include "app/own_commands.h"

namespace nl::app {

int completions_command(const CliOptions& given, const Environment& environment) {
  CliOptions options = given;
  std::string shell;
  CLI::App app("print what makes a shell complete these commands", "nightlight completions");
  app.add_option("shell", shell, "the shell")
      ->type_name("SHELL")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  app.footer(
      "\nExample:\n  nightlight completions bash > ~/.local/share/bash-completion/completions/"
      "nightlight\n  nightlight completions fish > ~/.config/fish/completions/nightlight.fish\n"
      "  nightlight completions zsh > FOLDER_OF_FPATH/_nightlight");
  if (const auto ended = parse_own(app, options)) return *ended;
  const std::vector<CommandWords> words = command_words(environment);
  fmt::print("{}", shell == "bash"  ? bash_completions(words)
                   : shell == "zsh" ? zsh_completions(words)
                                    : fish_completions(words));
  return 0;
}

}  // namespace nl::app
