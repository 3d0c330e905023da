// The first load of a model under a plan, verified: what the child says it holds, and one answer.
#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "base/log.h"
#include "engine/pick_model.h"
#include "engine/supervisor_core.h"

namespace nl::engine {

namespace asio = http::asio;

namespace {

constexpr std::string_view kUnlikeThePlan = "loaded, but ";
constexpr int kAnswerTokens = 16;
constexpr int kPromptLines = 48;  // of about eleven tokens each: 512 are to be read
constexpr Duration kLastWords = std::chrono::milliseconds(500);
constexpr Duration kQuestionWithin = std::chrono::seconds(10);

// The number behind `"key":` after `from`; nothing = it is not there.
std::optional<double> number_after(std::string_view json, std::string_view key,
                                   std::size_t from = 0) {
  const std::string quoted = fmt::format("\"{}\":", key);
  const std::size_t at = json.find(quoted, from);
  if (at == std::string_view::npos) return std::nullopt;
  const std::size_t begin = json.find_first_not_of(' ', at + quoted.size());
  if (begin == std::string_view::npos) return std::nullopt;
  double value = 0;
  const auto [stop, error] = std::from_chars(json.data() + begin, json.data() + json.size(), value);
  return error == std::errc() ? std::optional<double>(value) : std::nullopt;
}

int count_of(std::string_view json, std::string_view part) {
  int count = 0;
  for (std::size_t at = json.find(part); at != std::string_view::npos;
       at = json.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

std::string question() {
  std::string text;
  for (int i = 1; i <= kPromptLines; ++i) {
    text += fmt::format("Lamp {} burns; the light stays on here. ", i);
  }
  return fmt::format(R"({{"messages":[{{"role":"user","content":"{}Is it dark? Say yes or no."}}],)"
                     R"("max_tokens":{},"stream":false,"temperature":0,"cache_prompt":false,)"
                     R"("chat_template_kwargs":{{"enable_thinking":false}}}})",
                     text, kAnswerTokens);
}

}  // namespace

asio::awaitable<Supervisor::Core::Reply> Supervisor::Core::post(std::string path, std::string body,
                                                                Duration within) {
  const http::Outgoing outgoing{"POST", path,
                                "connection: close\r\ncontent-type: application/json\r\n", body};
  co_return co_await send(outgoing, within);
}

asio::awaitable<std::string> Supervisor::Core::what_is_wrong(const Prepared& prepared,
                                                             FitEntry& entry) {
  const LaunchPlan& plan = prepared.plan;
  const Reply props = co_await get("/props", kQuestionWithin);
  if (props.status != 200) co_return "does not tell its properties";
  const double context = number_after(props.body, "n_ctx").value_or(0);
  if (context < plan.context_tokens) {
    co_return fmt::format("holds {:.0f} tokens instead of {}", context, plan.context_tokens);
  }
  const Reply slots = co_await get("/slots", kQuestionWithin);
  const int found = count_of(slots.body, "\"n_ctx\":");
  if (slots.status != 200 || found < plan.slots) {
    co_return fmt::format("has {} slots instead of {}", found, plan.slots);
  }
  const Reply answer = co_await post("/v1/chat/completions", question(), limits_.start_within);
  if (!answer.answered) co_return "gives no answer";
  if (answer.status != 200) {
    co_return fmt::format("answers with status {}: {}", answer.status, answer.body.substr(0, 120));
  }
  if (number_after(answer.body, "completion_tokens").value_or(0) < 1) co_return "says nothing";
  entry.read = number_after(answer.body, "prompt_per_second").value_or(0);
  entry.write = number_after(answer.body, "predicted_per_second").value_or(0);
  co_return "";
}

// A projector may be for images, for sound or for both, and the program may know only one of them.
// An older program does not say.
asio::awaitable<void> Supervisor::Core::learn_senses() {
  const Reply props = co_await get("/props", kQuestionWithin);
  const std::size_t at = props.body.find("\"modalities\":");
  if (props.status != 200 || at == std::string::npos) co_return;
  const std::string_view said =
      std::string_view(props.body).substr(at, props.body.find('}', at) - at);
  const auto has = [said](std::string_view sense) {
    const std::size_t key = said.find(sense);
    if (key == std::string_view::npos) return false;
    const std::size_t value = said.find_first_not_of(": ", key + sense.size());
    return value != std::string_view::npos && said.substr(value).starts_with("true");
  };
  state_.senses = Senses{has("\"vision\""), has("\"audio\"")};
  state_.takes_images = state_.senses->images;
}

asio::awaitable<Supervisor::Core::Ending> Supervisor::Core::verify(Child& child,
                                                                   const Prepared& prepared) {
  co_await learn_senses();
  if (running_.verified) {
    if (auto ending = interrupted(child)) co_return std::move(*ending);
    co_return Ending(Ending::Kind::ready, "");
  }
  FitEntry entry = entry_for(prepared.key, prepared.plan, std::chrono::system_clock::now());
  const std::string wrong = co_await what_is_wrong(prepared, entry);
  // A connection that breaks is seen before the end of the process that broke it.
  const Instant until = loop_.now() + kLastWords;
  while (!wrong.empty() && loop_.now() < until) {
    if (child.ended() || closing_ || halted_ || handing_over_) break;
    co_await pause(until);
  }
  if (auto ending = interrupted(child)) co_return std::move(*ending);
  if (!wrong.empty()) co_return Ending(Ending::Kind::failed, std::string(kUnlikeThePlan) + wrong);
  entry.what = FitEntry::What::worked;
  running_.verified = true;
  log::info("engine verified: reads {:.0f} tokens/s, writes {:.0f}", entry.read, entry.write);
  show_rates(prepared, entry);
  co_await remember(entry);
  co_return Ending(Ending::Kind::ready, "");
}

asio::awaitable<void> Supervisor::Core::remember(const FitEntry& entry) {
  const auto write = [this, entry] {
    preparation_.remember(entry);
    return true;
  };
  co_await off_loop<bool>(write);
}

asio::awaitable<Supervisor::Core::Ending> Supervisor::Core::consider_less(const Child& child,
                                                                          const Prepared& prepared,
                                                                          Ending ending) {
  const bool out_of_memory = child.ended() && child.ended_for_memory();
  if (out_of_memory) ending.reason = "ran out of memory: " + ending.reason;
  // A program that cannot run at all is not mended by a smaller plan.
  const bool failed = ending.kind == Ending::Kind::failed;
  const bool unlike_the_plan = failed && ending.reason.starts_with(kUnlikeThePlan);
  const bool smaller_helps = out_of_memory || unlike_the_plan;
  if (!smaller_helps || prepared.key.model.empty() || closing_) co_return ending;
  // Nobody is sent to it while the disk is written.
  if (failed) show(Condition::failed, ending.reason);
  co_await remember_failure(prepared, ending.reason);
  // What comes next is another attempt, and its predecessors do not count against it. Each is
  // smaller by an eighth at least, so they come to an end.
  if (out_of_memory) policy_.asked();
  co_return ending;
}

asio::awaitable<void> Supervisor::Core::remember_failure(const Prepared& prepared,
                                                         std::string reason) {
  FitEntry entry = entry_for(prepared.key, prepared.plan, std::chrono::system_clock::now());
  entry.reason = std::move(reason);
  log::warn("engine steps down: {}", engine::describe(entry));
  co_await remember(entry);
}

void Supervisor::Core::show_rates(const Prepared& prepared, const FitEntry& entry) {
  state_.read_rate = entry.read;
  state_.write_rate = entry.write;
  state_.warm_conversations = warm_conversations(entry.read, prepared.facts, prepared.plan);
}

}  // namespace nl::engine
