// What people see: text made safe for a terminal, the line about an answer, the same for programs.
//
// A model's text may hold anything, and so may a document's: on a terminal nothing of it may act.
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "work/research.h"

namespace nl::work {

// `text` without the characters that steer a terminal; line ends and tabs stay.
std::string visible(std::string_view text);

// "tier 3 local, engine/gemma4:e4b: 1203 tokens in, 240 out, $0.00, 4.2 s (first words 0.8 s)".
std::string line_about(const Reply& reply);

// What is wrong with a whole answer: cut at its limit, shortened on its way; empty = nothing.
std::string trouble_of(const Reply& reply);

// One JSON object with its line end.
std::string json_of(const Reply& reply, const std::vector<documents::Document>& documents,
                    std::string_view recipe);

// The sources of an answer, a line each, under a heading.
std::string sources_text(const ResearchResult& result);
// "read 198 of 200 documents, 431 statements; asked 12 times, 4 parts known from before, ...".
std::string line_about(const ResearchResult& result);
std::string json_of(const ResearchResult& result);
// The whole as a file: question, answer, sources, what was not read.
std::string markdown_of(const ResearchResult& result, std::string_view question);

}  // namespace nl::work
