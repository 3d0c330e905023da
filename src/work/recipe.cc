#include "work/recipe.h"

#include <algorithm>

namespace nl::work {
namespace {

// The {name} at `at` of `text`, without its braces; nothing when there is none.
std::optional<std::string_view> name_at(std::string_view text, std::size_t at) {
  const std::size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", at + 1);
  if (end == std::string_view::npos || text[end] != '}' || end == at + 1) return std::nullopt;
  return text.substr(at + 1, end - at - 1);
}

}  // namespace

std::string fill(std::string_view text, Places places) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const bool doubled = (c == '{' || c == '}') && text.substr(at + 1).starts_with(c);
    if (doubled) ++at;
    if (c != '{' || doubled) {
      out += c;
      continue;
    }
    const auto name = name_at(text, at);
    const auto place =
        std::ranges::find_if(places, [&](const auto& one) { return name && one.first == *name; });
    if (place == places.end()) {
      out += c;
      continue;
    }
    out += place->second;
    at += name->size() + 1;
  }
  const std::size_t first = out.find_first_not_of(" \n");
  if (first == std::string::npos) return {};
  return out.substr(first, out.find_last_not_of(" \n") + 1 - first);
}

std::optional<std::string> wrong_place(std::string_view text,
                                       std::span<const std::string_view> names) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c != '{' && c != '}') continue;
    if (text.substr(at + 1).starts_with(c)) {
      ++at;
      continue;
    }
    const auto name = c == '{' ? name_at(text, at) : std::nullopt;
    if (!name || std::ranges::find(names, *name) == names.end()) {
      return std::string(text.substr(at, name ? name->size() + 2 : 1));
    }
    at += name->size() + 1;
  }
  return std::nullopt;
}

std::string marked(std::span<const documents::Document> documents) {
  std::string out;
  for (const documents::Document& document : documents) {
    // An image goes along as one.
    if (document.text.empty() && !document.images.empty()) continue;
    std::string name = document.name;
    std::ranges::replace(name, '"', '\'');
    if (!out.empty()) out += "\n\n";
    out += "<document name=\"" + name + "\">\n" + document.text;
    if (!out.ends_with('\n')) out += '\n';
    out += "</document>";
  }
  return out;
}

}  // namespace nl::work
