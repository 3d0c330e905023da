// Claims: what a model says a part of a document states, held against the part itself.
//
// A model's word for its source is worth little; a quote that stands in the text is worth a lot. So
// the place of a claim is where its quote was found, and one whose quote was not found says so.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "documents/document.h"

namespace nl::work {

struct Claim {
  std::string text;
  std::string quote;
  std::string place;   // "page 3"; of the whole part where the quote was not found
  bool found = false;  // the quote stands there
};

// The schema that the notes on a part follow.
extern const std::string_view kClaimsSchema;

// The claims in an answer: JSON of the schema, alone or among other words. Of JSON that is damaged
// or cut the claims that are whole; nothing when there are none. Places are not filled in.
std::optional<std::vector<Claim>> read_claims(std::string_view answer);

// Where `quote` stands in `text`, whatever its spaces, case and punctuation; the first half of a
// long one is enough, and so is the longest of the pieces around "...".
std::optional<std::size_t> find_quote(std::string_view text, std::string_view quote);

// Fills in the places of claims on the part [from, to) of the document.
void locate(std::vector<Claim>& claims, const documents::Document& document, std::size_t from,
            std::size_t to);

}  // namespace nl::work
