#include "app/successor.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <utility>

#include "base/process.h"

namespace nl::app {
namespace {

namespace fs = std::filesystem;

bool same_file(const std::string& a, const std::string& b) {
  struct stat first {};
  struct stat second {};
  return ::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

// The name is kept, not what it points to now: an update may let a link point elsewhere.
std::string program_path(const std::string& name, const Environment& environment) {
  std::error_code error;
  const std::string running = own_program();
  const auto called = find_program(name, environment.text("PATH"));
  const bool known = called && (running.empty() || same_file(*called, "/proc/self/exe"));
  return known ? fs::absolute(*called, error).string() : running;
}

// Values of variables may be keys.
void wipe(std::vector<std::string>& texts) {
  for (std::string& text : texts) explicit_bzero(text.data(), text.size());
}

}  // namespace

Successor::Successor(std::vector<std::string> words, const Environment& environment)
    : words_(std::move(words)),
      environment_(environment),
      path_(program_path(words_.empty() ? "" : words_.front(), environment)) {}

Error Successor::execute(const Handover& handover) const {
  const std::vector<int> descriptors = descriptors_of(handover);
  std::vector<std::string> variables = environment_.entries();
  variables.push_back(fmt::format("{}={}", kHandoverVariable, handover_text(handover)));
  mark(descriptors, OnExec::keep);
  const Error failed = become(path_, words_, variables);
  mark(descriptors, OnExec::close);
  wipe(variables);
  return failed;
}

Result<Child> Successor::rehearse() const {
  ChildOrder order;
  order.arguments = words_;
  order.arguments.front() = path_;
  order.arguments.emplace_back(kRehearsalOption);
  order.environment = environment_.entries();
  order.folder.assign(1, '.');  // g++ 12 warns of the literal's length here
  auto child = Child::start(order);
  wipe(order.environment);
  return child;
}

}  // namespace nl::app
