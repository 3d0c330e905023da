#include "config/url.h"

#include <algorithm>

namespace nl::config {
namespace {

bool digit(char c) {
  return c >= '0' && c <= '9';
}

// "v1", "v2", "v1beta", "v1alpha2".
bool is_version(std::string_view segment) {
  return segment.size() >= 2 && segment[0] == 'v' && digit(segment[1]);
}

bool has_version(std::string_view path) {
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    if (is_version(segment)) return true;
    if (slash == std::string_view::npos) return false;
    path.remove_prefix(slash + 1);
  }
  return false;
}

void trim_slashes(std::string& text, std::size_t least) {
  while (text.size() > least && text.back() == '/') text.pop_back();
}

// What a full address of the dialect's main route ends in.
std::string_view operation_of(dialect::DialectId dialect) {
  switch (dialect) {
    case dialect::DialectId::anthropic:
      return "/messages";
    case dialect::DialectId::openai_chat:
      return "/chat/completions";
    case dialect::DialectId::ollama:
      return "/api/chat";
  }
  return {};
}

}  // namespace

std::string api_root(std::string_view url, dialect::DialectId dialect) {
  std::string root(url);
  const std::size_t scheme = root.find("://");
  const std::size_t authority = scheme == std::string::npos ? 0 : scheme + 3;
  trim_slashes(root, authority);
  const std::string_view operation = operation_of(dialect);
  if (root.ends_with(operation)) root.erase(root.size() - operation.size());
  trim_slashes(root, authority);
  if (dialect == dialect::DialectId::ollama) {
    // Its routes stand below /api, with no version; /v1 is the door of another dialect.
    if (root.ends_with("/api")) root.erase(root.size() - 4);
    while (root.ends_with("/v1")) root.erase(root.size() - 3);
    trim_slashes(root, authority);
    return root;
  }
  while (root.ends_with("/v1/v1")) root.erase(root.size() - 3);
  const std::size_t slash = root.find('/', authority);
  const std::string path = slash == std::string::npos ? "" : root.substr(slash);
  if (!has_version(path)) root += "/v1";
  return root;
}

bool is_loopback(std::string_view host) {
  if (host == "::1" || host == "localhost" || host.ends_with(".localhost")) return true;
  if (!host.starts_with("127.")) return false;
  return std::all_of(host.begin(), host.end(), [](char c) { return digit(c) || c == '.'; }) &&
         std::count(host.begin(), host.end(), '.') == 3;
}

}  // namespace nl::config
