// Mailbox: the mails of an mbox, of one .eml file or of a folder of them, one at a time.
//
// Memory is bounded by the largest mail (ReadLimits::file_bytes_max; the rest of a larger one is
// passed over, with a note). Every mail that is in the box comes out exactly once: what is damaged,
// encrypted or beyond understanding comes as far as it can be read, with a note that says so. All
// fields are text for people: valid UTF-8, headers without control and direction characters, so
// that a hostile mail cannot steer a terminal. Nothing in a mail is fetched or run, and attachment
// names are words, never paths. One thread at a time; next() blocks on the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "documents/document.h"

namespace nl::documents {

struct Attachment {
  std::string name;
  std::string media_type;
  std::uint64_t bytes = 0;
  std::string text;  // if it is text, or a mail; else empty
};

struct Mail {
  std::string id;  // Message-ID without its brackets; "#N" by position where it has none
  std::string from;
  std::string to;
  std::string date;  // RFC 3339 in UTC, so that text order is time order; empty if none
  std::string subject;
  std::string text;
  std::vector<Attachment> attachments;
  std::vector<std::string> notes;
};

// Where the bytes of one mail after the other come from.
class MailSource;

class Mailbox {
 public:
  // Errors: io, unsupported (it is no mail at all).
  static Result<Mailbox> open(const std::filesystem::path& path, const ReadLimits& limits);
  // The same of bytes that have no file, such as what a pipe brought. Errors: unsupported.
  static Result<Mailbox> open(const std::string& name, std::string bytes, const ReadLimits& limits);
  ~Mailbox();
  Mailbox(Mailbox&& other) noexcept;
  Mailbox& operator=(Mailbox&& other) noexcept;
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // The next mail, nothing after the last one. Errors: io, after which the box is at its end.
  Result<std::optional<Mail>> next();

 private:
  explicit Mailbox(std::unique_ptr<MailSource> source, const ReadLimits& limits);

  std::unique_ptr<MailSource> source_;
  ReadLimits limits_;
  std::size_t position_ = 0;
};

}  // namespace nl::documents
