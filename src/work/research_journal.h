// ResearchJournal: what a research has found so far, so that a run that was killed goes on.
//
// One JSON object a line, appended whole and flushed to the disk before the next part is asked; a
// torn last line is dropped. Keyed by what was asked (question, recipe, model, route) and, within,
// by the digest of a document and where the part begins, so a renamed file is known again and a
// changed one is read anew. Memory holds places in the file only. One thread; one process a file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "work/claims.h"

namespace nl::work {

// What one part of one document says.
struct PartNotes {
  std::string document;  // digest
  std::string name;      // of the document when it was read, for people
  std::size_t from = 0;
  std::size_t to = 0;
  std::vector<Claim> claims;
  std::string who;  // provider/model
};

// What a model made of notes.
struct MadeText {
  std::string text;
  bool cut = false;  // it ends where its limit was reached
};

class ResearchJournal {
 public:
  enum class Start : std::uint8_t { go_on, anew };
  // Opens or begins the journal at `path`, mode 0600; anew = what is in it goes. `key` says what
  // was asked. Errors: io (also when another process has it open), config (it is the journal of
  // another question).
  static Result<ResearchJournal> open(const std::string& path, const std::string& key,
                                      Start start = Start::go_on);
  ~ResearchJournal();
  ResearchJournal(ResearchJournal&& other) noexcept;
  ResearchJournal& operator=(ResearchJournal&&) = delete;

  // Where the part that begins at `from` ends, if it is in here.
  std::optional<std::size_t> part_end(const std::string& document, std::size_t from) const;
  Result<void> add(const PartNotes& notes);
  // The parts of a document, in order, each read from the file when asked for.
  std::vector<std::uint64_t> parts_of(const std::string& document) const;
  Result<PartNotes> read(std::uint64_t place) const;

  // By the digest of what they were made of.
  std::optional<MadeText> text(const std::string& digest) const;
  Result<void> add_text(const std::string& digest, const MadeText& made);

 private:
  struct Part {
    std::size_t from = 0;
    std::size_t to = 0;
    std::uint64_t place = 0;
  };

  explicit ResearchJournal(int descriptor) : descriptor_(descriptor) {}
  Result<void> load(const std::string& key);
  void take(std::string_view line, std::uint64_t place);
  Result<std::uint64_t> append(const std::string& line);
  Result<std::string> line_at(std::uint64_t place) const;

  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  std::map<std::string, std::vector<Part>, std::less<>> parts_;  // by digest, in order of `from`
  std::map<std::string, std::uint64_t, std::less<>> texts_;
};

}  // namespace nl::work
