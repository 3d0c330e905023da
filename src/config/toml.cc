#include "config/toml.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace nl::config {
namespace {

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::none:
      return "nothing";
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::date:
      return "a date";
    case toml::node_type::time:
      return "a time";
    case toml::node_type::date_time:
      return "a date and time";
  }
  return "something else";
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::string in_words(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += '"' + words[i] + '"';
  }
  return text;
}

// What a file said, safe to show: no control characters, not long.
std::string shown(std::string_view text) {
  std::string clean(text.substr(0, 60));
  for (char& c : clean) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return clean;
}

// The end of the string that begins with the quote at `from`: behind its closing quotes, or at the
// line end that cuts it, or at the end of the text.
std::size_t string_end(std::string_view text, std::size_t from) {
  const char quote = text[from];
  const auto quotes_at = [&](std::size_t at) {
    std::size_t count = 0;
    while (count < 5 && at + count < text.size() && text[at + count] == quote) ++count;
    return count;
  };
  const std::size_t opening = quotes_at(from);
  const bool lines = opening >= 3;
  if (opening == 2) return from + 2;
  std::size_t at = from + (lines ? 3 : 1);
  while (at < text.size()) {
    if (text[at] == '\\' && quote == '"') {
      at += 2;
    } else if (text[at] == '\n' && !lines) {
      return at;
    } else if (text[at] != quote) {
      ++at;
    } else if (!lines) {
      return at + 1;
    } else {
      const std::size_t run = quotes_at(at);
      at += run;
      if (run >= 3) return at;
    }
  }
  return text.size();
}

}  // namespace

std::optional<Place> stray_byte(std::string_view text) {
  // A byte order mark at the start is allowed.
  std::size_t at = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"' || c == '\'') {
      at = string_end(text, at);
    } else if (c == '#') {
      at = std::min(text.find('\n', at), text.size());
    } else if (static_cast<unsigned char>(c) < 0x80) {
      ++at;
    } else {
      const std::string_view before = text.substr(0, at);
      const auto line = std::count(before.begin(), before.end(), '\n');
      const std::size_t start = before.rfind('\n') + 1;  // 0 when there is none
      return Place{static_cast<std::uint32_t>(line + 1),
                   static_cast<std::uint32_t>(at - start + 1)};
    }
  }
  return std::nullopt;
}

Place place_of(const toml::node& node) {
  return Place{node.source().begin.line, node.source().begin.column};
}

void Mistakes::add(Place place, std::string_view what, std::string_view fix) {
  std::string line = path_;
  if (place.line > 0) line += fmt::format(":{}:{}", place.line, place.column);
  line += fmt::format(": {}", what);
  if (!fix.empty()) line += fmt::format("; {}", fix);
  lines_.push_back(std::move(line));
}

Error Mistakes::error() const {
  std::string text;
  for (const std::string& line : lines_) {
    if (!text.empty()) text += '\n';
    text += line;
  }
  return Error(ErrorCode::config, std::move(text));
}

std::string closest(std::string_view word, const std::vector<std::string>& known) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(word.size() / 3, 1) + 1;
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string TableReader::named(std::string_view key) const {
  return title_.empty() ? std::string(key) : fmt::format("{} {}", title_, key);
}

void TableReader::mistake(Place place, std::string_view key, std::string_view what,
                          std::string_view fix) {
  mistakes_.add(place, fmt::format("{}: {}", named(key), what), fix);
}

void TableReader::wrong_type(const toml::node& node, std::string_view key,
                             std::string_view wanted) {
  mistake(place_of(node), key, fmt::format("must be {}, is {}", wanted, type_name(node)), "");
}

const toml::node* TableReader::node(std::string_view key) {
  known_.emplace_back(key);
  return table_.get(key);
}

std::optional<Located> TableReader::text(std::string_view key) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  if (const auto* string = found->as_string()) return Located{string->get(), place_of(*found)};
  wrong_type(*found, key, "a string");
  return std::nullopt;
}

std::optional<bool> TableReader::flag(std::string_view key) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  if (const auto* boolean = found->as_boolean()) return boolean->get();
  wrong_type(*found, key, "true or false");
  return std::nullopt;
}

std::optional<double> TableReader::number(std::string_view key, Range range,
                                          std::string_view unit) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_number()) {
    wrong_type(*found, key,
               unit.empty() ? std::string("a number") : fmt::format("a number of {}", unit));
    return std::nullopt;
  }
  const double value = found->value<double>().value_or(range.least);
  if (!std::isfinite(value) || value < range.least || value > range.most) {
    mistake(
        place_of(*found), key, fmt::format("{} is out of range", value),
        fmt::format("use {} to {}{}{}", range.least, range.most, unit.empty() ? "" : " ", unit));
    return std::nullopt;
  }
  return value;
}

std::optional<std::int64_t> TableReader::whole(std::string_view key, Range range,
                                               std::string_view unit) {
  const toml::node* found = table_.get(key);
  if (found != nullptr && found->is_floating_point()) {
    known_.emplace_back(key);
    wrong_type(*found, key, "a whole number");
    return std::nullopt;
  }
  const auto value = number(key, range, unit);
  if (!value) return std::nullopt;
  return static_cast<std::int64_t>(*value);
}

std::optional<std::vector<Located>> TableReader::texts(std::string_view key) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  std::vector<Located> items;
  if (const auto* string = found->as_string()) {
    items.push_back(Located{string->get(), place_of(*found)});
    return items;
  }
  const toml::array* array = found->as_array();
  if (array == nullptr) {
    wrong_type(*found, key, "a string or a list of strings");
    return std::nullopt;
  }
  for (const toml::node& item : *array) {
    if (const auto* string = item.as_string()) {
      items.push_back(Located{string->get(), place_of(item)});
    } else {
      wrong_type(item, key, "a list of strings");
    }
  }
  return items;
}

std::optional<std::size_t> TableReader::word(std::string_view key,
                                             const std::vector<std::string>& words) {
  const auto found = text(key);
  if (!found) return std::nullopt;
  const auto at = std::find(words.begin(), words.end(), found->text);
  if (at != words.end()) return static_cast<std::size_t>(at - words.begin());
  mistake(found->place, key, fmt::format("\"{}\" is not known", shown(found->text)),
          "use " + in_words(words));
  return std::nullopt;
}

const toml::table* TableReader::table(std::string_view key) {
  const toml::node* found = node(key);
  if (found == nullptr) return nullptr;
  if (const toml::table* inner = found->as_table()) return inner;
  wrong_type(*found, key, fmt::format("a section [{}]", key));
  return nullptr;
}

std::vector<const toml::table*> TableReader::tables(std::string_view key) {
  std::vector<const toml::table*> found_tables;
  const toml::node* found = node(key);
  if (found == nullptr) return found_tables;
  const toml::array* array = found->as_array();
  if (array == nullptr) {
    wrong_type(*found, key, fmt::format("a section [[{}]] in double brackets", key));
    return found_tables;
  }
  for (const toml::node& item : *array) {
    if (const toml::table* inner = item.as_table()) {
      found_tables.push_back(inner);
    } else {
      wrong_type(item, key, fmt::format("a section [[{}]]", key));
    }
  }
  return found_tables;
}

void TableReader::finish() {
  for (const auto& [key, value] : table_) {
    const std::string_view name = key.str();
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    const std::string meant = closest(name, known_);
    const Place place{key.source().begin.line, key.source().begin.column};
    mistake(place, shown(name), "unknown key",
            meant.empty() ? std::string("remove it; `nightlight check --defaults` lists every key")
                          : fmt::format("did you mean {}?", meant));
  }
}

}  // namespace nl::config
