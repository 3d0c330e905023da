#include "documents/mail_document.h"

#include <fmt/format.h>

#include <utility>

namespace nl::documents {
namespace {

constexpr std::size_t kNotesMax = 100;

void add_line(std::string& text, std::string_view label, std::string_view value) {
  if (!value.empty()) text += fmt::format("{}: {}\n", label, value);
}

void add_mail(Document& document, const Mail& mail, std::size_t position) {
  if (position > 1) document.text += "\n----------\n\n";
  document.text += mail_text(mail);
  for (const std::string& note : mail.notes) {
    if (document.notes.size() < kNotesMax) {
      document.notes.push_back(fmt::format("mail {}: {}", position, note));
    }
  }
}

}  // namespace

std::string mail_text(const Mail& mail) {
  std::string text;
  add_line(text, "From", mail.from);
  add_line(text, "To", mail.to);
  add_line(text, "Date", mail.date);
  add_line(text, "Subject", mail.subject);
  text += "\n" + mail.text;
  if (!text.ends_with('\n')) text += '\n';
  for (const Attachment& each : mail.attachments) {
    text +=
        fmt::format("\n[attachment: {} ({}, {} bytes)]\n", each.name, each.media_type, each.bytes);
    text += each.text;
    if (!text.ends_with('\n')) text += '\n';
  }
  return text;
}

Result<void> take_mails(Document& document, std::string bytes, const ReadLimits& limits) {
  Result<Mailbox> box = Mailbox::open(document.name, std::move(bytes), limits);
  if (!box) return std::unexpected(box.error());
  std::size_t position = 0;
  while (true) {
    const auto mail = box->next();
    if (!mail) return std::unexpected(mail.error());
    if (!*mail) return {};
    if (document.text.size() > limits.text_bytes_max) {
      document.notes.push_back(fmt::format("only the first {} mails were read", position));
      return {};
    }
    add_mail(document, **mail, ++position);
  }
}

}  // namespace nl::documents
