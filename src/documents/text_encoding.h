// Encodings: bytes of any origin as valid UTF-8, and text that may be shown on a terminal.
//
// Nothing is ever lost silently: a byte that means nothing becomes U+FFFD and is counted. Pure
// functions over whole texts, in time and memory linear in their input; any thread. Charsets that
// mail names are decoded where mail is read (documents/foreign), not here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nl::documents {

struct Decoded {
  std::string text;  // valid UTF-8 without NUL
  std::string note;  // what was assumed or lost, for people; empty when nothing was
};

// By byte order mark; else UTF-16 by its zeros; else UTF-8; else Windows-1252, the usual rest.
Decoded decode_text(std::string_view bytes);

struct Repaired {
  std::string text;
  std::size_t replaced = 0;  // how many U+FFFD stand for bytes that were not UTF-8, or for NUL
};
Repaired repair_utf8(std::string_view bytes);
std::string from_windows_1252(std::string_view bytes);

// Appends `code` as UTF-8; U+FFFD for what is no character.
void append_utf8(std::string& text, char32_t code);

// The longest start of valid UTF-8 `text` that has at most `bytes_max` bytes and no half character.
std::string_view cut_utf8(std::string_view text, std::size_t bytes_max);

// One line that cannot steer a terminal: control characters become U+FFFD, direction marks and
// invisible characters go, white space becomes single blanks, and beyond `bytes_max` it ends in
// "...". Takes any bytes.
std::string one_line(std::string_view bytes, std::size_t bytes_max);

// Text of several lines that cannot steer a terminal: line ends become "\n", other control
// characters but tab become U+FFFD. Takes any bytes.
std::string plain_lines(std::string_view bytes);

}  // namespace nl::documents
