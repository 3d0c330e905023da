#include "drill/drill.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <thread>

#include "base/process.h"
#include "drill/client.h"
#include "drill/panes.h"
#include "drill/report.h"
#include "drill/script.h"
#include "drill/switchboard.h"

namespace nl::drill {
namespace {

constexpr int kRowsMax = 100'000;
constexpr Duration kAnswerWithin = std::chrono::seconds(60);
constexpr Duration kBetween = std::chrono::milliseconds(100);
constexpr DrillPace kScriptPace{std::chrono::milliseconds(20), std::chrono::seconds(2), 3};
constexpr DrillPace kPersonsPace{std::chrono::milliseconds(150), std::chrono::seconds(15), 40};
constexpr const char* kPersonsTask =
    "Run forty shell commands, one after the other, each printing a word. Then say done.";

// The terminal may be gone by now, which must not keep the drill from its report.
void say(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

int complain(const std::string& text) {
  std::fputs(fmt::format("nightlight: {}\n", text).c_str(), stderr);
  return 1;
}

std::string report_folder(const DrillOptions& options, const Environment& environment,
                          std::time_t now) {
  if (!options.out.empty()) return std::filesystem::absolute(options.out);
  std::string state = environment.text("XDG_STATE_HOME");
  if (state.empty()) state = environment.text("HOME") + "/.local/state";
  return fmt::format("{}/nightlight/drills/{:%Y-%m-%d-%H%M%S}", state, fmt::localtime(now));
}

// One drill from its stage to its report.
class Drill {
 public:
  Drill(const DrillOptions& options, const Environment& environment,
        const EngineTrouble& engine_trouble)
      : options_(options),
        environment_(environment),
        engine_trouble_(engine_trouble),
        started_(std::time(nullptr)) {}

  int run();

 private:
  void play();
  void play_by_hand();
  void keep_asking(const std::stop_token& stop) const;
  void judge(int gateway_status);
  // Whether no client was left with an error. Errors: io.
  Result<bool> report();

  const DrillOptions& options_;
  const Environment& environment_;
  const EngineTrouble& engine_trouble_;
  std::time_t started_;
  SystemClock clock_;
  std::unique_ptr<DrillStage> stage_;
  std::optional<ClaudeProgram> claude_program_;
  std::optional<DrillClaude> claude_;
  DrillFacts facts_;
};

int Drill::run() {
  if (const std::string lacks = engine_trouble_(); !lacks.empty()) {
    return complain(lacks);
  }
  const Instant begun = clock_.now();
  const bool scripted = options_.play == DrillPlay::script;
  say("building the stage: two scripted clouds, the gateway, the local engine ...\n");
  auto stage = DrillStage::build(environment_, scripted ? kScriptPace : kPersonsPace);
  if (!stage) return complain(stage.error().message);
  stage_ = std::move(*stage);
  claude_program_ = find_claude(environment_);
  if (claude_program_) claude_.emplace(*stage_, *claude_program_);
  play();
  facts_.duration_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - begun).count();
  const Result<bool> passed = report();
  if (!passed) return complain(passed.error().message);
  return *passed ? 0 : 1;
}

void Drill::play() {
  if (options_.play == DrillPlay::script) {
    if (!claude_) {
      say(fmt::format("Claude Code is not here, its steps are left out; `{}` installs it\n",
                      claude_install_line()));
    }
    DrillScript script(*stage_, claude_ ? &*claude_ : nullptr,
                       [](const std::string& line) { say(line + "\n"); });
    facts_.steps = script.run();
    return;
  }
  play_by_hand();
}

void Drill::play_by_hand() {
  std::optional<DrillPanes> panes;
  std::jthread talker;
  if (!options_.pane_socket.empty() && claude_) {
    panes.emplace(find_program("tmux", environment_.text("PATH")).value_or("tmux"),
                  options_.pane_socket);
    if (const auto opened = panes->open_claude(*claude_, kPersonsTask); !opened) {
      say(opened.error().message + "\n");
    }
  } else {
    claude_program_.reset();
    say(
        fmt::format("plain requests keep the gateway busy; you may point a client at it too:\n  "
                    "ANTHROPIC_BASE_URL={} ANTHROPIC_AUTH_TOKEN=nightlight-drill claude\n\n",
                    stage_->base_url()));
    talker = std::jthread([this](const std::stop_token& stop) { keep_asking(stop); });
  }
  DrillSwitchboard switchboard(*stage_);
  facts_.steps = switchboard.run();
  if (panes) panes->close_claude();
}

// On a thread of its own: one question after the other, each a conversation of its own.
void Drill::keep_asking(const std::stop_token& stop) const {
  std::atomic<bool> ended{false};
  const std::stop_callback on_stop(stop, [&ended]() { ended = true; });
  const DrillClient client(stage_->gateway(), ended);
  for (int number = 1; !ended; ++number) {
    DrillQuestion question;
    question.form = DrillForm::stream;
    question.messages.push_back({DrillMessage::Role::user,
                                 fmt::format("Say something, for the {}th time.", number), "", ""});
    (void)client.ask({question}, kAnswerWithin);
    for (int i = 0; i < 10 && !ended; ++i) std::this_thread::sleep_for(kBetween);
  }
}

// What the steps themselves could not see.
void Drill::judge(int gateway_status) {
  if (facts_.steps.empty()) return;
  std::vector<std::string>& failures = facts_.steps.back().failures;
  if (gateway_status != 0) {
    failures.push_back(fmt::format("the gateway ended with status {}:\n{}", gateway_status,
                                   stage_->gateway_log()));
  }
  if (options_.play == DrillPlay::script) return;
  for (const state::RequestRow& row : facts_.rows) {
    if (row.status < 400 || row.outcome == "client_gone") continue;
    failures.push_back(fmt::format("{} was told status {}: {}", row.id, row.status, row.reason));
  }
}

Result<bool> Drill::report() {
  const std::string ledger = stage_->ledger_path();
  const int status = stage_->stop_gateway();
  auto rows = state::LedgerReader(ledger).latest(kRowsMax);
  if (!rows) return std::unexpected(rows.error());
  facts_.rows = std::move(*rows);
  std::reverse(facts_.rows.begin(), facts_.rows.end());
  judge(status);
  facts_.date = fmt::format("{:%Y-%m-%d %H:%M}", fmt::localtime(started_));
  facts_.model = "ember, the built-in self-test model";
  const bool scripted = options_.play == DrillPlay::script;
  const std::string plain = "plain requests as the vendors' SDKs send them";
  const std::string claude =
      claude_program_ ? "Claude Code " + claude_program_->version + " from npm" : "";
  facts_.client = claude.empty() ? plain + "; Claude Code took no part"
                  : scripted     ? claude + ", and " + plain
                                 : claude;
  const bool clean = !facts_.steps.empty() &&
                     std::all_of(facts_.steps.begin(), facts_.steps.end(),
                                 [](const DrillStep& step) { return step.failures.empty(); });
  const bool early = scripted && stage_->clouds().stopped();
  facts_.verdict = early ? "Ended before it was over" : clean ? "Passed" : "NOT passed";
  const std::string folder = report_folder(options_, environment_, started_);
  if (const auto written = write_drill_report(facts_, folder); !written) {
    return std::unexpected(written.error());
  }
  std::error_code error;
  std::filesystem::copy_file(ledger, folder + "/ledger.sqlite",
                             std::filesystem::copy_options::overwrite_existing, error);
  if (error) return fail(ErrorCode::io, folder + "/ledger.sqlite: " + error.message());
  const DrillPage page = drill_page(facts_);
  say(fmt::format("\n{}\nreport: {}/report.md and report.html\n",
                  std::get<PageText>(page.parts.front()).text, folder));
  return clean && !early;
}

// The outer one of the two drills on a terminal.
int show_panes(const DrillOptions& options, const Environment& environment,
               const std::string& tmux) {
  std::error_code error;
  std::string folder = std::filesystem::temp_directory_path(error) / "nightlight-panes-XXXXXX";
  if (error || mkdtemp(folder.data()) == nullptr) return complain(folder + ": cannot be made");
  const std::string socket = folder + "/tmux";
  const std::string out = report_folder(options, environment, std::time(nullptr));
  const DrillPanes panes(tmux, socket);
  const auto status =
      panes.show({own_program(), "drill", "--demo", "--pane", socket, "--out", out}, environment);
  std::filesystem::remove_all(folder, error);
  if (!status) return complain(status.error().message);
  const bool reported = std::filesystem::exists(out + "/report.md", error);
  if (!reported) return complain("the drill ended without a report");
  say(fmt::format("report: {0}/report.md and {0}/report.html\n", out));
  return 0;
}

}  // namespace

int drill(const DrillOptions& options, const Environment& environment,
          const EngineTrouble& engine_trouble) {
  const bool terminal = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
  if (options.play == DrillPlay::terminal && options.pane_socket.empty()) {
    if (!terminal) return complain("no terminal here: run `nightlight drill --demo --script`");
    const auto tmux = find_program("tmux", environment.text("PATH"));
    const bool has_claude = find_claude(environment).has_value();
    if (tmux && has_claude) {
      if (const std::string lacks = engine_trouble(); !lacks.empty()) {
        return complain(lacks);
      }
      return show_panes(options, environment, *tmux);
    }
    if (!tmux) {
      say("tmux is not here, so this runs in plain lines; `apt install tmux` (or `brew install "
          "tmux`) gives Claude Code a pane beside it\n");
    }
    if (!has_claude) {
      say(fmt::format("Claude Code is not here; `{}` installs it\n", claude_install_line()));
    }
  }
  int status = 0;
  {
    Drill one(options, environment, engine_trouble);
    status = one.run();
  }
  if (!options.pane_socket.empty()) DrillPanes("", options.pane_socket).tell_end();
  return status;
}

}  // namespace nl::drill
