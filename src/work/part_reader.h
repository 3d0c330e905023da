// PartReader: one document after the other, part by part, into the journal.
//
// Keeps to the window of whoever answers, which may be another one than at the last part: an answer
// that was shortened on its way, or cut at its end, is asked again with less. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "work/research.h"

namespace nl::work {

class PartReader {
 public:
  PartReader(Asker& asker, const ResearchSetup& setup, ResearchJournal& journal, Effort& effort)
      : asker_(asker), setup_(setup), journal_(journal), effort_(effort) {}

  // Reads what is not in the journal yet. `claims` of it are counted. Errors: the Asker's and the
  // journal's; bad_request when the target refuses this very document.
  Result<void> read(const documents::Document& document, const std::string& digest);

  std::size_t claims() const { return claims_; }
  const std::string& who() const { return who_; }

 private:
  // What fits in one prompt now.
  struct Room {
    std::string target;
    std::int64_t tokens = 0;  // of a part
  };
  struct Part {
    const documents::Document& document;
    std::size_t from = 0;
    std::size_t to = 0;
  };
  enum class Fit : std::uint8_t { good, smaller };

  Prompt prompt_of(const Part& part) const;
  Result<void> measure(const documents::Document& document);
  Result<Fit> fits(const Prompt& prompt, const Part& part);
  Result<std::optional<PartNotes>> ask(const Prompt& prompt, const Part& part);
  Result<PartNotes> read_part(const documents::Document& document, std::size_t from);

  Asker& asker_;
  const ResearchSetup& setup_;
  ResearchJournal& journal_;
  Effort& effort_;
  std::optional<Room> room_;
  std::string who_;
  std::size_t claims_ = 0;
};

// Adds one answer to what it took.
void count(Effort& effort, const Reply& reply);

}  // namespace nl::work
