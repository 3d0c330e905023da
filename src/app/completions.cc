#include "app/completions.h"

#include <fmt/format.h>

namespace nl::app {
namespace {

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += between;
    out += word;
  }
  return out;
}

// The options that come before a command as well as behind it.
std::vector<OptionWords> with_globals(const CommandWords& command, const CommandWords& program) {
  std::vector<OptionWords> all = command.options;
  for (const OptionWords& global : program.options) {
    bool known = global.names.front() == "--version";
    for (const OptionWords& own : command.options) known = known || own.names == global.names;
    if (!known) all.push_back(global);
  }
  return all;
}

std::string names_of(const std::vector<OptionWords>& options) {
  std::string names;
  for (const OptionWords& option : options) {
    names += (names.empty() ? "" : " ") + joined(option.names, " ");
  }
  return names;
}

// Inside single quotes of a shell.
std::string single_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

// What one word is completed to in bash, as a `case` arm.
std::string bash_arm(const std::string& pattern, const WordKind& kind) {
  if (kind.choices.empty() && !kind.is_path) return fmt::format("    {}) ;;\n", pattern);
  std::string arm = fmt::format("    {})", pattern);
  if (!kind.choices.empty()) arm += fmt::format(" words=\"{}\"", joined(kind.choices, " "));
  if (kind.is_path) arm += kind.choices.empty() ? " files=1" : "; files=1";
  return arm + " ;;\n";
}

// Also for bash 3.2, which has no mapfile and is what macOS comes with.
constexpr const char* kBashStart = R"(# bash completion for nightlight: nightlight completions bash
_nightlight() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"
  local command="" before="" words="" files="" i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "${COMP_WORDS[i]}" in
)";
constexpr const char* kBashEnd = R"(  if [ -n "$files" ]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r i; do COMPREPLY+=("$i"); done < <(compgen -f -- "$current")
  fi
  if [ -n "$words" ]; then
    while IFS= read -r i; do COMPREPLY+=("$i"); done < <(compgen -W "$words" -- "$current")
  fi
}
complete -F _nightlight nightlight
)";

}  // namespace

std::string bash_completions(const std::vector<CommandWords>& commands) {
  const CommandWords& program = commands.front();
  std::string valued;
  std::string names;
  for (const CommandWords& command : commands) {
    names += command.name + " ";
    for (const OptionWords& option : command.options) {
      if (option.takes_value) valued += (valued.empty() ? "" : "|") + joined(option.names, "|");
    }
  }
  std::string out = kBashStart;
  out += fmt::format("      {}) ((i++)) ;;\n      -*) ;;\n", valued);
  out +=
      "      *) if [ -z \"$command\" ]; then command=\"${COMP_WORDS[i]}\"; else before=1; fi ;;\n";
  out += "    esac\n  done\n";
  // An option's value comes first, whatever the command.
  out += "  case \"$command $previous\" in\n";
  std::string arms;
  for (const CommandWords& command : commands) {
    for (const OptionWords& option : command.options) {
      for (const std::string& name : option.names) {
        const std::string who = command.name.empty() ? "*" : "\"" + command.name + "\"";
        if (!option.takes_value) continue;
        arms += bash_arm(fmt::format("{}\" {}\"", who, name), option.value);
      }
    }
  }
  out += arms + "    *) case \"$command $current\" in\n";
  for (const CommandWords& command : commands) {
    const std::string who = "\"" + command.name + " \"";
    out +=
        fmt::format("      {}-*) words=\"{}\" ;;\n", who, names_of(with_globals(command, program)));
    WordKind word = command.word;
    if (command.name.empty()) word.choices = {names.substr(1, names.size() - 2)};
    const std::string arm = bash_arm(who + "*", word);
    // One word of a command is offered; behind it only options and, where they are taken, files.
    out += "  " + arm;
  }
  out += "    esac ;;\n  esac\n";
  out += "  [ -n \"$before\" ] && [ \"${current:0:1}\" != - ] && [ -z \"$files\" ] && words=\"\"\n";
  return out + kBashEnd;
}

std::string fish_completions(const std::vector<CommandWords>& commands) {
  std::string out = "# fish completion for nightlight: nightlight completions fish\n";
  out += "complete -c nightlight -f\n";
  for (const CommandWords& command : commands) {
    const std::string when =
        command.name.empty() ? ""
                             : fmt::format(" -n '__fish_seen_subcommand_from {}'", command.name);
    if (!command.name.empty()) {
      out += fmt::format("complete -c nightlight -n __fish_use_subcommand -a {} -d {}\n",
                         command.name, single_quoted(command.summary));
      const WordKind& word = command.word;
      if (!word.choices.empty()) {
        out += fmt::format("complete -c nightlight{} -a '{}'\n", when, joined(word.choices, " "));
      }
      if (word.is_path) out += fmt::format("complete -c nightlight{} -F\n", when);
    }
    for (const OptionWords& option : command.options) {
      out += "complete -c nightlight" + when;
      for (const std::string& name : option.names) {
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (option.takes_value) out += " -r";
      if (option.takes_value && option.value.is_path) out += " -F";
      if (!option.value.choices.empty()) {
        out += fmt::format(" -a '{}'", joined(option.value.choices, " "));
      }
      out += fmt::format(" -d {}\n", single_quoted(option.summary));
    }
  }
  return out;
}

namespace {

// In zsh's own words for one option or argument: brackets and colons mean something there.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_action(const WordKind& kind) {
  if (!kind.choices.empty()) return "(" + joined(kind.choices, " ") + ")";
  return kind.is_path ? "_files" : " ";
}

std::string zsh_arguments(const std::vector<OptionWords>& options) {
  std::string out;
  for (const OptionWords& option : options) {
    for (const std::string& name : option.names) {
      std::string spec = fmt::format("{}[{}]", name, zsh_text(option.summary));
      if (option.takes_value) spec += ":value:" + zsh_action(option.value);
      out += " \\\n        " + single_quoted(spec);
    }
  }
  return out;
}

}  // namespace

std::string zsh_completions(const std::vector<CommandWords>& commands) {
  const CommandWords& program = commands.front();
  std::string out =
      "#compdef nightlight\n# zsh completion for nightlight: nightlight completions zsh\n";
  out += "_nightlight() {\n  local state line\n  local -a commands\n  commands=(\n";
  for (const CommandWords& command : commands) {
    if (command.name.empty()) continue;
    out += fmt::format("    {}\n", single_quoted(command.name + ":" + zsh_text(command.summary)));
  }
  out += "  )\n  _arguments -C" + zsh_arguments(program.options);
  out += " \\\n        '1:command:->command' '*::argument:->argument'\n";
  out += "  case $state in\n    command) _describe command commands ;;\n";
  out += "    argument)\n      case $line[1] in\n";
  for (const CommandWords& command : commands) {
    if (command.name.empty()) continue;
    out += fmt::format("        {}) _arguments{}", command.name,
                       zsh_arguments(with_globals(command, program)));
    out += fmt::format(" \\\n        '*:argument:{}' ;;\n", zsh_action(command.word));
  }
  return out + "      esac ;;\n  esac\n}\n_nightlight \"$@\"\n";
}

}  // namespace nl::app
