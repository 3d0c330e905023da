// What a model on this machine may do in a conversation with tools (`on_local`, DESIGN 2).
#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "gateway/attempt.h"

namespace nl::gateway {
namespace {

constexpr double kContinueFromBillions = 26.0;

// The parameter count a model name states ("gemma4:26b" -> 26, "gemma-4-e4b" -> 4), in billions.
std::optional<double> stated_billions(std::string_view model) {
  for (std::size_t i = 0; i < model.size(); ++i) {
    if (std::isdigit(static_cast<unsigned char>(model[i])) == 0) continue;
    std::size_t end = i;
    double value = 0;
    double scale = 0;
    while (end < model.size()) {
      const char c = model[end];
      if (c >= '0' && c <= '9') {
        value = scale == 0 ? value * 10 + (c - '0') : value + (c - '0') * scale;
        if (scale != 0) scale /= 10;
      } else if (c == '.' && scale == 0) {
        scale = 0.1;
      } else {
        break;
      }
      ++end;
    }
    const bool unit = end < model.size() && (model[end] == 'b' || model[end] == 'B');
    const bool whole_word =
        end + 1 >= model.size() || std::isalnum(static_cast<unsigned char>(model[end + 1])) == 0;
    if (unit && whole_word) return value;
    i = end;
  }
  return std::nullopt;
}

bool begins(std::string_view name, std::string_view word) {
  return name.size() >= word.size() && http::same_name(name.substr(0, word.size()), word);
}

// Names of the agents' reading tools, and the verbs that other tools' names begin with.
bool only_reads(std::string_view name) {
  constexpr std::array<std::string_view, 8> kNames = {
      "Read", "Grep", "Glob", "LS", "WebFetch", "WebSearch", "ToolSearch", "NotebookRead"};
  constexpr std::array<std::string_view, 8> kVerbs = {"read_", "get_",  "list_", "search_",
                                                      "view_", "find_", "grep",  "glob"};
  const auto same = [&](std::string_view known) { return http::same_name(known, name); };
  const auto starts = [&](std::string_view verb) { return begins(name, verb); };
  return std::any_of(kNames.begin(), kNames.end(), same) ||
         std::any_of(kVerbs.begin(), kVerbs.end(), starts);
}

}  // namespace

router::OnLocal local_mode(const chat::Request& request, const router::Policy& policy,
                           const router::Candidate& candidate) {
  if (!is_here(policy, candidate) || request.tools.empty()) return router::OnLocal::proceed;
  if (policy.on_local != router::OnLocal::automatic) return policy.on_local;
  switch (candidate.proof) {
    case router::Proof::safe:
      return router::OnLocal::proceed;
    case router::Proof::not_yet:
      return router::OnLocal::read_only;
    case router::Proof::none:
      break;
  }
  // A name that states no size was chosen by the user knowingly.
  const std::optional<double> billions = stated_billions(candidate.target.model);
  return billions && *billions < kContinueFromBillions ? router::OnLocal::read_only
                                                       : router::OnLocal::proceed;
}

std::vector<std::string> reading_tools(const chat::Request& request) {
  std::vector<std::string> names;
  for (const chat::Tool& tool : request.tools) {
    std::string name = tool.name.utf8();
    if (only_reads(name)) names.push_back(std::move(name));
  }
  // An empty list would mean "all": a name that no tool has leaves none.
  if (names.empty()) names.emplace_back();
  return names;
}

}  // namespace nl::gateway
