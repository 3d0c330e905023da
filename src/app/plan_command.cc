#include "app/plan_command.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <ctime>
#include <optional>

#include "app/first_steps.h"
#include "app/money.h"
#include "app/own_commands.h"
#include "app/plan_facts.h"
#include "app/plan_questions.h"
#include "app/report.h"
#include "base/process.h"
#include "config/config.h"
#include "state/ledger.h"
#include "state/stretched_time.h"

namespace nl::app {
namespace {

constexpr const char* kExample =
    "\nExample:\n  nightlight plan                    # goes through it with you\n"
    "  nightlight plan --list             # where it stands\n"
    "  nightlight plan --step drill       # one step alone\n"
    "  nightlight plan --money --since 30d";

struct Wanted {
  bool list = false;
  bool json = false;
  bool again = false;
  bool money = false;
  std::string step;
  std::string since = "30d";
};

int complain(const Error& error) {
  fmt::print(stderr, "nightlight: {}\n", error.message);
  return error.code == ErrorCode::config || error.code == ErrorCode::bad_request ? 2 : 1;
}

std::string today() {
  return fmt::format("{:%Y-%m-%d}", fmt::localtime(std::time(nullptr)));
}

int show_money(const Wanted& wanted, const config::Config& config) {
  const WallTime now = SystemClock().wall();
  const auto from = parse_since(wanted.since, now);
  if (!from) return complain(from.error());
  MoneyFacts facts;
  facts.from_unix_ms = *from;
  facts.to_unix_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  if (facts.to_unix_ms < facts.from_unix_ms) {
    return complain(Error(ErrorCode::bad_request, "--since lies ahead: " + wanted.since));
  }
  const state::LedgerReader reader(config.ledger_path());
  auto totals = reader.totals(facts.from_unix_ms, facts.to_unix_ms);
  // No ledger yet: nothing has been asked.
  if (!totals && totals.error().code != ErrorCode::not_found) return complain(totals.error());
  if (totals) {
    facts.totals = std::move(*totals);
    const auto paid = reader.paid_failover_since(facts.from_unix_ms);
    if (!paid) return complain(paid.error());
    facts.past_limit_micro_usd = *paid;
    const auto stretched =
        state::stretched_ms(config.ledger_path(), facts.from_unix_ms, facts.to_unix_ms);
    if (!stretched) return complain(stretched.error());
    facts.stretched_ms = *stretched;
  }
  const Money money = count_money(facts, config.plan);
  fmt::print("{}", wanted.json ? money_json(money) : money_text(money, config.plan));
  return 0;
}

// The way through the steps: shown, offered, run, kept.
class Walk {
 public:
  Walk(const CliOptions& options, const config::Config& config, const Environment& environment)
      : options_(options), config_(config), environment_(environment) {}

  int list(const Wanted& wanted) const;
  int one(StepId id);
  int all();
  int begin_again() const;

 private:
  std::string record_path() const { return config_.state_dir + "/plan.toml"; }
  Result<StepFacts> look() const;
  PlanTalk talk() const;
  Said offer(const Step& step, int number) const;
  // The exit status of the step's commands; nothing = the person gave none.
  std::optional<int> run(const Step& step);
  int run_words(const std::vector<std::string>& words) const;

  const CliOptions& options_;
  const config::Config& config_;
  const Environment& environment_;
};

Result<StepFacts> Walk::look() const {
  auto record = read_steps(record_path());
  if (!record) return std::unexpected(record.error());
  StepFacts facts = step_facts(config_, environment_);
  facts.record = std::move(*record);
  return facts;
}

int Walk::list(const Wanted& wanted) const {
  const auto facts = look();
  if (!facts) return complain(facts.error());
  const std::vector<Step> steps = first_steps(*facts);
  const std::vector<std::string> here = what_is_here(config_, environment_);
  if (wanted.json) {
    fmt::print("{}", steps_json(steps, here));
    return 0;
  }
  fmt::print("Here now\n");
  for (const std::string& line : here) fmt::print("  {}\n", line);
  fmt::print("\nThe way to a light that stays on\n{}", steps_text(steps));
  return 0;
}

int Walk::begin_again() const {
  const auto written = write_steps(record_path(), {});
  if (!written) return complain(written.error());
  return 0;
}

int Walk::run_words(const std::vector<std::string>& words) const {
  std::vector<std::string> arguments = {own_program()};
  if (arguments.front().empty()) arguments.front() = options_.program;
  if (!options_.config.path.empty()) {
    arguments.insert(arguments.end(), {"--config", options_.config.path});
  }
  for (const std::string& address : options_.config.listen) {
    arguments.insert(arguments.end(), {"--listen", address});
  }
  arguments.insert(arguments.end(), words.begin(), words.end());
  fmt::print("$ nightlight");
  for (const std::string& word : words) {
    const char* const quote = word.find(' ') == std::string::npos ? "" : "\"";
    fmt::print(" {}{}{}", quote, word, quote);
  }
  fmt::print("\n");
  std::fflush(stdout);
  const auto status = run_in_foreground(arguments);
  if (!status) return complain(status.error());
  return *status;
}

PlanTalk Walk::talk() const {
  PlanTalk made;
  made.ask = ask_person;
  made.tell = [](std::string_view line) { fmt::print("{}\n", line); };
  made.run = [this](const std::vector<std::string>& words) { return run_words(words); };
  made.home = environment_.text("HOME");
  return made;
}

Said Walk::offer(const Step& step, int number) const {
  fmt::print("\nStep {} of {}: {} ({} min)\n  {}\n", number, kSteps, name(step.id), step.minutes,
             step.said);
  return ask_whether(talk());
}

std::optional<int> Walk::run(const Step& step) {
  const std::optional<int> worst = do_step(step, talk());
  if (!worst) return std::nullopt;
  if (*worst != 0) {
    fmt::print("That did not end well (exit status {}); the step stays open.\n", *worst);
    return worst;
  }
  auto record = read_steps(record_path());
  if (!record) return complain(record.error());
  (*record)[step.id] = today();
  const auto written = write_steps(record_path(), *record);
  if (!written) return complain(written.error());
  return 0;
}

int Walk::one(StepId id) {
  const auto facts = look();
  if (!facts) return complain(facts.error());
  const Step step = first_steps(*facts)[static_cast<std::size_t>(id)];
  if (const auto status = run(step)) return *status;
  return complain(Error(ErrorCode::bad_request,
                        fmt::format("nothing was given, so nothing was done; without questions it "
                                    "is `nightlight {}`",
                                    step.command)));
}

int Walk::all() {
  int worst = 0;
  for (int number = 1; number <= kSteps; ++number) {
    const auto facts = look();
    if (!facts) return complain(facts.error());
    const Step step = first_steps(*facts)[static_cast<std::size_t>(number - 1)];
    if (step.done) continue;
    const Said said = offer(step, number);
    if (said == Said::quit) break;
    if (said == Said::run) worst = std::max(worst, run(step).value_or(0));
  }
  const auto facts = look();
  if (!facts) return complain(facts.error());
  fmt::print("\n{}", steps_text(first_steps(*facts)));
  return worst == 0 ? 0 : 1;
}

}  // namespace

int plan_command(const CliOptions& given, const Environment& environment) {
  CliOptions options = given;
  Wanted wanted;
  CLI::App app("The first thirty minutes: what is here, what is missing, one step after the other.",
               "nightlight plan");
  app.footer(kExample);
  app.add_flag("--list", wanted.list, "where it stands; run nothing");
  app.add_flag("--json", wanted.json, "the same for programs");
  app.add_flag("--again", wanted.again, "forget what was done, then go on");
  app.add_option("--step", wanted.step, "one step alone")
      ->type_name("STEP")
      ->check(CLI::IsMember({"model", "ask", "tasks", "compare", "order", "drill", "sheet"}));
  app.add_flag("--money", wanted.money, "fees, money past the limit, hours, electricity");
  app.add_option("--since", wanted.since, "for --money: today, 24h, 30d or a date")
      ->type_name("WHEN");
  if (const auto status = parse_own(app, options)) return *status;

  const auto config = config::load_config(options.config, environment);
  if (!config) return complain(config.error());
  if (wanted.money) return show_money(wanted, *config);
  Walk walk(options, *config, environment);
  if (wanted.again) {
    if (const int status = walk.begin_again(); status != 0) return status;
  }
  if (!wanted.step.empty()) return walk.one(*step_named(wanted.step));
  const int listed = walk.list(wanted);
  // Without a person there is nobody to ask.
  if (listed != 0 || wanted.list || wanted.json || isatty(STDIN_FILENO) == 0) return listed;
  return walk.all();
}

}  // namespace nl::app
