#include "documents/foreign/mime.h"

#include <gmime/gmime.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>

#include "documents/foreign/mail_parts.h"
#include "documents/foreign/say.h"
#include "documents/record.h"
#include "documents/text_encoding.h"

namespace nl::documents::foreign {
namespace {

// Of a mail whose parts cannot be told apart.
constexpr std::size_t kRawBytesMax = std::size_t{64} << 10U;

template <typename T>
struct Unref {
  void operator()(T* object) const { g_object_unref(object); }
};
template <typename T>
using Owned = std::unique_ptr<T, Unref<T>>;

struct Free {
  void operator()(void* memory) const { g_free(memory); }
};
using OwnedText = std::unique_ptr<char, Free>;

std::string owned(char* text) {
  const OwnedText held(text);
  return held ? std::string(held.get()) : std::string();
}

// What GMime has to say of the form of a mail, as far as it means that something is missing.
void take_warning(gint64 /*offset*/, GMimeParserWarning what, const gchar* /*item*/,
                  gpointer notes) {
  auto& known = *static_cast<std::set<std::string>*>(notes);
  if (what == GMIME_CRIT_NESTING_OVERFLOW) {
    known.insert("parts are nested too deeply: what is inside is not read");
  }
  if (what == GMIME_WARN_TRUNCATED_MESSAGE) known.insert("the mail ends in the middle");
  if (what == GMIME_WARN_MALFORMED_MULTIPART || what == GMIME_CRIT_MULTIPART_WITHOUT_BOUNDARY) {
    known.insert("its parts are damaged: they may not all be found");
  }
  if (what == GMIME_CRIT_INVALID_HEADER_NAME || what == GMIME_WARN_MALFORMED_MESSAGE) {
    known.insert("its headers are damaged: they may not all be found");
  }
}

struct OptionsFree {
  void operator()(GMimeParserOptions* options) const { g_mime_parser_options_free(options); }
};
using Options = std::unique_ptr<GMimeParserOptions, OptionsFree>;

Options options(std::set<std::string>& notes) {
  Options made(g_mime_parser_options_new());
  const char* charsets[] = {"utf-8", "windows-1252", nullptr};
  g_mime_parser_options_set_fallback_charsets(made.get(), charsets);
  g_mime_parser_options_set_warning_callback(made.get(), take_warning, &notes);
  return made;
}

std::string date_of(GMimeMessage* message) {
  GDateTime* date = g_mime_message_get_date(message);
  if (date == nullptr) return "";
  GDateTime* universal = g_date_time_to_utc(date);
  if (universal == nullptr) return "";
  std::string text = owned(g_date_time_format(universal, "%Y-%m-%dT%H:%M:%SZ"));
  g_date_time_unref(universal);
  return text;
}

std::string id_of(GMimeMessage* message) {
  const char* id = g_mime_message_get_message_id(message);
  return id == nullptr ? std::string() : std::string(id);
}

std::string raw_header(GMimeMessage* message, const char* name) {
  const char* value = g_mime_object_get_header(GMIME_OBJECT(message), name);
  return value == nullptr ? std::string() : std::string(value);
}

// The addresses as people read them; what is no address list comes as it stands.
std::string addresses(GMimeMessage* message, InternetAddressList* list, const char* header) {
  const bool any = list != nullptr && internet_address_list_length(list) > 0;
  return any ? owned(internet_address_list_to_string(list, nullptr, FALSE))
             : raw_header(message, header);
}

std::string subject_of(GMimeMessage* message) {
  const char* subject = g_mime_message_get_subject(message);
  return subject == nullptr ? std::string() : std::string(subject);
}

// A mail in a mail: its headers as lines above its text.
std::string heading(GMimeMessage* message) {
  const auto line = [](std::string_view label, const std::string& value) {
    return value.empty() ? std::string() : std::string(label) + one_line(value, 1000) + "\n";
  };
  std::string text = line("From: ", addresses(message, g_mime_message_get_from(message), "From"));
  text += line("To: ", addresses(message, g_mime_message_get_to(message), "To"));
  text += line("Date: ", date_of(message));
  text += line("Subject: ", subject_of(message));
  return text + "\n";
}

bool say_headers(GMimeMessage* message) {
  return say(kIdKey, id_of(message)) &&
         say(kFromKey, addresses(message, g_mime_message_get_from(message), "From")) &&
         say(kToKey, addresses(message, g_mime_message_get_to(message), "To")) &&
         say(kDateKey, date_of(message)) && say(kSubjectKey, subject_of(message));
}

bool say_parts(const MailParts& parts) {
  if (!say(kTextKey, parts.text)) return false;
  for (const MailPart& part : parts.attachments) {
    const bool said = say(kAttachmentKey, part.name) && say(kTypeKey, part.media_type) &&
                      say(kSizeKey, std::to_string(part.bytes)) && say(kInsideKey, part.text);
    if (!said) return false;
  }
  return true;
}

bool blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// What stands behind the headers of `bytes`.
std::string_view body_of(std::string_view bytes) {
  const std::size_t unix_end = bytes.find("\n\n");
  const std::size_t mail_end = bytes.find("\r\n\r\n");
  const std::size_t end = std::min(unix_end, mail_end);
  return end == std::string_view::npos ? std::string_view() : bytes.substr(end);
}

// A mail with a body in which no part was found is shown as it stands: nothing is lost.
void keep_body(std::string_view bytes, MailParts& parts) {
  const std::string_view body = body_of(bytes);
  if (!blank(parts.text) || !parts.attachments.empty() || blank(body)) return;
  parts.text = decode_text(body.substr(0, kRawBytesMax)).text;
  parts.notes.insert("its parts cannot be told apart: the start of it is shown as it stands");
}

void note_headers(GMimeMessage* message, std::set<std::string>& notes) {
  const bool has_date = !raw_header(message, "Date").empty();
  if (date_of(message).empty()) {
    notes.insert(has_date ? "its date cannot be read" : "it has no date");
  }
  if (raw_header(message, "From").empty()) notes.insert("it has no sender");
}

}  // namespace

bool say_mail(std::string_view bytes, std::size_t text_bytes_max) {
  g_mime_init();
  std::set<std::string> notes;
  const Options form = options(notes);
  const Owned<GMimeStream> stream(
      g_mime_stream_mem_new_with_buffer(bytes.data(), static_cast<gsize>(bytes.size())));
  const Owned<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
  g_mime_parser_set_persist_stream(parser.get(), FALSE);
  const Owned<GMimeMessage> message(g_mime_parser_construct_message(parser.get(), form.get()));
  if (!message) return say(kErrorKey, "it has no headers") && say(kEndKey, "");
  if (!say_headers(message.get())) return false;

  PartsOrder order;
  order.text_bytes_max = text_bytes_max;
  order.heading = heading;
  MailParts parts = parts_of(message.get(), order);
  keep_body(bytes, parts);
  note_headers(message.get(), notes);
  notes.merge(parts.notes);
  if (!say_parts(parts)) return false;
  return std::ranges::all_of(notes, [](const auto& note) { return say(kNoteKey, note); }) &&
         say(kEndKey, "");
}

}  // namespace nl::documents::foreign
