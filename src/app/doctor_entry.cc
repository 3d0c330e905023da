#include "app/doctor_entry.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "app/doctor_files.h"
#include "app/listening.h"
#include "dialect/json.h"
#include "doctor/ports.h"
#include "http/certificate.h"
#include "http/listen_lock.h"

namespace nl::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLockPrefix = "listen-";
constexpr std::string_view kLockSuffix = ".lock";
constexpr std::size_t kLocksMax = 256;

std::string reachable_host(const std::string& host) {
  if (host == "0.0.0.0") return "127.0.0.1";
  return host == "::" ? "::1" : host;
}

// The pid that a Nightlight tells at /nightlight/status; 0 = it is none.
int pid_in(const doctor::Answer& answer) {
  dialect::Document document;
  if (answer.status != 200 || !document.parse(answer.body)) return 0;
  if (!document.root()["tiers"].is_array()) return 0;
  return static_cast<int>(document.root()["pid"].integer().value_or(0));
}

// Who takes the connection and then says nothing, or no HTTP, has the port all the same.
bool takes_connections(const doctor::Answer& answer) {
  if (answer.answered()) return true;
  const ErrorCode code = answer.error->code;
  return code == ErrorCode::timeout || code == ErrorCode::reset || code == ErrorCode::protocol ||
         code == ErrorCode::truncated;
}

bool is_socket(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

doctor::AddressFacts facts_of(const AddressQuestion& question, const doctor::Answer& answer,
                              const std::string& locks) {
  const http::ListenAddress& address = question.address;
  doctor::AddressFacts facts;
  facts.text = http::to_text(address);
  facts.nightlight_pid = http::ListenLock::holder(locks, address).value_or(0);
  facts.answers = takes_connections(answer);
  if (facts.nightlight_pid > 0) return facts;
  facts.nightlight_pid = pid_in(answer);
  if (!address.unix_path.empty()) {
    facts.holder = "another program";
    if (!facts.answers && is_socket(address.unix_path)) facts.stale_socket = address.unix_path;
  } else if (facts.answers) {
    facts.holder = doctor::holder_text(doctor::holders_of(address.port));
  }
  return facts;
}

// The address that a lock file is named for: what is no letter, digit, '.' or '-' is _xx there.
std::string address_in(std::string_view name) {
  if (!name.starts_with(kLockPrefix) || !name.ends_with(kLockSuffix)) return "";
  name.remove_prefix(kLockPrefix.size());
  name.remove_suffix(std::min(name.size(), kLockSuffix.size()));
  std::string text;
  for (std::size_t i = 0; i < name.size(); ++i) {
    unsigned value = 0;
    const bool escaped = name[i] == '_' && i + 2 < name.size();
    if (escaped) std::from_chars(name.data() + i + 1, name.data() + i + 3, value, 16);
    text += escaped ? static_cast<char>(value) : name[i];
    if (escaped) i += 2;
  }
  return text;
}

std::vector<doctor::OtherNightlight> others_in(const std::string& locks,
                                               const std::vector<int>& ours) {
  std::vector<doctor::OtherNightlight> others;
  std::error_code error;
  std::size_t looked = 0;
  for (fs::directory_iterator it(locks, error), end; !error && it != end; it.increment(error)) {
    const auto address = http::parse_listen_address(address_in(it->path().filename().string()));
    if (!address || ++looked > kLocksMax) continue;
    const int pid = http::ListenLock::holder(locks, *address).value_or(0);
    const bool known = std::ranges::count(ours, pid) > 0 ||
                       std::ranges::count(others, pid, &doctor::OtherNightlight::pid) > 0;
    if (pid > 0 && !known) others.push_back({http::to_text(*address), pid});
  }
  return others;
}

}  // namespace

EntryQuestions entry_questions(const config::Config& config, std::vector<doctor::Probe>& probes) {
  EntryQuestions questions;
  for (const std::string& text : config.listen) {
    const auto address = http::parse_listen_address(text);
    if (!address || (address->unix_path.empty() && address->port == 0)) continue;
    doctor::Probe probe;
    probe.target = "/nightlight/status";
    if (address->unix_path.empty()) {
      probe.endpoint.scheme = http::Scheme::http;
      probe.endpoint.host = reachable_host(address->host);
      probe.endpoint.port = address->port;
    } else {
      probe.endpoint.scheme = http::Scheme::unix_socket;
      probe.endpoint.host = address->unix_path;
    }
    questions.push_back({*address, probes.size()});
    probes.push_back(std::move(probe));
  }
  return questions;
}

doctor::Findings judge_entry(const config::Config& config, const EntryQuestions& questions,
                             const std::vector<doctor::Answer>& answers) {
  const std::string locks = lock_folder(config);
  doctor::EntryFacts entry;
  entry.now = std::chrono::system_clock::now();
  std::vector<int> ours;
  for (const AddressQuestion& question : questions) {
    entry.addresses.push_back(facts_of(question, answers[question.place], locks));
    ours.push_back(entry.addresses.back().nightlight_pid);
  }
  entry.others = others_in(locks, ours);
  entry.certificate = certificate_file(config);
  if (!entry.certificate.empty()) {
    if (const auto end = http::certificate_end(entry.certificate)) entry.certificate_ends = *end;
  }
  return doctor::check_entry(entry);
}

}  // namespace nl::app
