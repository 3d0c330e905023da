// Document: a file of the user as text and images, whatever its format.
//
// First step of `ask` and of every recipe: bytes come in, and what a model can be given comes out.
// The kind is told by content first and by the name's ending second. Texts are decoded to UTF-8,
// HTML becomes readable text, mail its headers and words, PDF its text layer. What cannot be read
// is said in `notes` or refused with an Error; nothing is fetched, rendered or run. Formats that
// need a library are read by a program of their own (documents/foreign.h), so that a hostile file
// costs a document and not this process. Values; any thread; the functions block on files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"

namespace nl::documents {

enum class Kind : std::uint8_t { text, markdown, source, csv, pdf, image, mail };

// The stable word for `kind`, as in "pdf".
const char* name(Kind kind);

// As it was in the file: png, jpeg, gif or webp.
struct Image {
  std::string media_type;
  std::string bytes;
};

struct Document {
  std::string name;  // as the user named it, made safe for a terminal
  Kind kind = Kind::text;
  std::string text;  // valid UTF-8 without NUL; empty for images
  std::vector<Image> images;
  std::vector<std::string> notes;  // for people: what could not be read, and why
};

struct ReadLimits {
  std::size_t file_bytes_max = 64U << 20U;   // a larger file is refused
  std::size_t text_bytes_max = 16U << 20U;   // more text is cut, with a note
  std::size_t image_bytes_max = 20U << 20U;  // a larger image is refused
  std::size_t pages_max = 2000;              // of a PDF; more are left out, with a note
};

// The document in the file `path`. Errors: io (missing, unreadable, a folder), too_large,
// unsupported (a format that is not read, a PDF behind a password, a damaged PDF).
Result<Document> read_document(const std::filesystem::path& path, const ReadLimits& limits);

// The same of bytes that have no file, such as what a pipe brought; `name` is for people and may
// have an ending that tells the kind. Errors: as above without io.
Result<Document> read_document(std::string name, std::string bytes, const ReadLimits& limits);

struct LeftOut {
  std::filesystem::path file;
  std::string why;  // "an Office file: save it as PDF, text or CSV"
};

struct Listing {
  std::vector<std::filesystem::path> files;  // sorted by path
  std::vector<LeftOut> left_out;             // the first ones by path, at most kLeftOutMax
};
inline constexpr std::size_t kLeftOutMax = 1000;

// The files below `folder` that read_document would take or say of why it cannot. Left out: formats
// that are not read and links, which are told, empty files and what is hidden. Errors: io,
// too_large (over `files_max`).
Result<Listing> list_documents(const std::filesystem::path& folder, std::size_t files_max);

}  // namespace nl::documents
