#include "drill/script.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>

#include "dialect/json.h"

namespace nl::drill {
namespace {

using dialect::DialectId;
using Role = DrillMessage::Role;

constexpr Duration kAnswerWithin = std::chrono::seconds(60);
constexpr Duration kBackWithin = std::chrono::seconds(40);
constexpr Duration kClaudeWithin = std::chrono::seconds(60);
constexpr Duration kBetweenProbes = std::chrono::milliseconds(500);
constexpr const char* kWord = "marigold-42";
// Into the second of two sentences that are spoken at once.
constexpr int kWordsBeforeCut = 16;
// A step's sentence has about 35 words: tier 1 breaks off in Claude Code's second step, which it
// then asks for as a whole; tier 2 in the third, its first sentence there.
constexpr int kClaudeWordsOnTierOne = 50;
constexpr int kClaudeWordsOnTierTwo = 12;

std::int64_t now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

std::string form_of(const DrillQuestion& question) {
  return fmt::format("{}, {}", dialect::name(question.dialect),
                     question.form == DrillForm::stream ? "stream" : "whole");
}

// The command of a shell call, if it is the harmless kind that this drill will run.
std::string harmless_command(const std::string& arguments) {
  dialect::Document document;
  if (!document.parse(arguments)) return "";
  std::string command = document.root()["command"].text().utf8();
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == ' ';
  };
  const bool harmless =
      command.starts_with("echo ") && std::all_of(command.begin(), command.end(), plain);
  return harmless ? command : "";
}

}  // namespace

DrillScript::DrillScript(DrillStage& stage, DrillClaude* claude, Say say)
    : stage_(stage),
      claude_(claude),
      say_(std::move(say)),
      client_(stage.gateway(), stage.clouds().stop_flag()) {}

std::vector<DrillStep> DrillScript::run() {
  using Part = void (DrillScript::*)();
  std::vector<Part> parts = {&DrillScript::all_up,         &DrillScript::limit,
                             &DrillScript::tier_one_dark,  &DrillScript::mid_sentence,
                             &DrillScript::engine_recalls, &DrillScript::engine_runs,
                             &DrillScript::restore};
  if (claude_ != nullptr) {
    parts.insert(parts.end(), {&DrillScript::claude_works, &DrillScript::claude_in_the_dark,
                               &DrillScript::restore});
  }
  for (const Part part : parts) {
    if (stage_.clouds().stopped()) break;
    (this->*part)();
    if (!stage_.gateway_runs()) {
      failed("the gateway has ended:\n" + stage_.gateway_log());
      break;
    }
  }
  return std::move(steps_);
}

void DrillScript::begin(const std::string& name, const std::string& cut) {
  DrillStep step;
  step.name = name;
  step.cut = cut;
  step.from_ms = now_ms();
  steps_.push_back(std::move(step));
  say_(fmt::format("{}. {}", steps_.size(), name));
}

void DrillScript::note(const std::string& text) {
  steps_.back().notes.push_back(text);
  say_("   " + text);
}

void DrillScript::failed(const std::string& text) {
  // What was cut short by the person is no fault of the gateway.
  if (stage_.clouds().stopped()) return;
  steps_.back().failures.push_back(text);
  say_("   FAILED: " + text);
}

void DrillScript::set(int tier, CloudMode mode) {
  if (const auto done = stage_.clouds().set(tier, mode); !done) failed(done.error().message);
}

std::vector<DrillQuestion> DrillScript::in_all_forms(const std::string& text,
                                                     DrillTools tools) const {
  std::vector<DrillQuestion> questions;
  for (const DialectId dialect : {DialectId::anthropic, DialectId::openai_chat}) {
    for (const DrillForm form : {DrillForm::whole, DrillForm::stream}) {
      DrillQuestion question{dialect, form, tools, {}};
      question.messages = {
          {Role::user, fmt::format("The code word is {}. Keep it in mind.", kWord), "", ""},
          {Role::assistant, "I keep it in mind.", "", ""},
          {Role::user, text, "", ""}};
      questions.push_back(std::move(question));
    }
  }
  return questions;
}

std::vector<DrillAnswer> DrillScript::ask(const std::vector<DrillQuestion>& questions) {
  std::vector<DrillAnswer> answers = client_.ask(questions, kAnswerWithin);
  std::vector<std::size_t> broken;
  std::vector<DrillQuestion> again;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].ok() || answers[i].status != 200 || answers[i].text.empty()) continue;
    broken.push_back(i);
    again.push_back(questions[i]);
  }
  if (!again.empty()) {
    const std::vector<DrillAnswer> resumed = client_.ask(again, kAnswerWithin);
    for (std::size_t i = 0; i < again.size(); ++i) {
      note(fmt::format("{}: broke off after \"{}\" ({}); asked again, {} answered",
                       form_of(again[i]), answers[broken[i]].text, answers[broken[i]].trouble,
                       resumed[i].provider));
      answers[broken[i]] = resumed[i];
    }
  }
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i].ok()) {
      failed(fmt::format("{}: {}", form_of(questions[i]), answers[i].trouble));
    }
  }
  return answers;
}

void DrillScript::expect_tier(const std::vector<DrillAnswer>& answers, const std::string& tier) {
  std::set<std::string> reasons;
  for (const DrillAnswer& answer : answers) {
    if (answer.ok() && answer.tier != tier) {
      failed(
          fmt::format("{} answered and not the {} tier: {}", answer.provider, tier, answer.reason));
    }
    if (answer.ok() && !answer.reason.empty()) reasons.insert(answer.reason);
  }
  for (const std::string& reason : reasons) note("reason given: " + reason);
}

void DrillScript::all_up() {
  begin("everything is up", "nothing");
  expect_tier(ask(in_all_forms("Say something.", DrillTools::none)), "frontier");
}

void DrillScript::limit() {
  begin("tier 1 hits its limit", "tier 1 answers 429 with the subscription's 5-hour limit");
  set(1, CloudMode::limit);
  expect_tier(ask(in_all_forms("Say something.", DrillTools::none)), "router");
}

void DrillScript::tier_one_dark() {
  // The limit states whole seconds; once they are over, tier 1 is asked again.
  std::this_thread::sleep_for(stage_.clouds().limit_reset() + std::chrono::seconds(1));
  begin("tier 1 goes dark", "tier 1 refuses connections");
  set(1, CloudMode::dark);
  expect_tier(ask(in_all_forms("Say something.", DrillTools::none)), "router");
}

void DrillScript::mid_sentence() {
  begin("tier 2 goes dark in the middle of a sentence",
        "tier 2 closes everything while two answers are being spoken");
  stage_.clouds().go_dark_after(2, kWordsBeforeCut);
  std::vector<DrillQuestion> questions = in_all_forms("Say something.", DrillTools::none);
  std::erase_if(questions, [](const auto& one) { return one.form != DrillForm::stream; });
  expect_tier(ask(questions), "local");
  if (stage_.clouds().mode(2) != CloudMode::dark) failed("tier 2 was not cut");
}

void DrillScript::engine_recalls() {
  begin("all cloud gone: the local engine recalls the code word", "both tiers refuse connections");
  const auto answers = ask(in_all_forms("What is the code word?", DrillTools::none));
  expect_tier(answers, "local");
  for (const DrillAnswer& answer : answers) {
    if (answer.ok() && answer.text.find(kWord) == std::string::npos) {
      failed(fmt::format("the code word is lost: \"{}\"", answer.text));
    }
  }
  if (steps_.back().failures.empty()) note(fmt::format("recalled 4 times: {}", kWord));
}

void DrillScript::engine_runs() {
  begin("all cloud gone: the local engine calls the shell", "both tiers refuse connections");
  const auto questions =
      in_all_forms("Run one shell command that prints a word, then say done.", DrillTools::shell);
  const auto answers = ask(questions);
  expect_tier(answers, "local");
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].ok()) finish_call(questions[i], answers[i]);
  }
}

// Runs what the engine proposed and gives it the result.
void DrillScript::finish_call(const DrillQuestion& asked, const DrillAnswer& proposed) {
  const std::string command = harmless_command(proposed.arguments);
  if (proposed.call_name != "Bash" || command.empty()) {
    failed(fmt::format("{}: no shell call of the expected kind came, but \"{}\" {} {}",
                       form_of(asked), proposed.text, proposed.call_name, proposed.arguments));
    return;
  }
  ChildOrder order;
  order.arguments = {"/bin/sh", "-c", command};
  order.folder = stage_.folder();
  order.output = stage_.folder() + "/shell.log";
  auto child = Child::start(order);
  while (child && !child->poll()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  std::ifstream file(order.output);
  const std::string said((std::istreambuf_iterator<char>(file)), {});
  DrillQuestion next = asked;
  next.messages.push_back({Role::assistant, proposed.text, proposed.call_id, proposed.arguments});
  next.messages.push_back({Role::tool, said, proposed.call_id, ""});
  const auto answers = ask({next});
  expect_tier(answers, "local");
  if (answers.front().ok()) {
    note(fmt::format("{}: `{}` ran and printed \"{}\"; then: {}", form_of(asked), command,
                     said.substr(0, said.find('\n')), answers.front().text));
  }
}

void DrillScript::restore() {
  begin("the clouds come back", "nothing any more");
  set(1, CloudMode::up);
  set(2, CloudMode::up);
  const SystemClock clock;
  const Instant start = clock.now();
  auto questions = in_all_forms("Say something.", DrillTools::none);
  questions.resize(1);
  while (!stage_.clouds().stopped()) {
    const auto answers = ask(questions);
    const auto waited =
        std::chrono::duration_cast<std::chrono::milliseconds>(clock.now() - start).count();
    if (answers.front().tier == "frontier") {
      note(fmt::format("tier 1 answers again after {:.1f} s; until then others did",
                       static_cast<double>(waited) / 1000));
      return;
    }
    if (clock.now() - start > kBackWithin) return failed("tier 1 is not used again");
    std::this_thread::sleep_for(kBetweenProbes);
  }
}

void DrillScript::claude_works() {
  begin("Claude Code at work while tier 1, then tier 2 break off",
        "both tiers go dark, each in the middle of a sentence to Claude Code");
  stage_.clouds().go_dark_after(1, kClaudeWordsOnTierOne);
  stage_.clouds().go_dark_after(2, kClaudeWordsOnTierTwo);
  const ClaudeRun run = claude_->run(
      "Run three shell commands, one after the other, each printing a word. Then say done.",
      ClaudeTalk::fresh, kClaudeWithin);
  if (run.exit != 0 || !run.good) {
    failed(fmt::format("Claude Code ended with {}: {}", run.exit, run.result));
  }
  for (const int tier : {1, 2}) {
    if (stage_.clouds().mode(tier) != CloudMode::dark)
      failed(fmt::format("tier {} was not cut", tier));
  }
  if (steps_.back().failures.empty()) {
    note("Claude Code lost both, asked again by itself and finished; its last words: " +
         run.result);
  }
}

void DrillScript::claude_in_the_dark() {
  begin("Claude Code goes on with no cloud at all", "both tiers refuse connections");
  const ClaudeRun run =
      claude_->run("Run one more shell command that prints a word, then say done.",
                   ClaudeTalk::go_on, kClaudeWithin);
  if (run.exit != 0 || !run.good) {
    failed(fmt::format("Claude Code ended with {}: {}", run.exit, run.result));
  }
  if (run.shell_said.find("nightlight-self-test") == std::string::npos) {
    failed("no Bash call of the local engine ran: " + run.shell_said.substr(0, 300));
  } else {
    note(
        "a Bash call that the local engine proposed ran and printed nightlight-self-test; last "
        "words: " +
        run.result);
  }
}

}  // namespace nl::drill
