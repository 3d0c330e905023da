#include "app/ask_words.h"

#include <fmt/format.h>

#include <algorithm>

namespace nl::app {
namespace {

bool exists(const std::string& path) {
  std::error_code error;
  return path == "-" || std::filesystem::exists(path, error);
}

// Whether a word that is no file was probably meant to be one.
bool looks_like_a_file(const std::string& word) {
  if (word.find_first_of(" \t\n?") != std::string::npos) return false;
  if (word.find('/') != std::string::npos) return true;
  const std::size_t dot = word.rfind('.');
  if (dot == std::string::npos || dot == 0) return false;
  const std::string ending = word.substr(dot + 1);
  return !ending.empty() && ending.size() <= 5 && std::ranges::all_of(ending, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

std::unexpected<Error> mistake(std::string text) {
  return fail(ErrorCode::bad_request, std::move(text));
}

}  // namespace

Result<AskWords> sort_words(const std::vector<std::string>& given, const Recipes& recipes) {
  AskWords sorted;
  std::size_t at = 0;
  if (!given.empty()) {
    if (const auto broken = recipes.broken.find(given[0]); broken != recipes.broken.end()) {
      return fail(ErrorCode::config, broken->second.message);
    }
    sorted.recipe = recipes.find(given[0]);
    if (sorted.recipe != nullptr) ++at;
  }
  for (; at < given.size(); ++at) {
    const std::string& word = given[at];
    if (exists(word)) {
      sorted.files.push_back(word);
      continue;
    }
    if (at + 1 < given.size() || looks_like_a_file(word)) {
      return mistake(
          fmt::format("there is no file \"{}\"; the question is one word in quotes, "
                      "behind the files",
                      word));
    }
    sorted.words = word;
  }
  return sorted;
}

}  // namespace nl::app
