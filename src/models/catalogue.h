// The catalogue of Gemma 4's sizes, as compiled into this program from catalogue.toml.
//
// Read once per use: small, and only commands and the start need it. parse_catalogue() is pure; any
// thread. It refuses a table with a figure missing, impossible or without a source.
#pragma once

#include <string_view>

#include "base/error.h"
#include "engine/catalogue.h"

namespace nl::models {

// The data file's text, by the build.
extern const std::string_view kCatalogueText;

// Errors: config (the message names the model and the key).
Result<engine::Catalogue> parse_catalogue(std::string_view toml);

// That of this program.
engine::Catalogue catalogue();

}  // namespace nl::models
