// Format: what a file is, told by its content first and by the ending of its name second.
//
// Knows the formats that are read and names those that are not, so that a refusal can say what to
// do instead. Looks at the start of the file only. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace nl::documents {

enum class Format : std::uint8_t {
  text,
  markdown,
  source,
  csv,
  html,
  pdf,
  image,
  mail,     // one mail
  mailbox,  // mails behind each other
  unread,   // a format that is not read
};

struct Told {
  Format format = Format::text;
  // Of an image its media type; of an unread format what it is and what to do, for people.
  std::string detail;
};

// How much of the start of a file is looked at.
inline constexpr std::size_t kHeadBytes = 4096;

// `head` is the start of the content, or all of it when it is shorter.
Told tell_format(std::string_view file_name, std::string_view head);

// Whether `text` begins with a header field of a mail, as in "Subject: ".
bool begins_with_field(std::string_view text);

}  // namespace nl::documents
