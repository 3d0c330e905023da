#include "documents/format.h"

#include <algorithm>
#include <array>
#include <optional>

#include "documents/text_encoding.h"

namespace nl::documents {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t kFieldNameBytesMax = 76;

struct Magic {
  std::string_view start;
  std::string_view what;
};

constexpr std::array kUnread = {
    Magic{"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv, "an old Office file: save it as PDF or as text"},
    Magic{"{\\rtf"sv, "rich text: save it as PDF or as text"},
    Magic{"\x1F\x8B"sv, "compressed (gzip): unpack it first"},
    Magic{"BZh"sv, "compressed (bzip2): unpack it first"},
    Magic{"\xFD"
          "7zXZ\0"sv,
          "compressed (xz): unpack it first"},
    Magic{"\x28\xB5\x2F\xFD"sv, "compressed (zstd): unpack it first"},
    Magic{"7z\xBC\xAF"sv, "an archive (7z): unpack it first"},
    Magic{"Rar!"sv, "an archive (rar): unpack it first"},
    Magic{"\x7F"
          "ELF"sv,
          "a program"},
    Magic{"SQLite format 3\0"sv, "a database: export what is wanted as CSV"},
    Magic{"!BDN"sv, "an Outlook archive (pst): export its mails as mbox or .eml"},
    Magic{"ID3"sv, "sound: transcribe it first"},
    Magic{"OggS"sv, "sound or video: transcribe it first"},
    Magic{"fLaC"sv, "sound: transcribe it first"},
    Magic{"II*\0"sv, "a TIFF image: save it as PNG or JPEG"},
    Magic{"MM\0*"sv, "a TIFF image: save it as PNG or JPEG"},
    Magic{"%!PS"sv, "PostScript: convert it to PDF"},
};

struct Ending {
  std::string_view ending;
  Format format;
};

constexpr std::array kEndings = {
    Ending{".md", Format::markdown},  Ending{".markdown", Format::markdown},
    Ending{".csv", Format::csv},      Ending{".tsv", Format::csv},
    Ending{".html", Format::html},    Ending{".htm", Format::html},
    Ending{".xhtml", Format::html},   Ending{".eml", Format::mail},
    Ending{".mbox", Format::mailbox}, Ending{".mbx", Format::mailbox},
};

constexpr std::array kSourceEndings = {
    ".bash"sv,  ".c"sv,     ".cc"sv,   ".cfg"sv,   ".cmake"sv, ".conf"sv, ".cpp"sv,  ".cs"sv,
    ".css"sv,   ".cxx"sv,   ".dart"sv, ".diff"sv,  ".ex"sv,    ".exs"sv,  ".go"sv,   ".h"sv,
    ".hh"sv,    ".hpp"sv,   ".hs"sv,   ".ini"sv,   ".java"sv,  ".jl"sv,   ".js"sv,   ".json"sv,
    ".jsx"sv,   ".jsonl"sv, ".kt"sv,   ".lua"sv,   ".m"sv,     ".mjs"sv,  ".ml"sv,   ".nix"sv,
    ".patch"sv, ".php"sv,   ".pl"sv,   ".proto"sv, ".py"sv,    ".r"sv,    ".rb"sv,   ".rs"sv,
    ".scala"sv, ".sh"sv,    ".sql"sv,  ".svg"sv,   ".swift"sv, ".tf"sv,   ".toml"sv, ".ts"sv,
    ".tsx"sv,   ".vue"sv,   ".xml"sv,  ".yaml"sv,  ".yml"sv,   ".zig"sv,  ".zsh"sv,
};

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
}

std::string lower(std::string_view text) {
  std::string made(text);
  std::ranges::transform(made, made.begin(), [](char letter) { return lower(letter); });
  return made;
}

std::optional<std::string_view> image_type(std::string_view head) {
  if (head.starts_with("\x89PNG\r\n\x1A\n"sv)) return "image/png";
  if (head.starts_with("\xFF\xD8\xFF"sv)) return "image/jpeg";
  if (head.starts_with("GIF87a"sv) || head.starts_with("GIF89a"sv)) return "image/gif";
  if (head.starts_with("RIFF"sv) && head.substr(0, 12).ends_with("WEBP"sv)) return "image/webp";
  return std::nullopt;
}

// Control characters that no text has; UTF-16 and UTF-32 are text although they are full of zeros.
bool binary(std::string_view head) {
  const std::string text = decode_text(head).text;
  std::size_t odd = 0;
  std::size_t replaced = 0;
  for (const char each : text) {
    const auto byte = static_cast<unsigned char>(each);
    odd += byte < 0x20 && (byte < 0x07 || byte > 0x0D) && byte != 0x1B ? 1U : 0U;
    replaced += byte == 0xEF ? 1U : 0U;  // at least the start of U+FFFD
  }
  const bool zeros = head.find('\0') != std::string_view::npos;
  return odd * 50 > text.size() || (zeros && replaced * 50 > text.size());
}

// Whether a text may begin with it too.
bool may_be_words(std::string_view magic) {
  return std::ranges::all_of(magic, [](char each) { return each >= ' ' && each < 0x7F; }) &&
         magic != "{\\rtf" && magic != "%!PS";
}

std::optional<std::string> unread(std::string_view name, std::string_view head) {
  for (const Magic& magic : kUnread) {
    if (!head.starts_with(magic.start)) continue;
    if (!may_be_words(magic.start) || binary(head)) return std::string(magic.what);
  }
  if (head.starts_with("PK\x03\x04"sv) || head.starts_with("PK\x05\x06"sv)) {
    const bool office = name.ends_with(".docx") || name.ends_with(".xlsx") ||
                        name.ends_with(".pptx") || name.ends_with(".odt") ||
                        name.ends_with(".ods") || name.ends_with(".odp");
    if (office) return "an Office file: save it as PDF, text or CSV";
    if (name.ends_with(".epub")) return "an e-book: convert it to PDF or text";
    return "an archive (zip): unpack it first";
  }
  if (head.size() > 11 && head.substr(4, 4) == "ftyp"sv) {
    const bool picture = head.substr(8, 3) == "hei"sv || head.substr(8, 3) == "avi"sv;
    return picture ? "a HEIC or AVIF image: save it as PNG or JPEG"
                   : "sound or video: transcribe it first";
  }
  if (head.starts_with("RIFF"sv)) return "sound or video: transcribe it first";
  return std::nullopt;
}

// The fields that a mail has and a memo has not.
bool mail_like(std::string_view head) {
  bool from = false;
  bool other = false;
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find('\n'));
    if (line.empty() || line == "\r") break;
    const bool folded = line.starts_with(' ') || line.starts_with('\t');
    if (!folded && !begins_with_field(line)) return false;
    const std::string field = lower(line.substr(0, line.find(':')));
    from = from || field == "from" || field == "return-path";
    other = other || field == "message-id" || field == "received" || field == "mime-version" ||
            field == "date" || field == "delivered-to";
    head.remove_prefix(std::min(line.size() + 1, head.size()));
  }
  return from && other;
}

bool html_like(std::string_view head) {
  head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n\xEF\xBB\xBF"), head.size()));
  const std::string start = lower(head.substr(0, 14));
  return start.starts_with("<!doctype html") || start.starts_with("<html");
}

Told by_ending(std::string_view name, std::string_view head) {
  for (const Ending& each : kEndings) {
    if (name.ends_with(each.ending)) return {each.format, ""};
  }
  for (const std::string_view ending : kSourceEndings) {
    if (name.ends_with(ending)) return {Format::source, ""};
  }
  if (head.starts_with("#!") || head.starts_with("diff --git ")) return {Format::source, ""};
  return {Format::text, ""};
}

}  // namespace

bool begins_with_field(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && at < kFieldNameBytesMax && text[at] > ' ' && text[at] < 0x7F &&
         text[at] != ':') {
    ++at;
  }
  return at > 0 && at < text.size() && text[at] == ':';
}

Told tell_format(std::string_view file_name, std::string_view head) {
  head = head.substr(0, kHeadBytes);
  const std::string name = lower(file_name);
  // Some writers put bytes before it, but a text may speak of it.
  const std::size_t pdf = head.substr(0, 1024).find("%PDF-"sv);
  if (pdf == 0 || (pdf != std::string_view::npos && name.ends_with(".pdf"))) {
    return {Format::pdf, ""};
  }
  if (const auto type = image_type(head)) return {Format::image, std::string(*type)};
  if (const auto what = unread(name, head)) return {Format::unread, *what};
  const Told told = by_ending(name, head);
  // A mail may carry anything, so its ending counts before a look at its bytes.
  if (told.format == Format::mail || told.format == Format::mailbox) {
    return {head.starts_with("From "sv) ? Format::mailbox : told.format, ""};
  }
  if (binary(head)) return {Format::unread, "neither text nor a format that is read"};
  if (told.format != Format::text) return told;
  if (html_like(head)) return {Format::html, ""};
  if (head.starts_with("From "sv)) {
    const std::size_t line = std::min(head.find('\n'), head.size() - 1);
    if (begins_with_field(head.substr(line + 1))) return {Format::mailbox, ""};
  }
  if (mail_like(head)) return {Format::mail, ""};
  return told;
}

}  // namespace nl::documents
