// Research: a question to many documents, read part by part, and an answer whose claims name their
// sources.
//
// Each document is read once: cut to what the target's real window takes, asked for claims with
// quotes, and noted in the journal before the next part is asked. Then the notes, shortened where
// they do not fit, become the answer. Documents are held one at a time, notes in the journal. Who
// answers may change on the way; parts follow the window. One thread; Ctrl-C ends it at the part
// under way, and the same command goes on from there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "documents/document.h"
#include "work/endpoint.h"
#include "work/recipe.h"
#include "work/research_journal.h"

namespace nl::work {

// A claim that the answer names, with where it stands.
struct Source {
  std::size_t number = 0;
  std::string document;
  std::string place;
  std::string claim, quote;
  bool found = false;  // the quote stands there
};

struct Unread {
  std::string document;
  std::string why;
};

// What it took so far.
struct Effort {
  std::size_t asked = 0;  // prompts of this run
  std::size_t known = 0;  // parts that an earlier run had read
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  double cost_usd = 0;
  std::size_t unpriced = 0;  // answers without a known price
  Duration took{};
};

struct ResearchProgress {
  std::size_t documents = 0;
  std::size_t done = 0;
  std::size_t claims = 0;
  std::string document;  // being read; empty once all are
  std::string who;       // who answered last
  Effort effort;
};

class ResearchView {
 public:
  virtual ~ResearchView() = default;
  virtual void progress(const ResearchProgress& progress) = 0;
  // Something a person should know, a line without its end.
  virtual void note(const std::string& text) = 0;
};

struct ResearchSetup {
  const Recipe& recipe;
  std::string words;                         // the question
  std::vector<std::filesystem::path> files;  // in the order in which sources are numbered
  documents::ReadLimits limits;
  Prompt base;  // route, task and model of every prompt
};

struct ResearchResult {
  std::string answer;
  std::vector<Source> sources;          // those that the answer names, by number
  std::vector<std::size_t> no_sources;  // numbers in the answer that are no source
  std::vector<Unread> unread;
  std::vector<Unread> left_out;  // in the folders, of forms that are not read
  std::size_t documents = 0;     // read
  std::size_t claims = 0;
  bool cut = false;  // the answer ends where its limit was reached
  std::string who;
  Effort effort;
};

// The first line of the journal of this research.
std::string research_key(const Recipe& recipe, const std::string& words, const Prompt& base);

// Errors: those of the Asker and of the journal; what was read until then is kept. A document that
// cannot be read is none: it is listed in `unread`.
Result<ResearchResult> research(Asker& asker, const ResearchSetup& setup, ResearchJournal& journal,
                                ResearchView& view, const OnText& on_answer);

}  // namespace nl::work
