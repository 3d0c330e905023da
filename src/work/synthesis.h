// Synthesis: from the notes in a journal to one answer, in as many steps as the window asks for.
//
// Notes that do not fit are shortened group by group, each group keeping the numbers of its
// sources, until they do; a group whose short form is cut at its limit is halved. Every step is in
// the journal, so that none is paid for twice. A number that no source has is dropped from notes
// and told of in the answer. One thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "work/note_list.h"
#include "work/research.h"

namespace nl::work {

// A document whose parts are in the journal.
struct ReadDocument {
  std::string digest;
  std::string name;
};

class Synthesis {
 public:
  Synthesis(Asker& asker, const ResearchSetup& setup, ResearchJournal& journal, Effort& effort)
      : asker_(asker), setup_(setup), journal_(journal), effort_(effort) {}

  // The answer from all notes on `documents`, which outlive this; empty when there is no note.
  // Errors: the Asker's and the journal's; too_large when a target cannot shorten notes.
  Result<std::string> answer(const std::vector<ReadDocument>& documents, ResearchView& view,
                             const OnText& on_text);
  // The sources with these numbers, in order; a number that has none is left out.
  Result<std::vector<Source>> sources(const std::vector<std::size_t>& numbers) const;

  std::size_t notes() const { return notes_; }
  const std::string& who() const { return who_; }
  // Whether the answer ends where its limit was reached.
  bool cut() const { return cut_; }

 private:
  // A part in the journal and the number of its first claim.
  struct Numbered {
    std::uint64_t place = 0;
    std::size_t first = 0;
    const ReadDocument* document = nullptr;
  };

  Result<void> number(const std::vector<ReadDocument>& documents);
  Result<std::string> from_notes(ResearchView& view, const OnText& on_text);
  Result<void> measure();
  Result<std::vector<Note>> first_notes(ResearchView& view);
  Result<std::vector<Note>> shortened(const std::vector<Note>& group, ResearchView& view);
  Result<std::vector<Note>> halved(const std::vector<Note>& group, ResearchView& view);
  Result<std::vector<Note>> condensed(std::vector<Note> notes, ResearchView& view);
  Prompt prompt_of(std::string_view text, const std::string& notes) const;
  Result<MadeText> made(const Prompt& prompt, const OnText& on_text);

  Asker& asker_;
  const ResearchSetup& setup_;
  ResearchJournal& journal_;
  Effort& effort_;
  std::vector<Numbered> parts_;
  std::size_t documents_ = 0;
  std::size_t notes_ = 0;
  std::int64_t room_ = 0;  // tokens of notes in one prompt
  double share_ = 1.0;     // of what is free: less where the gateway counts more than we do
  std::string who_;
  bool cut_ = false;
};

}  // namespace nl::work
