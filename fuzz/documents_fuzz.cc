// What strangers' files meet before any library does: kinds, encodings, HTML, the cuts of an mbox.
// Whatever the bytes are, the text is valid UTF-8 without NUL, lines for a terminal steer nothing,
// and no byte of a mailbox is lost but marks, quoting signs and empty lines in front.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "documents/format.h"
#include "documents/html_text.h"
#include "documents/mail_source.h"
#include "documents/text_encoding.h"

namespace {

using namespace nl::documents;

constexpr std::size_t kLineBytes = 80;

void expect(bool holds) {
  if (!holds) std::abort();
}

void expect_valid(std::string_view text) {
  expect(repair_utf8(text).replaced == 0);
}

bool control(char each) {
  return (each >= 0 && each < ' ') || each == 0x7F;
}

void try_mailbox(std::string_view bytes) {
  const auto source = mbox_source(InputFile::holding(std::string(bytes)), "", bytes.size());
  std::size_t given = 0;
  while (true) {
    const auto mail = source->next();
    expect(mail.has_value());
    if (!*mail) break;
    expect((*mail)->passed_over_bytes == 0);
    given += (*mail)->bytes.size();
  }
  expect(given <= bytes.size());
  if (bytes.find("From ") == std::string_view::npos) {
    std::string_view rest = bytes;
    while (rest.starts_with("\n") || rest.starts_with("\r\n")) {
      rest.remove_prefix(rest.starts_with("\n") ? 1 : 2);
    }
    expect(given == rest.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Told told = tell_format("file.txt", bytes);
  expect(told.format != Format::image || !told.detail.empty());
  const std::string text = decode_text(bytes).text;
  expect_valid(text);
  const std::string words = html_to_text(text);
  expect_valid(words);
  const std::string line = one_line(bytes, kLineBytes);
  expect_valid(line);
  expect(line.size() <= kLineBytes);
  for (const char each : line) expect(!control(each));
  const std::string lines = plain_lines(bytes);
  expect_valid(lines);
  for (const char each : lines) expect(!control(each) || each == '\n' || each == '\t');
  try_mailbox(bytes);
  return 0;
}
