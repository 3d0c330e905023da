// nightlight-documents: reads one PDF or one mail from standard input and says what is in it.
//
//   nightlight-documents pdf PAGES_MAX TEXT_BYTES_MAX
//   nightlight-documents mail TEXT_BYTES_MAX
//
// Started by nightlight (documents/foreign.h), which bounds its time and memory and believes
// nothing of what it says. It gives up network, files and processes before it looks at its input,
// and ends with _exit: what the libraries keep until their own end does not matter here.
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <exception>
#include <string>
#include <string_view>

#include "base/confinement.h"
#include "documents/foreign/mime.h"
#include "documents/foreign/pdf.h"
#include "documents/foreign/say.h"
#include "documents/record.h"

namespace nl::documents::foreign {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20U;

std::string all_input() {
  std::string bytes;
  while (true) {
    const std::size_t before = bytes.size();
    bytes.resize(before + kPieceBytes);
    const ssize_t size = read(STDIN_FILENO, bytes.data() + before, kPieceBytes);
    bytes.resize(before + static_cast<std::size_t>(size > 0 ? size : 0));
    if (size == 0 || (size < 0 && errno != EINTR)) return bytes;
  }
}

std::size_t number(std::string_view digits) {
  std::size_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

bool said(int count, char** words) {
  const std::string_view what = count > 1 ? words[1] : "";
  if (what == "pdf" && count == 4) {
    return say_pdf(all_input(), PdfBounds{number(words[2]), number(words[3])});
  }
  if (what == "mail" && count == 3) return say_mail(all_input(), number(words[2]));
  return say(kErrorKey, "nightlight-documents is started by nightlight");
}

}  // namespace

bool say(char key, std::string_view value) {
  const std::string made = record(key, value);
  std::string_view left = made;
  while (!left.empty()) {
    const ssize_t written = write(STDOUT_FILENO, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace nl::documents::foreign

int main(int count, char** words) {
  nl::confine_to_reading();  // as far as this system can
  try {
    _exit(nl::documents::foreign::said(count, words) ? 0 : 1);
  } catch (const std::exception&) {
    _exit(2);  // no memory is left, most likely
  }
}
