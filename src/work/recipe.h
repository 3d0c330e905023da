// Recipe: how a named piece of local work is asked for, as its file states it.
//
// Read from TOML by app; a plain value here. Its templates hold {words}, {documents} and the like;
// fill() puts text in their places once, so that what a document says is never taken for a place.
// Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "documents/document.h"

namespace nl::work {

// How a recipe works: one question, a folder part by part, or a mailbox mail by mail.
enum class Way : std::uint8_t { ask, research, mail_triage };

enum class Need : std::uint8_t { required, optional, none };

struct Recipe {
  std::string name, description, example;
  Way way = Way::ask;
  std::string task;   // a label of x-nightlight-task; empty = none
  std::string tier;   // "local", "router", "frontier"; empty = as the configuration says
  std::string model;  // what is asked for; empty = the best of whoever answers
  Need files = Need::optional;
  Need words = Need::required;
  std::string words_default;
  std::string system, prompt;
  std::string merge, answer;           // research: shortening notes, and the answer from them
  std::uint32_t max_tokens = 2048;     // of an answer, or of the notes on one part
  std::uint32_t answer_tokens = 2048;  // research: of the answer
  std::int64_t part_tokens = 12000;    // research: of a part at most
  std::string source;                  // "built-in" or the file's path
  std::string toml;                    // the file itself
};

using Places = std::span<const std::pair<std::string_view, std::string_view>>;

// `text` with every {name} of `places` replaced; {{ and }} stand for braces.
std::string fill(std::string_view text, Places places);

// The first {name} of `text` that is none of `names`, or a brace that belongs to none.
std::optional<std::string> wrong_place(std::string_view text,
                                       std::span<const std::string_view> names);

// Documents as a prompt holds them, each between marks with its name.
std::string marked(std::span<const documents::Document> documents);

}  // namespace nl::work
