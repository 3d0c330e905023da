// What the local form of a long agent conversation costs: unprepared (nothing known of it) and
// prepared (the turn before was formed while a cloud answered it).
//
// Reads the conversations that `tests/e2e/agent_talk.py FOLDER` wrote from $NL_TALKS; `make bench`
// sets it. Gates: unprepared < 1 s, prepared < 50 ms, for 200 k tokens into 32 k and 8 k windows.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "dialect/dialect.h"
#include "standby/local_forms.h"

namespace {

namespace fs = std::filesystem;
using nl::dialect::DialectId;
using nl::standby::LocalForms;

struct Sent {
  std::string body;
  nl::dialect::Document document;
  nl::chat::Request request;
};

std::unique_ptr<Sent> read(const fs::path& path) {
  auto sent = std::make_unique<Sent>();
  std::ifstream file(path, std::ios::binary);
  sent->body.assign(std::istreambuf_iterator<char>(file), {});
  const bool anthropic = path.filename().string().find("anthropic") != std::string::npos;
  const auto& dialect =
      nl::dialect::dialect(anthropic ? DialectId::anthropic : DialectId::openai_chat);
  if (!sent->document.parse(sent->body)) std::abort();
  auto request = dialect.decode_request(sent->document);
  if (!request) std::abort();
  sent->request = std::move(*request);
  return sent;
}

nl::chat::LocalTarget target(std::int64_t window) {
  nl::chat::LocalTarget made;
  made.model = "bench";
  made.window_tokens = window;
  made.reply_tokens = std::min<std::int64_t>(4096, window / 8);
  return made;
}

nl::chat::FormedRequest form(LocalForms& forms, const Sent& sent, std::int64_t window) {
  const nl::chat::LocalTarget to = target(window);
  return forms.form({sent.request, 1, "bench/1", to});
}

void report(benchmark::State& state, const nl::chat::FormedRequest& formed) {
  if (formed.fit != nl::chat::Fit::fits) state.SkipWithError("does not fit");
  state.counters["before"] = static_cast<double>(formed.note.tokens_before);
  state.counters["after"] = static_cast<double>(formed.note.tokens_after);
}

void unprepared(benchmark::State& state, const fs::path& path, std::int64_t window) {
  const auto sent = read(path);
  nl::chat::FormedRequest last;
  for (auto _ : state) {
    LocalForms forms{{}};
    last = form(forms, *sent, window);
  }
  report(state, last);
}

void prepared(benchmark::State& state, const fs::path& now, std::int64_t window) {
  std::string name = now.string();
  name.replace(name.find("-now."), 5, "-next.");
  const auto sent = read(now);
  const auto following = read(name);
  LocalForms forms{{}};
  form(forms, *sent, window);
  nl::chat::FormedRequest last;
  for (auto _ : state) last = form(forms, *following, window);
  report(state, last);
}

}  // namespace

int main(int argc, char** argv) {
  const char* folder = std::getenv("NL_TALKS");
  if (folder == nullptr) {
    fmt::print("fit_bench: set NL_TALKS to a folder that tests/e2e/agent_talk.py has filled\n");
    return 0;
  }
  std::vector<fs::path> talks;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().string().find("-now.") != std::string::npos) talks.push_back(entry.path());
  }
  std::ranges::sort(talks);
  for (const fs::path& talk : talks) {
    for (const std::int64_t window : {32768, 8192}) {
      const std::string name = fmt::format("{}/{}", talk.stem().string(), window);
      benchmark::RegisterBenchmark(("unprepared/" + name).c_str(), unprepared, talk, window)
          ->Unit(benchmark::kMillisecond);
      benchmark::RegisterBenchmark(("prepared/" + name).c_str(), prepared, talk, window)
          ->Unit(benchmark::kMillisecond);
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
