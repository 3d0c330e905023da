// TableReader: one table of a configuration file, read key by key; whatever it was not asked about
// is a mistake.
//
// Wraps toml++ so that every mistake gets its place and its fix. A mistaken value counts as absent
// and reading goes on: the user sees all mistakes at once. The table must outlive the reader.
#pragma once

#define TOML_EXCEPTIONS 0
// Version 3.3 asserts what a file decides (`[=` for one) before it reports it as a mistake.
#define TOML_ASSERT(expression) static_assert(true)
#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace nl::config {

struct Place {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};
Place place_of(const toml::node& node);

// Where `text` first has a byte outside ASCII that is neither in a string nor in a comment. The
// TOML library's tables do not cover such a byte there: it must not come so far.
std::optional<Place> stray_byte(std::string_view text);

// The mistakes of one file, in order.
class Mistakes {
 public:
  explicit Mistakes(std::string path) : path_(std::move(path)) {}

  // "path:line:column: what; fix". `fix` may be empty when `what` says it.
  void add(Place place, std::string_view what, std::string_view fix);
  bool empty() const { return lines_.empty(); }
  Error error() const;

 private:
  std::string path_;
  std::vector<std::string> lines_;
};

// The member of `known` that `word` was probably meant to be, or empty.
std::string closest(std::string_view word, const std::vector<std::string>& known);

// A string and where it stands.
struct Located {
  std::string text;
  Place place;
};

struct Range {
  double least = 0;
  double most = 0;
};

class TableReader {
 public:
  // `title` is how messages name the table: "" at the top, "[limits]", "[[provider]]".
  TableReader(const toml::table& table, std::string title, Mistakes& mistakes)
      : table_(table), title_(std::move(title)), mistakes_(mistakes) {}

  std::optional<Located> text(std::string_view key);
  std::optional<bool> flag(std::string_view key);
  // `unit` is for the message: "seconds", "bytes", "".
  std::optional<double> number(std::string_view key, Range range, std::string_view unit);
  std::optional<std::int64_t> whole(std::string_view key, Range range, std::string_view unit);
  // A string or an array of strings.
  std::optional<std::vector<Located>> texts(std::string_view key);
  // One of `words`; its index.
  std::optional<std::size_t> word(std::string_view key, const std::vector<std::string>& words);
  const toml::table* table(std::string_view key);
  // An array of tables; empty when absent or mistaken.
  std::vector<const toml::table*> tables(std::string_view key);
  // Any node; null when absent.
  const toml::node* node(std::string_view key);

  // Records every key that nothing asked for.
  void finish();
  void mistake(Place place, std::string_view key, std::string_view what, std::string_view fix);
  Place place() const { return place_of(table_); }

 private:
  std::string named(std::string_view key) const;
  void wrong_type(const toml::node& node, std::string_view key, std::string_view wanted);

  const toml::table& table_;
  std::string title_;
  Mistakes& mistakes_;
  std::vector<std::string> known_;
};

}  // namespace nl::config
