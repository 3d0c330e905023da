#include "work/note_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace nl::work {
namespace {

constexpr std::size_t kNumberDigitsMax = 9;

// The numbers of the bracket that opens at `at`, and where it closes; nothing when it is no bracket
// of numbers.
struct Bracket {
  std::vector<std::size_t> numbers;
  std::size_t end = 0;  // behind it
};

std::optional<Bracket> bracket_at(std::string_view text, std::size_t at) {
  const std::size_t close = text.find(']', at);
  if (close == std::string_view::npos) return std::nullopt;
  Bracket bracket;
  bracket.end = close + 1;
  std::size_t i = at + 1;
  while (i < close) {
    const std::size_t stop = std::min(text.find_first_not_of("0123456789", i), close);
    if (stop == i || stop - i > kNumberDigitsMax) return std::nullopt;
    std::size_t number = 0;
    std::from_chars(text.data() + i, text.data() + stop, number);
    bracket.numbers.push_back(number);
    i = text.find_first_not_of(", ;", stop);
    if (i == std::string_view::npos || (i == stop && i != close)) return std::nullopt;
  }
  if (bracket.numbers.empty()) return std::nullopt;
  return bracket;
}

void add_once(std::vector<std::size_t>& list, std::size_t number) {
  if (std::ranges::find(list, number) == list.end()) list.push_back(number);
}

}  // namespace

std::string line_of(const Note& note) {
  std::string line;
  for (const std::size_t number : note.sources) line += fmt::format("[{}]", number);
  return line + " " + note.text + "\n";
}

std::string without_numbers(std::string_view text) {
  std::string made(text);
  for (std::size_t at = made.find('['); at != std::string::npos; at = made.find('[', at + 1)) {
    if (const auto bracket = bracket_at(made, at)) {
      made[at] = '(';
      made[bracket->end - 1] = ')';
    }
  }
  return made;
}

std::vector<std::size_t> numbers_in(std::string_view text) {
  std::vector<std::size_t> numbers;
  for (std::size_t at = text.find('['); at != std::string_view::npos; at = text.find('[', at + 1)) {
    if (const auto bracket = bracket_at(text, at)) {
      for (const std::size_t number : bracket->numbers) add_once(numbers, number);
    }
  }
  return numbers;
}

std::vector<Note> read_notes(std::string_view text,
                             const std::function<bool(std::size_t)>& is_source) {
  std::vector<Note> notes;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    Note note;
    for (std::size_t at = 0; at < line.size();) {
      const auto bracket = line[at] == '[' ? bracket_at(line, at) : std::nullopt;
      if (!bracket) {
        note.text += line[at++];
        continue;
      }
      for (const std::size_t number : bracket->numbers) {
        if (is_source(number)) add_once(note.sources, number);
      }
      at = bracket->end;
    }
    const std::size_t first = note.text.find_first_not_of(" -*\t\r");
    const std::size_t last = note.text.find_last_not_of(" \t\r");
    if (note.sources.empty() || first == std::string::npos || last < first) continue;
    note.text = note.text.substr(first, last + 1 - first);
    notes.push_back(std::move(note));
  }
  return notes;
}

}  // namespace nl::work
