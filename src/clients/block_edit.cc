#include "clients/block_edit.h"

#include <fmt/format.h>

#include <algorithm>

#include "clients/masking.h"

namespace nl::clients {
namespace {

constexpr std::string_view kBegin = "# >>> nightlight >>> (`nightlight disconnect` removes this)";
constexpr std::string_view kEnd = "# <<< nightlight <<<";

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

std::string_view bare(std::string_view line) {
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// The block has been edited: what is ours in it goes, the rest stays.
void take_lines(Undone& undone, const Change& change) {
  const std::vector<std::string_view> lines = lines_of(undone.text);
  const std::vector<std::string_view> ours = lines_of(change.inserted);
  std::string kept;
  bool inside = false;
  for (const std::string_view line : lines) {
    if (bare(line) == kBegin && !inside) {
      inside = true;
      continue;
    }
    if (inside && bare(line) == kEnd) {
      inside = false;
      continue;
    }
    const bool is_ours = inside && std::ranges::any_of(ours, [&](std::string_view one) {
                           return bare(one) == bare(line);
                         });
    if (is_ours) continue;
    if (inside) {
      undone.left.push_back(
          fmt::format("a line in the block is not nightlight's and stays: {}", masked(bare(line))));
    }
    kept += line;
  }
  undone.text = std::move(kept);
}

}  // namespace

std::string assignment(Format format, const Setting& setting) {
  const std::string& name = setting.path.back();
  if (format == Format::fish) return fmt::format("set -gx {} \"{}\"", name, setting.value);
  const char* word = format == Format::shell ? "export " : "";
  return fmt::format("{}{}=\"{}\"", word, name, setting.value);
}

Result<Edited> put_block(Format format, std::string_view text,
                         const std::vector<Setting>& settings) {
  const std::string newline = line_end(text);
  Change change{{"variables"}, "", std::nullopt, "", 0, 1};
  if (!text.empty() && !text.ends_with('\n')) change.inserted = newline;
  change.lead = change.inserted.size();
  change.inserted += std::string(kBegin) + newline;
  for (const Setting& setting : settings) {
    const bool is_plain = std::ranges::none_of(setting.value, [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\' || c == '$' || c == '`';
    });
    if (!is_plain) {
      return fail(ErrorCode::config, fmt::format("{}: \"{}\" cannot be written as a variable",
                                                 setting.path.back(), setting.value));
    }
    change.inserted += assignment(format, setting) + newline;
  }
  change.inserted += std::string(kEnd) + newline;
  return Edited{std::string(text) + change.inserted, {change}};
}

Result<Undone> take_block(std::string_view text, const std::vector<Change>& changes) {
  Undone undone{std::string(text), {}};
  for (const Change& change : changes) {
    const std::string_view block = std::string_view(change.inserted).substr(change.lead);
    const std::size_t at = undone.text.rfind(block);
    const bool starts_line = at != std::string::npos && (at == 0 || undone.text[at - 1] == '\n');
    if (!starts_line) {
      take_lines(undone, change);
      continue;
    }
    // The line end before it is ours too, unless it now ends a line that others follow.
    const bool is_last = at + block.size() == undone.text.size();
    const std::size_t lead = is_last ? std::min(change.lead, at) : 0;
    undone.text.erase(at - lead, block.size() + lead);
  }
  return undone;
}

}  // namespace nl::clients
