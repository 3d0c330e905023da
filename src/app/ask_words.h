// The words of `nightlight ask [RECIPE] [FILE...] ["question"]`, sorted.
//
// A first word that names a recipe is one (write ./summary for a file of that name); words that are
// files or folders are files; a last word that is neither is the question. Anything else is a
// mistake that names its fix: a misspelt file must not become a question. Looks at the file system;
// pure otherwise.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/recipes.h"
#include "base/error.h"

namespace nl::app {

struct AskWords {
  const work::Recipe* recipe = nullptr;  // null = a plain question
  std::vector<std::string> files;        // as given; "-" is standard input
  std::string words;
};

// Errors: bad_request, config (the recipe's file is wrong).
Result<AskWords> sort_words(const std::vector<std::string>& given, const Recipes& recipes);

}  // namespace nl::app
