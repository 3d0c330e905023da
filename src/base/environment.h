// Environment: a copy of the process's variables, taken once at start.
//
// Configuration reads variables only from here, so a test passes its own and a reload still finds a
// key that has been cleared from the process. Values are wiped when it dies. Any thread once made.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"

namespace nl {

class Environment {
 public:
  Environment() = default;
  // The variables of this process.
  static Environment of_process();

  // The value of `name`; nothing when it is unset or empty. Valid while this lives.
  std::optional<std::string_view> find(const std::string& name) const;
  // `find` as a string; empty when unset.
  std::string text(const std::string& name) const;
  void set(const std::string& name, std::string_view value);
  void remove(const std::string& name) { values_.erase(name); }
  // All of it as NAME=value, for another program. May hold keys: the caller wipes it.
  std::vector<std::string> entries() const;

 private:
  std::map<std::string, Secret, std::less<>> values_;
};

// Overwrites the values of `names` in this process's environment and removes them, so that no child
// and no look at /proc finds them. Before other threads start.
void clear_variables(const std::vector<std::string>& names);

}  // namespace nl
