#include "drill/claude.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "base/process.h"
#include "chat/text.h"
#include "clients/client.h"
#include "dialect/json.h"

namespace nl::drill {
namespace {

using dialect::Value;

constexpr Duration kBetween = std::chrono::milliseconds(20);

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// "version" of the package that `file` belongs to: .../node_modules/@anthropic-ai/claude-code/bin/x
std::string version_of(const std::string& file) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(file, error);
  if (error) return "";
  for (std::filesystem::path at = real.parent_path(); at.has_relative_path();
       at = at.parent_path()) {
    const std::string text = read_text(at / "package.json");
    if (text.empty()) continue;
    dialect::Document document;
    if (!document.parse(text)) return "";
    return document.root()["version"].text().utf8();
  }
  return "";
}

// Answers the questions that Claude Code asks at its first start in a folder.
void write_first_answers(const std::string& home, const std::string& work) {
  std::ofstream file(home + "/.claude.json", std::ios::binary);
  file << fmt::format(R"({{"hasCompletedOnboarding":true,"theme":"dark","projects":{{"{}":)"
                      R"({{"hasTrustDialogAccepted":true,"hasCompletedProjectOnboarding":true,)"
                      R"("allowedTools":[]}}}}}})",
                      chat::escape(work));
}

}  // namespace

std::optional<ClaudeProgram> find_claude(const Environment& environment) {
  const std::string home = environment.text("HOME");
  const std::string clients = std::filesystem::path(own_program()).parent_path().string() +
                              "/../../tests/clients/node_modules";
  ClaudeProgram program;
  auto file = find_program("claude", fmt::format("{}:{}/.local/bin:{}/.claude/local",
                                                 environment.text("PATH"), home, home));
  if (!file) {
    std::error_code error;
    const std::filesystem::path tested = std::filesystem::canonical(clients, error);
    if (error) return std::nullopt;
    file = find_program((tested / ".bin/claude").string(), "");
    program.node_folder = (tested / "node/bin").string();
  }
  if (!file) return std::nullopt;
  program.file = *file;
  program.version = version_of(program.file);
  return program;
}

std::string claude_install_line() {
  return std::string(clients::client_named("claude")->install);
}

ClaudeRun read_claude_lines(std::string_view lines) {
  ClaudeRun run;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    dialect::Document document;
    if (!line.starts_with('{') || !document.parse(line)) continue;
    const Value root = document.root();
    if (root["type"].equals("user")) run.shell_said += root["message"]["content"].raw();
    if (!root["type"].equals("result")) continue;
    run.good = !root["is_error"].boolean().value_or(true);
    run.result = root["result"].text().utf8();
  }
  return run;
}

DrillClaude::DrillClaude(DrillStage& stage, ClaudeProgram program)
    : stage_(stage), program_(std::move(program)) {
  write_first_answers(stage.folder() + "/claude", work_folder());
}

std::vector<std::string> DrillClaude::environment() const {
  std::vector<std::string> variables = stage_.environment_of(stage_.folder() + "/claude");
  for (std::string& variable : variables) {
    if (program_.node_folder.empty() || !variable.starts_with("PATH=")) continue;
    variable.insert(5, program_.node_folder + ":");
  }
  for (const char* more :
       {"ANTHROPIC_AUTH_TOKEN=nightlight-drill", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1",
        "DISABLE_AUTOUPDATER=1", "DISABLE_TELEMETRY=1"}) {
    variables.emplace_back(more);
  }
  variables.push_back("ANTHROPIC_BASE_URL=" + stage_.base_url());
  return variables;
}

std::vector<std::string> DrillClaude::arguments(const std::string& prompt) const {
  return {program_.file, "--allowedTools", "Bash", "--", prompt};
}

ClaudeRun DrillClaude::run(const std::string& prompt, ClaudeTalk talk, Duration within) {
  ChildOrder order;
  order.arguments = {program_.file,     "-p",          prompt,     "--allowedTools", "Bash",
                     "--output-format", "stream-json", "--verbose"};
  if (talk == ClaudeTalk::go_on) order.arguments.emplace_back("--continue");
  order.environment = environment();
  order.folder = work_folder();
  order.output = stage_.folder() + "/claude/lines.log";
  order.errors = stage_.folder() + "/claude/errors.log";
  auto child = Child::start(order);
  if (!child) {
    ClaudeRun run;
    run.result = child.error().message;
    return run;
  }
  const SystemClock clock;
  const Instant until = clock.now() + within;
  while (!child->poll() && clock.now() < until && !stage_.clouds().stopped()) {
    std::this_thread::sleep_for(kBetween);
  }
  const int exit = child->end(std::chrono::seconds(1));
  ClaudeRun run = read_claude_lines(read_text(order.output));
  run.exit = exit;
  if (run.result.empty()) run.result = read_text(order.errors).substr(0, 500);
  return run;
}

}  // namespace nl::drill
