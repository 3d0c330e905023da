#include "app/command_words.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "app/cli.h"
#include "app/own_commands.h"

namespace nl::app {
namespace {

// "a, b, c" or "{a,b,c}", as descriptions and checks list what may be said; empty for anything
// else.
std::vector<std::string> listed(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (word.starts_with(' ')) word.remove_prefix(1);
    const bool is_word =
        !word.empty() &&
        word.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
    if (!is_word) return {};
    words.emplace_back(word);
  }
  return words;
}

WordKind kind_of(const CLI::Option& option) {
  WordKind kind;
  const std::string type = option.get_type_name();
  const std::size_t open = type.find('{');
  if (open != std::string::npos) {
    kind.choices = listed(std::string_view(type).substr(open + 1, type.find('}') - open - 1));
  }
  kind.is_path = type.find("FILE") != std::string::npos || type.find("DIR") != std::string::npos ||
                 option.get_description().find("file") != std::string::npos;
  if (kind.choices.empty()) {
    kind.choices = listed(option.get_description());
    if (kind.choices.size() < 2) kind.choices.clear();
  }
  return kind;
}

CommandWords words_of(const CLI::App& app, std::string name, std::string summary) {
  CommandWords words{std::move(name), std::move(summary), {}, {}};
  bool has_word = false;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    if (option->get_positional()) {
      if (!has_word) words.word = kind_of(*option);
      has_word = true;
      continue;
    }
    OptionWords made{{}, option->get_description(), option->get_items_expected_max() > 0, {}};
    for (const std::string& one : option->get_lnames()) made.names.push_back("--" + one);
    for (const std::string& one : option->get_snames()) made.names.push_back("-" + one);
    if (made.takes_value) made.value = kind_of(*option);
    words.options.push_back(std::move(made));
  }
  return words;
}

// Commands below a command are its first word; what they take is offered with its own options.
void add_subcommands(CommandWords& words, const CLI::App& app) {
  for (const CLI::App* sub : app.get_subcommands({})) {
    words.word.choices.push_back(sub->get_name());
    CommandWords below = words_of(*sub, sub->get_name(), "");
    words.word.is_path = words.word.is_path || below.word.is_path;
    for (OptionWords& option : below.options) {
      const auto is_same = [&](const OptionWords& one) { return one.names == option.names; };
      if (std::ranges::none_of(words.options, is_same)) words.options.push_back(std::move(option));
    }
  }
}

}  // namespace

std::vector<CommandWords> command_words(const Environment& environment) {
  std::vector<CommandWords> all;
  visit_cli([&all](const CLI::App& app) {
    all.push_back(words_of(app, "", app.get_description()));
    for (const CLI::App* command : app.get_subcommands({})) {
      all.push_back(words_of(*command, command->get_name(), command->get_description()));
    }
  });
  for (const OwnCommand& own : own_commands()) {
    const CliVisitor visitor = [&](const CLI::App& app) {
      for (CommandWords& words : all) {
        if (words.name != own.name) continue;
        words = words_of(app, own.name, words.summary);
        add_subcommands(words, app);
      }
    };
    CliOptions options;
    options.visitor = &visitor;
    own.run(options, environment);
  }
  return all;
}

}  // namespace nl::app
