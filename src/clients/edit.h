// Edit: a setting put into a text in place, and taken out again.
//
// apply() touches nothing but the value it sets: comments, order, indentation and line ends stay,
// and each setting is one contiguous piece of text. undo() takes out what apply() put there, from
// the text as it is by then: what somebody else has changed since is theirs and stays. Pure. A text
// that cannot be read is refused with its line, and so is a place that holds something else than a
// table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace nl::clients {

enum class Format : std::uint8_t {
  json,       // with comments and trailing commas, where the client takes them
  toml,       // keys before the first table
  shell,      // a marked block of `export NAME="value"`
  fish,       // the same as `set -gx NAME "value"`
  variables,  // the same as `NAME="value"`: environment.d, .env
};
const char* name(Format format);
std::optional<Format> format_named(std::string_view name);

// One text value and the names that lead to it.
struct Setting {
  std::vector<std::string> path;
  std::string value;
};

// What one setting did to a text.
struct Change {
  std::vector<std::string> path;
  std::string written;                // the value as it stands there
  std::optional<std::string> before;  // the value that stood there; nothing = it was put in anew
  // For a value put in anew: the whole piece of text, how much of it stands before the name (or the
  // root, the block), and how many of the names are ours, the root counted last.
  std::string inserted;
  std::size_t lead = 0;
  std::size_t made = 0;
};

struct Edited {
  std::string text;
  std::vector<Change> changes;  // in order; a setting that held already has none
};

struct Undone {
  std::string text;
  std::vector<std::string> left;  // for people, a line each: what is no longer ours and stays
};

// Errors: config, with the line where there is one.
Result<Edited> apply(Format format, std::string_view text, const std::vector<Setting>& settings);
Result<Undone> undo(Format format, std::string_view text, const std::vector<Change>& changes);

// "env.ANTHROPIC_BASE_URL"
std::string dotted(const std::vector<std::string>& path);
// The line end that `text` uses.
std::string line_end(std::string_view text);
std::size_t line_number(std::string_view text, std::size_t at);
// From where the line of `at` begins to `at`, when that is blanks alone.
std::optional<std::string_view> indent_before(std::string_view text, std::size_t at);

}  // namespace nl::clients
