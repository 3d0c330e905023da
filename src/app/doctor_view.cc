#include "app/doctor_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "dialect/json_writer.h"
#include "doctor/kinds.h"

namespace nl::app {
namespace {

using doctor::Finding;
using doctor::Severity;

const char* colour_of(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "\033[36m";
    case Severity::warning:
      return "\033[33m";
    case Severity::fault:
      return "\033[31m";
  }
  return "";
}

std::string counted(const doctor::Findings& findings, Severity severity) {
  const auto count = std::ranges::count(findings, severity, &Finding::severity);
  return fmt::format("{} {}{}", count, doctor::name(severity), count == 1 ? "" : "s");
}

std::string headline(const doctor::Findings& findings) {
  if (findings.empty()) return "All well.\n";
  return fmt::format("{}, {}, {}\n", counted(findings, Severity::fault),
                     counted(findings, Severity::warning), counted(findings, Severity::note));
}

const char* word_for(int status) {
  if (status == 0) return "well";
  return status == 1 ? "warnings" : "faults";
}

}  // namespace

std::string diagnosis_text(const Diagnosis& diagnosis, Ink ink) {
  std::string text = headline(diagnosis.findings);
  for (const std::string& line : diagnosis.repaired) text += line + "\n";
  for (const Finding& finding : diagnosis.findings) {
    const bool coloured = ink == Ink::coloured;
    text += fmt::format("\n{}{:<8}{} {}: {}\n         fix: {}\n",
                        coloured ? colour_of(finding.severity) : "", name(finding.severity),
                        coloured ? "\033[0m" : "", doctor::row_of(finding.kind).id, finding.what,
                        finding.fix);
  }
  if (!diagnosis.looked_at.empty()) text += "\nLooked at:\n";
  for (const std::string& line : diagnosis.looked_at) text += "  " + line + "\n";
  return text;
}

std::string diagnosis_json(const Diagnosis& diagnosis) {
  std::string text;
  dialect::JsonWriter writer(text);
  const int status = doctor::exit_status(diagnosis.findings);
  writer.begin_object().string("state", word_for(status)).integer("exit_status", status);
  writer.key("findings").begin_array();
  for (const Finding& finding : diagnosis.findings) {
    writer.begin_object().string("id", doctor::row_of(finding.kind).id);
    writer.string("severity", name(finding.severity)).string("what", finding.what);
    writer.string("fix", finding.fix).boolean("repairable", finding.repair.has_value());
    writer.end_object();
  }
  writer.end_array().key("repaired").begin_array();
  for (const std::string& line : diagnosis.repaired) writer.string(line);
  writer.end_array().key("looked_at").begin_array();
  for (const std::string& line : diagnosis.looked_at) writer.string(line);
  writer.end_array().end_object();
  return text + "\n";
}

}  // namespace nl::app
