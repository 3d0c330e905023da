#include "documents/foreign/mail_parts.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "documents/foreign/charset.h"
#include "documents/html_text.h"
#include "documents/text_encoding.h"

namespace nl::documents::foreign {
namespace {

constexpr int kDepthMax = 40;
constexpr std::size_t kPartsMax = 1000;
constexpr std::size_t kMetaBytes = 2048;
// A plain text that only says that there is HTML.
constexpr std::size_t kStubBytesMax = 200;
constexpr std::size_t kStubFactor = 4;

std::string media_type_of(GMimeObject* part) {
  GMimeContentType* type = g_mime_object_get_content_type(part);
  if (type == nullptr) return "text/plain";
  char* text = g_mime_content_type_get_mime_type(type);
  std::string made = text == nullptr ? std::string() : std::string(text);
  g_free(text);
  std::ranges::transform(made, made.begin(), [](char each) { return g_ascii_tolower(each); });
  return made;
}

std::string content_of(GMimeObject* part) {
  if (!GMIME_IS_PART(part)) return "";
  GMimeDataWrapper* content = g_mime_part_get_content(GMIME_PART(part));
  if (content == nullptr) return "";
  GMimeStream* stream = g_mime_stream_mem_new();
  g_mime_data_wrapper_write_to_stream(content, stream);
  const GByteArray* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
  std::string made(reinterpret_cast<const char*>(bytes->data), bytes->len);
  g_object_unref(stream);
  return made;
}

std::string name_of(GMimeObject* part) {
  const char* name = GMIME_IS_PART(part) ? g_mime_part_get_filename(GMIME_PART(part)) : nullptr;
  return name == nullptr ? std::string() : std::string(name);
}

bool hangs_on(GMimeObject* part) {
  const char* disposition = g_mime_object_get_disposition(part);
  return disposition != nullptr && g_ascii_strcasecmp(disposition, "attachment") == 0;
}

// The charset that an HTML page says of itself.
std::string meta_charset(std::string_view html) {
  std::string head(html.substr(0, kMetaBytes));
  std::ranges::transform(head, head.begin(), [](char each) { return g_ascii_tolower(each); });
  const std::string_view mark = "charset=";
  const std::size_t found = head.find(mark);
  if (found == std::string::npos) return "";
  std::string_view value = std::string_view(head).substr(found + mark.size());
  if (value.starts_with('"') || value.starts_with('\'')) value.remove_prefix(1);
  return std::string(value.substr(0, value.find_first_of("\"'; />")));
}

class Walk {
 public:
  explicit Walk(const PartsOrder& order) : order_(order), left_(order.text_bytes_max) {}

  void message(GMimeMessage* message, int depth) {
    GMimeObject* top = g_mime_message_get_mime_part(message);
    if (top != nullptr) part(top, depth);
  }

  MailParts take() { return std::move(found_); }

 private:
  void part(GMimeObject* object, int depth) {
    if (depth > kDepthMax) {
      note("parts are nested too deeply: what is inside is not read");
    } else if (++parts_ > kPartsMax) {
      note("it has too many parts: not all are read");
    } else if (GMIME_IS_MULTIPART(object)) {
      multipart(GMIME_MULTIPART(object), depth);
    } else if (GMIME_IS_MESSAGE_PART(object)) {
      message_part(GMIME_MESSAGE_PART(object), depth);
    } else {
      leaf(object);
    }
  }

  void multipart(GMimeMultipart* parts, int depth) {
    const int count = g_mime_multipart_get_count(parts);
    const std::string type = media_type_of(GMIME_OBJECT(parts));
    if (type == "multipart/encrypted") note("it is encrypted: its text cannot be read");
    if (type == "multipart/alternative") {
      alternative(parts, depth);
      return;
    }
    for (int at = 0; at < count; ++at) part(g_mime_multipart_get_part(parts, at), depth + 1);
  }

  void alternative(GMimeMultipart* parts, int depth) {
    const int count = g_mime_multipart_get_count(parts);
    GMimeObject* plain = nullptr;
    std::string richer;
    for (int at = 0; at < count; ++at) {
      GMimeObject* each = g_mime_multipart_get_part(parts, at);
      const std::string type = media_type_of(each);
      if (type == "text/plain" && plain == nullptr && !hangs_on(each)) {
        plain = each;
      } else {
        // Attachments may stand in any of them.
        std::string text = text_apart(each, depth);
        if (!text.empty()) richer = std::move(text);
      }
    }
    const std::string words = plain == nullptr ? std::string() : text_of(plain);
    const bool stub = words.size() < kStubBytesMax && richer.size() > kStubFactor * words.size();
    add_text(stub ? richer : words);
  }

  // What `object` adds to the text, without adding it.
  std::string text_apart(GMimeObject* object, int depth) {
    const std::string before = std::exchange(found_.text, "");
    part(object, depth + 1);
    left_ += found_.text.size();
    return std::exchange(found_.text, before);
  }

  void message_part(GMimeMessagePart* object, int depth) {
    MailPart made;
    made.media_type = media_type_of(GMIME_OBJECT(object));
    GMimeMessage* inside = g_mime_message_part_get_message(object);
    if (inside != nullptr) {
      const char* subject = g_mime_message_get_subject(inside);
      made.name = subject == nullptr ? std::string() : std::string(subject);
      PartsOrder order = order_;
      order.text_bytes_max = left_;
      Walk walk(order);
      walk.parts_ = parts_;
      walk.message(inside, depth + 1);
      parts_ = walk.parts_;
      MailParts parts = walk.take();
      made.text = spent(order_.heading(inside) + parts.text);
      made.bytes = made.text.size();
      std::ranges::move(parts.attachments, std::back_inserter(found_.attachments));
      found_.notes.merge(parts.notes);
    }
    found_.attachments.push_back(std::move(made));
  }

  void leaf(GMimeObject* object) {
    const std::string type = media_type_of(object);
    const bool words = type == "text/plain" || type == "text/html" || type == "text/enriched";
    if (words && !hangs_on(object) && name_of(object).empty()) {
      add_text(text_of(object));
      return;
    }
    MailPart made;
    made.name = name_of(object);
    made.media_type = type;
    made.bytes = content_of(object).size();
    if (type.starts_with("text/")) made.text = spent(text_of(object));
    if (type == "application/pkcs7-mime" || type == "application/x-pkcs7-mime") {
      note("it is encrypted or signed by S/MIME: its text cannot be read");
    }
    found_.attachments.push_back(std::move(made));
  }

  std::string text_of(GMimeObject* part) {
    const std::string bytes = content_of(part);
    const char* named = g_mime_object_get_content_type_parameter(part, "charset");
    std::string charset = named == nullptr ? std::string() : std::string(named);
    const bool html = media_type_of(part) == "text/html";
    if (html && charset.empty()) charset = meta_charset(bytes);
    Decoded decoded = from_charset(bytes, charset);
    if (!decoded.note.empty()) note(decoded.note);
    return html ? html_to_text(decoded.text) : std::move(decoded.text);
  }

  void add_text(std::string_view text) {
    if (text.empty()) return;
    if (!found_.text.empty()) found_.text += found_.text.ends_with('\n') ? "\n" : "\n\n";
    found_.text += spent(text);
  }

  // `text` as far as there is room for it.
  std::string spent(std::string_view text) {
    const std::string_view fits = cut_utf8(text, left_);
    if (fits.size() < text.size()) note("its text is cut: there is more than is read");
    left_ -= fits.size();
    return std::string(fits);
  }

  void note(const std::string& text) { found_.notes.insert(text); }

  PartsOrder order_;
  MailParts found_;
  std::size_t left_;
  std::size_t parts_ = 0;
};

}  // namespace

MailParts parts_of(GMimeMessage* message, const PartsOrder& order) {
  Walk walk(order);
  walk.message(message, 0);
  return walk.take();
}

}  // namespace nl::documents::foreign
