#include "documents/document.h"

#include <fmt/format.h>

#include <utility>

#include "documents/foreign.h"
#include "documents/format.h"
#include "documents/html_text.h"
#include "documents/input_file.h"
#include "documents/mail_document.h"
#include "documents/text_encoding.h"

namespace nl::documents {
namespace {

constexpr std::size_t kNameBytesMax = 4096;

void add_note(Document& document, std::string note) {
  if (!note.empty()) document.notes.push_back(std::move(note));
}

void cut_text(Document& document, std::size_t bytes_max) {
  const std::string_view fits = cut_utf8(document.text, bytes_max);
  if (fits.size() == document.text.size()) return;
  add_note(document, fmt::format("only the first {} of its text were read", mebibytes(bytes_max)));
  document.text.resize(fits.size());
}

void take_text(Document& document, std::string_view bytes) {
  Decoded decoded = decode_text(bytes);
  document.text = std::move(decoded.text);
  add_note(document, std::move(decoded.note));
}

Result<void> take_image(Document& document, std::string bytes, const std::string& media_type,
                        const ReadLimits& limits) {
  if (bytes.size() > limits.image_bytes_max) {
    return fail(ErrorCode::too_large, fmt::format("{}: an image over {}", document.name,
                                                  mebibytes(limits.image_bytes_max)));
  }
  document.images.push_back(Image{media_type, std::move(bytes)});
  return {};
}

Result<void> take_pdf(Document& document, std::string_view bytes, const ReadLimits& limits) {
  ForeignLimits bounds;
  bounds.read = limits;
  Result<PdfText> pdf = pdf_text(bytes, bounds);
  if (!pdf) return fail(pdf.error().code, document.name + ": " + pdf.error().message);
  document.text = std::move(pdf->text);
  document.notes = std::move(pdf->notes);
  return {};
}

Kind kind_of(Format format) {
  switch (format) {
    case Format::text:
    case Format::html:
    case Format::unread:
      return Kind::text;
    case Format::markdown:
      return Kind::markdown;
    case Format::source:
      return Kind::source;
    case Format::csv:
      return Kind::csv;
    case Format::pdf:
      return Kind::pdf;
    case Format::image:
      return Kind::image;
    case Format::mail:
    case Format::mailbox:
      return Kind::mail;
  }
  return Kind::text;
}

Result<void> take(Document& document, const Told& told, std::string bytes,
                  const ReadLimits& limits) {
  switch (told.format) {
    case Format::unread:
      return fail(ErrorCode::unsupported, fmt::format("{} is {}", document.name, told.detail));
    case Format::image:
      return take_image(document, std::move(bytes), told.detail, limits);
    case Format::pdf:
      return take_pdf(document, bytes, limits);
    case Format::mail:
    case Format::mailbox:
      return take_mails(document, std::move(bytes), limits);
    case Format::html: {
      take_text(document, bytes);
      document.text = html_to_text(document.text);
      return {};
    }
    case Format::text:
    case Format::markdown:
    case Format::source:
    case Format::csv:
      take_text(document, bytes);
      return {};
  }
  return {};
}

}  // namespace

const char* name(Kind kind) {
  switch (kind) {
    case Kind::text:
      return "text";
    case Kind::markdown:
      return "markdown";
    case Kind::source:
      return "source";
    case Kind::csv:
      return "csv";
    case Kind::pdf:
      return "pdf";
    case Kind::image:
      return "image";
    case Kind::mail:
      return "mail";
  }
  return "text";
}

Result<Document> read_document(const std::filesystem::path& path, const ReadLimits& limits) {
  Result<InputFile> file = InputFile::open(path);
  if (!file) return std::unexpected(file.error());
  Result<std::string> bytes = file->rest(limits.file_bytes_max);
  if (!bytes) return std::unexpected(bytes.error());
  return read_document(path.string(), *std::move(bytes), limits);
}

Result<Document> read_document(std::string name, std::string bytes, const ReadLimits& limits) {
  const std::string shown_name = one_line(name, kNameBytesMax);
  if (bytes.size() > limits.file_bytes_max) {
    return fail(ErrorCode::too_large,
                fmt::format("{}: over {}", shown_name, mebibytes(limits.file_bytes_max)));
  }
  const Told told = tell_format(std::filesystem::path(name).filename().string(), bytes);
  Document document;
  document.name = shown_name;
  document.kind = kind_of(told.format);
  if (auto taken = take(document, told, std::move(bytes), limits); !taken) {
    return std::unexpected(taken.error());
  }
  cut_text(document, limits.text_bytes_max);
  return document;
}

}  // namespace nl::documents
