// Recipes of `ask`: the built-in ones and the user's, from TOML.
//
// A file ~/.config/nightlight/recipes/NAME.toml takes the place of the built-in recipe of that
// name, or adds one. A file that is wrong, or that others could have written, is an error for
// whoever asks by that name and a warning in the list: a copy that is passed over would answer with
// other words than its owner wrote. Reads files; pure otherwise.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/environment.h"
#include "base/error.h"
#include "work/recipe.h"

namespace nl::app {

struct Recipes {
  std::vector<work::Recipe> list;       // by name
  std::map<std::string, Error> broken;  // files that are wrong, by the name they stand for

  // Null when there is none.
  const work::Recipe* find(std::string_view name) const;
};
Recipes load_recipes(const Environment& environment);

// One recipe as a file states it; `path` is for messages. Errors: config, every mistake with its
// line.
Result<work::Recipe> parse_recipe(std::string_view toml, const std::string& path);

// The built-in recipes as files.
std::span<const std::string_view> built_in_recipes();

}  // namespace nl::app
