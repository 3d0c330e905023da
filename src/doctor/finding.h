// Finding: one thing that would keep the light off, or dim it, with its fix.
//
// Plain values. Nothing in them is a secret: keys are named by where they stand. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "doctor/kinds.h"

namespace nl::doctor {

// What `--fix` may do by itself: nothing here loses anything that cannot be had again.
enum class RepairKind : std::uint8_t {
  make_private,   // mode 0600 for a file of ours
  remove_socket,  // a socket that nobody listens on
  remove_file,    // what a broken-off pull left
};

struct Repair {
  RepairKind kind = RepairKind::make_private;
  std::vector<std::string> paths;
};

struct Finding {
  Kind kind = Kind::config_mistake;
  Severity severity = Severity::note;
  std::string what;  // one line, with the place
  std::string fix;
  std::optional<Repair> repair;  // nothing = not for a program to do
};

using Findings = std::vector<Finding>;

// A finding with its kind's usual severity; an empty `fix` is the kind's.
Finding found(Kind kind, std::string what, std::string fix = "");

// The worst first; otherwise in the order in which they were found.
void sort(Findings& findings);
void append(Findings& to, Findings more);

// 0 all well (notes aside), 1 warnings, 3 faults. 2 is a mistake in what was asked.
int exit_status(const Findings& findings);

}  // namespace nl::doctor
