#include "documents/foreign.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/process.h"
#include "base/process_filter.h"
#include "documents/record.h"
#include "documents/text_encoding.h"

namespace nl::documents {
namespace {

constexpr std::string_view kProgram = "nightlight-documents";
constexpr std::size_t kHeaderBytesMax = 1000;
constexpr std::size_t kAddressesBytesMax = 2000;
constexpr std::size_t kNoteBytesMax = 300;
constexpr std::size_t kNotesMax = 100;
constexpr std::size_t kAttachmentsMax = 1000;
// Framing and what is not text: names, types, notes.
constexpr std::size_t kBesideTextBytes = std::size_t{16} << 20U;
// Of a mail that could not be taken apart.
constexpr std::size_t kRawBytesMax = std::size_t{64} << 10U;

Result<std::string> program() {
  const std::filesystem::path own = own_program();
  const std::filesystem::path folder = own.parent_path();
  for (const auto& place : {folder / kProgram, folder / ".." / "lib" / "nightlight" / kProgram}) {
    if (access(place.c_str(), X_OK) == 0) return place.string();
  }
  return fail(ErrorCode::io, fmt::format("{} is missing: PDF and mail are read by it, and it "
                                         "stands beside nightlight or in ../lib/nightlight",
                                         kProgram));
}

Result<FilterOutcome> ask(std::vector<std::string> arguments, std::string_view bytes,
                          const ForeignLimits& limits) {
  Result<std::string> file = program();
  if (!file) return std::unexpected(file.error());
  FilterOrder order;
  order.arguments = std::move(arguments);
  order.arguments.insert(order.arguments.begin(), *std::move(file));
  order.environment = {"LC_ALL=C.UTF-8", "PATH=/usr/bin:/bin", "HOME=/"};
#ifdef __SANITIZE_ADDRESS__
  // Its shadow is far larger than any bound on address space.
  order.environment.push_back(
      fmt::format("ASAN_OPTIONS=hard_rss_limit_mb={}", limits.memory_bytes_max >> 20U));
#else
  order.memory_bytes_max = limits.memory_bytes_max;
#endif
  order.input = bytes;
  order.time_max = limits.time_max;
  order.output_bytes_max = limits.read.text_bytes_max + kBesideTextBytes;
  return run_filter(order);
}

// Why an answer has no end, for people.
std::string why(const FilterOutcome& outcome, const ForeignLimits& limits) {
  switch (outcome.end) {
    case FilterEnd::timed_out:
      return fmt::format("reading it took longer than {} s",
                         std::chrono::duration_cast<std::chrono::seconds>(limits.time_max).count());
    case FilterEnd::too_much:
      return "it holds more than is read";
    case FilterEnd::crashed:
    case FilterEnd::failed:
    case FilterEnd::done:
      break;
  }
  return "its reader failed at it: it may be damaged or made to do harm";
}

std::string note_of(std::string_view bytes) {
  return one_line(bytes, kNoteBytesMax);
}

std::size_t number(std::string_view digits) {
  std::size_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

struct PdfAnswer {
  PdfText made;
  std::string error;
  std::size_t pages = 0;  // that it has
  std::size_t read = 0;
  std::size_t empty = 0;
  bool whole = false;
};

void add_page(PdfAnswer& answer, std::string_view page) {
  std::string text(page);
  std::erase(text, '\f');  // poppler ends a page with one
  text = plain_lines(text);
  text.erase(std::min(text.find_last_not_of(" \n\t") + 1, text.size()));
  // Empty pages count too, so that a place in the text is a page.
  if (++answer.read > 1) answer.made.text += "\n\f";
  if (text.empty()) ++answer.empty;
  answer.made.text += text;
}

PdfAnswer pdf_answer(std::string_view output) {
  PdfAnswer answer;
  while (const auto found = take_record(output)) {
    if (found->key == kPageKey) add_page(answer, found->value);
    if (found->key == kPagesKey) answer.pages = number(found->value);
    if (found->key == kErrorKey) answer.error = note_of(found->value);
    if (found->key == kEndKey) answer.whole = true;
    if (found->key == kNoteKey && answer.made.notes.size() < kNotesMax) {
      answer.made.notes.push_back(note_of(found->value));
    }
  }
  return answer;
}

void add_attachment(Mail& mail, std::string_view name) {
  Attachment attachment;
  attachment.name = one_line(name, kHeaderBytesMax);
  mail.attachments.push_back(std::move(attachment));
}

void take_into(Mail& mail, const Record& found) {
  const bool inside = !mail.attachments.empty();
  switch (found.key) {
    case kIdKey:
      mail.id = one_line(found.value, kHeaderBytesMax);
      break;
    case kFromKey:
      mail.from = one_line(found.value, kHeaderBytesMax);
      break;
    case kToKey:
      mail.to = one_line(found.value, kAddressesBytesMax);
      break;
    case kDateKey:
      mail.date = one_line(found.value, kHeaderBytesMax);
      break;
    case kSubjectKey:
      mail.subject = one_line(found.value, kHeaderBytesMax);
      break;
    case kTextKey:
      mail.text += plain_lines(found.value);
      break;
    case kNoteKey:
      if (mail.notes.size() < kNotesMax) mail.notes.push_back(note_of(found.value));
      break;
    case kAttachmentKey:
      if (mail.attachments.size() < kAttachmentsMax) add_attachment(mail, found.value);
      break;
    case kTypeKey:
      if (inside) mail.attachments.back().media_type = one_line(found.value, kHeaderBytesMax);
      break;
    case kSizeKey:
      if (inside) mail.attachments.back().bytes = number(found.value);
      break;
    case kInsideKey:
      if (inside) mail.attachments.back().text = plain_lines(found.value);
      break;
    default:
      break;  // a key of the other format
  }
}

Mail as_it_stands(std::string_view bytes, std::string reason) {
  Mail mail;
  const bool cut = bytes.size() > kRawBytesMax;
  mail.text = plain_lines(decode_text(bytes.substr(0, kRawBytesMax)).text);
  mail.notes.push_back("the mail is shown as it stands: " + std::move(reason));
  if (cut) mail.notes.push_back("only its start is shown");
  return mail;
}

}  // namespace

Result<PdfText> pdf_text(std::string_view bytes, const ForeignLimits& limits) {
  const std::vector<std::string> arguments = {"pdf", std::to_string(limits.read.pages_max),
                                              std::to_string(limits.read.text_bytes_max)};
  Result<FilterOutcome> outcome = ask(arguments, bytes, limits);
  if (!outcome) return std::unexpected(outcome.error());
  PdfAnswer answer = pdf_answer(outcome->output);
  if (!answer.error.empty()) return fail(ErrorCode::unsupported, answer.error);
  std::vector<std::string>& notes = answer.made.notes;
  if (!answer.whole && answer.read == 0) {
    return fail(ErrorCode::unsupported, "no page of the PDF can be read: " + why(*outcome, limits));
  }
  if (!answer.whole) {
    notes.push_back(fmt::format("reading stopped after page {} of {}: {}", answer.read,
                                answer.pages, why(*outcome, limits)));
  } else if (answer.read < answer.pages) {
    notes.push_back(
        fmt::format("only the first {} of {} pages were read", answer.read, answer.pages));
  }
  if (answer.empty == answer.read) {
    notes.push_back(
        "the PDF has no text layer: its pages are pictures; recognise its text first, "
        "for example with ocrmypdf");
  } else if (answer.empty > 0) {
    notes.push_back(fmt::format("{} of {} pages have no text", answer.empty, answer.read));
  }
  return std::move(answer.made);
}

Mail take_mail_apart(std::string_view bytes, const ForeignLimits& limits) {
  const std::vector<std::string> arguments = {"mail", std::to_string(limits.read.text_bytes_max)};
  const Result<FilterOutcome> outcome = ask(arguments, bytes, limits);
  if (!outcome) return as_it_stands(bytes, outcome.error().message);
  Mail mail;
  bool whole = false;
  std::string error;
  std::string_view output = outcome->output;
  while (const auto found = take_record(output)) {
    whole = whole || found->key == kEndKey;
    if (found->key == kErrorKey) error = note_of(found->value);
    take_into(mail, *found);
  }
  if (whole && error.empty()) return mail;
  // Headers that had been understood before stay.
  Mail raw = as_it_stands(bytes, error.empty() ? why(*outcome, limits) : error);
  mail.text = std::move(raw.text);
  mail.notes = std::move(raw.notes);
  mail.attachments.clear();
  return mail;
}

}  // namespace nl::documents
