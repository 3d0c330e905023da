#include "clients/edit.h"

#include <algorithm>
#include <array>
#include <utility>

#include "clients/block_edit.h"
#include "clients/json_edit.h"
#include "clients/toml_edit.h"

namespace nl::clients {
namespace {

constexpr std::array<std::pair<Format, const char*>, 5> kNames{{{Format::json, "json"},
                                                                {Format::toml, "toml"},
                                                                {Format::shell, "shell"},
                                                                {Format::fish, "fish"},
                                                                {Format::variables, "variables"}}};

using Set = Result<std::optional<Change>> (*)(std::string& text, const Setting& setting);
using Unset = Result<std::string> (*)(std::string& text, const Change& change);

Result<Edited> apply_each(Set set, std::string_view text, const std::vector<Setting>& settings) {
  Edited edited{std::string(text), {}};
  for (const Setting& setting : settings) {
    auto change = set(edited.text, setting);
    if (!change) return std::unexpected(std::move(change.error()));
    if (*change) edited.changes.push_back(std::move(**change));
  }
  return edited;
}

Result<Undone> undo_each(Unset unset, std::string_view text, const std::vector<Change>& changes) {
  Undone undone{std::string(text), {}};
  for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
    auto left = unset(undone.text, *change);
    if (!left) return std::unexpected(std::move(left.error()));
    if (!left->empty()) undone.left.push_back(std::move(*left));
  }
  return undone;
}

}  // namespace

const char* name(Format format) {
  for (const auto& [one, text] : kNames) {
    if (one == format) return text;
  }
  return "";
}

std::optional<Format> format_named(std::string_view name) {
  for (const auto& [one, text] : kNames) {
    if (name == text) return one;
  }
  return std::nullopt;
}

Result<Edited> apply(Format format, std::string_view text, const std::vector<Setting>& settings) {
  switch (format) {
    case Format::json:
      return apply_each(set_json, text, settings);
    case Format::toml:
      return apply_each(set_toml, text, settings);
    case Format::shell:
    case Format::fish:
    case Format::variables:
      return put_block(format, text, settings);
  }
  return fail(ErrorCode::internal, "no such format");
}

Result<Undone> undo(Format format, std::string_view text, const std::vector<Change>& changes) {
  switch (format) {
    case Format::json:
      return undo_each(unset_json, text, changes);
    case Format::toml:
      return undo_each(unset_toml, text, changes);
    case Format::shell:
    case Format::fish:
    case Format::variables:
      return take_block(text, changes);
  }
  return fail(ErrorCode::internal, "no such format");
}

std::string dotted(const std::vector<std::string>& path) {
  std::string text;
  for (const std::string& part : path) text += (text.empty() ? "" : ".") + part;
  return text;
}

std::string line_end(std::string_view text) {
  const std::size_t at = text.find('\n');
  return at != std::string_view::npos && at > 0 && text[at - 1] == '\r' ? "\r\n" : "\n";
}

std::size_t line_number(std::string_view text, std::size_t at) {
  const std::string_view before = text.substr(0, at);
  return 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
}

std::optional<std::string_view> indent_before(std::string_view text, std::size_t at) {
  const std::size_t end = text.substr(0, at).rfind('\n');
  const std::size_t start = end == std::string_view::npos ? 0 : end + 1;
  const std::string_view indent = text.substr(start, at - start);
  if (indent.find_first_not_of(" \t") != std::string_view::npos) return std::nullopt;
  return indent;
}

}  // namespace nl::clients
