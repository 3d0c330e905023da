// CommandWords: the command line as words that a shell can complete, read off CLI11's own tree.
//
// What is hidden from the help is left out. Pure but for asking each own command for its arguments,
// which it shows without running.
#pragma once

#include <string>
#include <vector>

#include "base/environment.h"

namespace nl::app {

// What may stand behind an option, or in a command's place for words.
struct WordKind {
  std::vector<std::string> choices;
  bool is_path = false;
};

struct OptionWords {
  std::vector<std::string> names;  // "--json"
  std::string summary;
  bool takes_value = false;
  WordKind value;
};

struct CommandWords {
  std::string name;  // empty = the program itself
  std::string summary;
  std::vector<OptionWords> options;
  WordKind word;  // its first argument
};

// The program itself first, then its commands.
std::vector<CommandWords> command_words(const Environment& environment);

}  // namespace nl::app
