// Records: how the reading program says what it found, as keys with bytes behind them.
//
// A record is one key byte, the length as four bytes (little end first) and that many bytes. The
// last one of a whole answer has the key kEndKey, so that an answer that was cut off is known as
// such. Written by documents/foreign, read by documents/foreign_answer. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nl::documents {

// The keys. Both programs are built from this file, so they need no numbers of their own.
inline constexpr char kEndKey = '.';
inline constexpr char kErrorKey = '!';  // why there is nothing more, for people
inline constexpr char kNoteKey = 'n';   // what could not be read, for people
inline constexpr char kPagesKey = 'c';  // PDF: how many pages it has, in digits
inline constexpr char kPageKey = 'p';   // PDF: the text of one page
inline constexpr char kIdKey = 'i';     // mail: its headers
inline constexpr char kFromKey = 'f';
inline constexpr char kToKey = 't';
inline constexpr char kDateKey = 'd';
inline constexpr char kSubjectKey = 's';
inline constexpr char kTextKey = 'x';        // mail: what it says
inline constexpr char kAttachmentKey = 'a';  // mail: the name of an attachment, of which follow
inline constexpr char kTypeKey = 'm';        //   its media type,
inline constexpr char kSizeKey = 'b';        //   its size in digits
inline constexpr char kInsideKey = 'y';      //   and its text, if it is text

inline std::string record(char key, std::string_view value) {
  std::string made(1, key);
  const auto size = static_cast<std::uint32_t>(value.size());
  for (unsigned shift = 0; shift < 32; shift += 8) {
    made += static_cast<char>((size >> shift) & 0xFFU);
  }
  return made.append(value.substr(0, size));
}

struct Record {
  char key = kEndKey;
  std::string_view value;
};

// Takes the first whole record off `bytes`; nothing when there is none.
inline std::optional<Record> take_record(std::string_view& bytes) {
  constexpr std::size_t kLead = 5;
  if (bytes.size() < kLead) return std::nullopt;
  std::size_t size = 0;
  for (std::size_t at = kLead - 1; at > 0; --at) {
    size = (size << 8U) | static_cast<unsigned char>(bytes[at]);
  }
  if (bytes.size() - kLead < size) return std::nullopt;
  const Record found{bytes.front(), bytes.substr(kLead, size)};
  bytes.remove_prefix(kLead + size);
  return found;
}

}  // namespace nl::documents
