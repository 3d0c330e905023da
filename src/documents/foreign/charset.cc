#include "documents/foreign/charset.h"

#include <iconv.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

namespace nl::documents::foreign {
namespace {

constexpr std::size_t kNameBytesMax = 40;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
}

// iconv takes more than names: paths and flags have no place in a mail.
bool may_be_name(std::string_view charset) {
  return !charset.empty() && charset.size() <= kNameBytesMax &&
         std::ranges::all_of(charset, [](char each) {
           const char small = lower(each);
           return (small >= 'a' && small <= 'z') || (each >= '0' && each <= '9') || each == '-' ||
                  each == '_' || each == '.' || each == ':';
         });
}

std::string as_known(std::string_view charset) {
  std::string name(charset);
  std::ranges::transform(name, name.begin(), lower);
  // Mail that says Latin-1 or ASCII means what Windows calls so.
  constexpr std::string_view kLatin = "windows-1252";
  constexpr std::string_view kUnicode = "utf-8";
  if (name == "iso-8859-1" || name == "latin1" || name == "latin-1") {
    name = kLatin;
  } else if (name == "us-ascii" || name == "ascii" || name == "default" || name == "7bit") {
    name.clear();
  } else if (name == "utf8" || name == "unicode-1-1-utf-8") {
    name = kUnicode;
  }
  return name;
}

class Converter {
 public:
  explicit Converter(const std::string& charset)
      : descriptor_(iconv_open("UTF-8", charset.c_str())) {}
  ~Converter() {
    if (usable()) iconv_close(descriptor_);
  }
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;

  bool usable() const { return descriptor_ != reinterpret_cast<iconv_t>(-1); }

  Repaired convert(std::string_view bytes) {
    Repaired made;
    std::string room(kRoomBytes, '\0');
    char* from = const_cast<char*>(bytes.data());
    std::size_t left = bytes.size();
    while (left > 0) {
      char* to = room.data();
      std::size_t free = room.size();
      const std::size_t result = iconv(descriptor_, &from, &left, &to, &free);
      const int number = errno;
      made.text.append(room, 0, room.size() - free);
      if (result != static_cast<std::size_t>(-1) || number == E2BIG) continue;
      // EILSEQ, or EINVAL for a character that the end cut off.
      made.text += kReplacement;
      ++made.replaced;
      ++from;
      --left;
      iconv(descriptor_, nullptr, nullptr, nullptr, nullptr);
    }
    return made;
  }

 private:
  static constexpr std::size_t kRoomBytes = std::size_t{64} << 10U;
  iconv_t descriptor_;
};

Decoded guessed(std::string_view bytes, std::string_view said) {
  Decoded decoded = decode_text(bytes);
  if (said.empty()) return decoded;
  const std::string what = "the charset " + one_line(said, kNameBytesMax) + " is not known";
  decoded.note = decoded.note.empty() ? what + "; read as UTF-8" : what + "; " + decoded.note;
  return decoded;
}

}  // namespace

Decoded from_charset(std::string_view bytes, std::string_view charset) {
  const std::string name = as_known(charset);
  if (name.empty()) return guessed(bytes, "");
  if (name == "utf-8") return decode_text(bytes);
  if (!may_be_name(name)) return guessed(bytes, charset);
  Converter converter(name);
  if (!converter.usable()) return guessed(bytes, charset);
  Repaired made = converter.convert(bytes);
  made.text = repair_utf8(made.text).text;
  // Much that cannot be meant: another charset than the named one, most likely.
  if (made.replaced > 0 && repair_utf8(bytes).replaced == 0) {
    return {std::string(bytes), "it is UTF-8 although it says " + name};
  }
  std::string note;
  if (made.replaced > 0) {
    note = std::to_string(made.replaced) + " bytes are not " + name + " and were replaced";
  }
  return {std::move(made.text), std::move(note)};
}

}  // namespace nl::documents::foreign
