#include "base/environment.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace nl {

Environment Environment::of_process() {
  Environment made;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    made.set(std::string(text.substr(0, equals)), text.substr(equals + 1));
  }
  return made;
}

std::optional<std::string_view> Environment::find(const std::string& name) const {
  const auto found = values_.find(name);
  if (found == values_.end() || found->second.empty()) return std::nullopt;
  return found->second.reveal();
}

std::string Environment::text(const std::string& name) const {
  return std::string(find(name).value_or(""));
}

void Environment::set(const std::string& name, std::string_view value) {
  values_[name] = Secret(value);
}

std::vector<std::string> Environment::entries() const {
  std::vector<std::string> all;
  for (const auto& [name, value] : values_) all.push_back(name + "=" + std::string(value.reveal()));
  return all;
}

void clear_variables(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    // The bytes stay visible in /proc until they are overwritten in place.
    if (char* value = std::getenv(name.c_str())) explicit_bzero(value, std::strlen(value));
    unsetenv(name.c_str());
  }
}

}  // namespace nl
