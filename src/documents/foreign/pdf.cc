#include "documents/foreign/pdf.h"

#include <poppler/cpp/poppler-document.h>
#include <poppler/cpp/poppler-global.h>
#include <poppler/cpp/poppler-page.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <string>

#include "documents/foreign/say.h"
#include "documents/record.h"

namespace nl::documents::foreign {
namespace {

std::string text_of(const poppler::page& page) {
  // In the order of reading, columns one after the other.
  const poppler::ustring text =
      page.text(poppler::rectf(), poppler::page::non_raw_non_physical_layout);
  const poppler::byte_array bytes = text.to_utf8();
  return std::string(bytes.begin(), bytes.end());
}

bool say_pages(const poppler::document& document, const PdfBounds& bounds) {
  const std::size_t pages = static_cast<std::size_t>(std::max(document.pages(), 0));
  if (!say(kPagesKey, std::to_string(pages))) return false;
  std::size_t left = bounds.text_bytes_max;
  for (std::size_t at = 0; at < std::min(pages, bounds.pages_max) && left > 0; ++at) {
    const std::unique_ptr<poppler::page> page(document.create_page(static_cast<int>(at)));
    std::string text = page ? text_of(*page) : std::string();
    if (!page && !say(kNoteKey, "page " + std::to_string(at + 1) + " is damaged")) return false;
    if (text.size() > left && !say(kNoteKey, "its text is cut: there is more than is read")) {
      return false;
    }
    text.resize(std::min(text.size(), left));
    left -= text.size();
    if (!say(kPageKey, text)) return false;
  }
  return say(kEndKey, "");
}

}  // namespace

bool say_pdf(std::string_view bytes, const PdfBounds& bounds) {
  poppler::set_debug_error_function([](const std::string&, void*) {}, nullptr);
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    return say(kErrorKey, "the PDF is too large") && say(kEndKey, "");
  }
  const std::unique_ptr<poppler::document> document(
      poppler::document::load_from_raw_data(bytes.data(), static_cast<int>(bytes.size())));
  if (!document) {
    return say(kErrorKey, "the PDF is damaged: it cannot be opened") && say(kEndKey, "");
  }
  if (document->is_locked()) {
    return say(kErrorKey, "the PDF is behind a password: save it without one first") &&
           say(kEndKey, "");
  }
  return say_pages(*document, bounds);
}

}  // namespace nl::documents::foreign
