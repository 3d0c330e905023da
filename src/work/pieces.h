// Pieces: a text cut into parts that fit a window, and where in its document a place is.
//
// Sizes are estimates on the safe side, by the shapes of characters. A part ends at a page, a
// paragraph, a line or a word, in this order of preference, and never inside a character. Pure; any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "documents/document.h"

namespace nl::work {

// How many tokens `text` is at most, as a rule.
std::int64_t safe_tokens(std::string_view text);

// Where the part of `text` that begins at `from` ends, with at most `tokens_max` tokens; always
// behind `from` while there is text.
std::size_t piece_end(std::string_view text, std::size_t from, std::int64_t tokens_max);

// Where `offset` of the document's text is, for people: "page 3", "line 120".
std::string place_at(const documents::Document& document, std::size_t offset);

// The same of a stretch: "lines 1 to 120".
std::string place_of(const documents::Document& document, std::size_t from, std::size_t to);

}  // namespace nl::work
