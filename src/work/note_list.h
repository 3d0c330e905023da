// Notes: numbered lines of what the sources say, "[12] The claim.", as prompts hold them.
//
// Pure; any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace nl::work {

struct Note {
  std::vector<std::size_t> sources;  // numbers, from 1
  std::string text;
};

std::string line_of(const Note& note);

// `text` with its own numbers in square brackets in round ones: a paper's "[12]" is no source of
// ours.
std::string without_numbers(std::string_view text);

// The numbers in square brackets in `text`, in order, each once: "[3]", "[3][17]", "[3, 17]".
std::vector<std::size_t> numbers_in(std::string_view text);

// The notes in a model's lines. Numbers for which `is_source` is false are dropped, and a line that
// then has none is no note.
std::vector<Note> read_notes(std::string_view text,
                             const std::function<bool(std::size_t)>& is_source);

}  // namespace nl::work
