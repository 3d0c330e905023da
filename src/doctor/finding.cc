#include "doctor/finding.h"

#include <algorithm>
#include <iterator>

namespace nl::doctor {
namespace {

// Messages of other programs and paths may hold anything: one finding is one line.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
}

}  // namespace

Finding found(Kind kind, std::string what, std::string fix) {
  const KindRow& row = row_of(kind);
  Finding made;
  made.kind = kind;
  made.severity = row.severity;
  made.what = one_line(std::move(what));
  made.fix = fix.empty() ? std::string(row.fix) : one_line(std::move(fix));
  return made;
}

void sort(Findings& findings) {
  std::ranges::stable_sort(findings, std::ranges::greater(), &Finding::severity);
}

void append(Findings& to, Findings more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

int exit_status(const Findings& findings) {
  const auto any = [&](Severity severity) {
    return std::ranges::any_of(
        findings, [&](const Finding& finding) { return finding.severity == severity; });
  };
  if (any(Severity::fault)) return 3;
  return any(Severity::warning) ? 1 : 0;
}

}  // namespace nl::doctor
