#include "engine/model_name.h"

#include <fmt/format.h>

#include <algorithm>

namespace nl::engine {
namespace {

constexpr std::size_t kWordMax = 96;
constexpr std::size_t kFileMax = 200;
constexpr std::size_t kNameMax = 300;

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// A word of a name: letters, digits, "_", "-" and single dots, beginning with a letter or a digit.
bool is_word(std::string_view text) {
  if (text.empty() || text.size() > kWordMax || !is_alnum(text.front())) return false;
  if (text.ends_with('.') || text.find("..") != std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alnum(c) || c == '_' || c == '-' || c == '.'; });
}

std::unexpected<Error> wrong(std::string_view text, std::string_view why) {
  std::string shown;
  for (const char c : text.substr(0, 80)) shown += c >= ' ' && c < 0x7f ? c : '?';
  return fail(ErrorCode::config, fmt::format("\"{}\" is no name of a model: {}", shown, why));
}

// Cuts `text` at the first `mark`; the part in front is returned, `text` keeps what is behind.
std::string_view cut(std::string_view& text, char mark) {
  const std::size_t at = std::min(text.find(mark), text.size());
  const std::string_view front = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return front;
}

Result<ModelName> parse_hub(std::string_view whole, std::string_view rest) {
  ModelName made;
  made.source = ModelName::Source::hub;
  made.owner = cut(rest, '/');
  made.name = cut(rest, '/');
  made.file = rest;
  if (!is_word(made.owner) || !is_word(made.name) || rest.empty()) {
    return wrong(whole, "write hf:OWNER/REPOSITORY/FILE.gguf");
  }
  if (!rest.ends_with(".gguf") || rest.size() > kFileMax) {
    return wrong(whole, "the file must be a GGUF (.gguf)");
  }
  if (rest.ends_with('/')) return wrong(whole, "no file is named");
  while (!rest.empty()) {
    if (!is_word(cut(rest, '/'))) return wrong(whole, "its path has parts that no file here has");
  }
  return made;
}

}  // namespace

std::string ModelName::text() const {
  if (source == Source::hub) return fmt::format("hf:{}/{}/{}", owner, name, file);
  return owner == "library" ? fmt::format("{}:{}", name, tag)
                            : fmt::format("{}/{}:{}", owner, name, tag);
}

Result<ModelName> parse_model_name(std::string_view text) {
  if (text.find("://") != std::string_view::npos) {
    return fail(ErrorCode::config,
                "an address is no name of a model: write hf:OWNER/REPO/FILE.gguf for a file of the "
                "hub, or download the file yourself and `nightlight pull FILE`");
  }
  if (text.size() > kNameMax) return wrong(text, "it is too long");
  if (text.starts_with("hf:")) return parse_hub(text, text.substr(3));
  ModelName made;
  std::string_view rest = text;
  if (rest.find('/') != std::string_view::npos) {
    made.owner = cut(rest, '/');
  } else {
    made.owner = "library";
  }
  const bool tagged = rest.find(':') != std::string_view::npos;
  made.name = cut(rest, ':');
  made.tag = tagged ? std::string(rest) : "latest";
  if (!is_word(made.owner) || !is_word(made.name) || !is_word(made.tag)) {
    return wrong(text, "write NAME:TAG (gemma4:26b), OWNER/NAME:TAG or hf:OWNER/REPO/FILE.gguf");
  }
  return made;
}

bool is_model_path(std::string_view text) {
  if (text.starts_with("hf:") || text.find("://") != std::string_view::npos) return false;
  return text.starts_with('/') || text.starts_with('.') || text.starts_with('~') ||
         text.ends_with(".gguf");
}

std::string name_for_file(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  std::string_view stem = slash == std::string_view::npos ? path : path.substr(slash + 1);
  if (stem.ends_with(".gguf")) stem.remove_suffix(5);
  std::string name;
  for (const char c : stem.substr(0, kWordMax)) {
    const bool kept = is_alnum(c) || c == '_' || (c == '.' && !name.ends_with('.'));
    if (kept && (is_alnum(c) || !name.empty())) {
      name += c;
    } else if (!name.empty() && !name.ends_with('-')) {
      name += '-';
    }
  }
  while (!name.empty() && !is_alnum(name.back())) name.pop_back();
  return (name.empty() ? "model" : name) + ":local";
}

bool is_sha256(std::string_view hex) {
  return hex.size() == 64 && std::all_of(hex.begin(), hex.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Result<std::string> parse_digest(std::string_view text) {
  constexpr std::string_view kKind = "sha256:";
  if (!text.starts_with(kKind) || !is_sha256(text.substr(kKind.size()))) {
    return fail(ErrorCode::config, "a digest that is not sha256 and 64 hex digits");
  }
  return std::string(text.substr(kKind.size()));
}

}  // namespace nl::engine
