// The parts of a mail: what it says, and what hangs on it.
//
// Walks the tree that GMime made, with a bound on its depth, on the number of parts and on the text
// in all. Of alternatives the plain text is taken, or the HTML where the plain one says next to
// nothing. Encrypted parts stay closed. One thread.
#pragma once

#include <gmime/gmime.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace nl::documents::foreign {

struct MailPart {
  std::string name;
  std::string media_type;
  std::uint64_t bytes = 0;
  std::string text;
};

struct MailParts {
  std::string text;
  std::vector<MailPart> attachments;
  std::set<std::string> notes;
};

struct PartsOrder {
  std::size_t text_bytes_max = 0;
  // The headers of a mail within the mail, as text above its own.
  std::string (*heading)(GMimeMessage* message) = nullptr;
};

MailParts parts_of(GMimeMessage* message, const PartsOrder& order);

}  // namespace nl::documents::foreign
