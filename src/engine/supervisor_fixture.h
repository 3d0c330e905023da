// SupervisedEngine: a Supervisor with quick limits over a ScriptedEngine, and the verbs of its
// tests.
//
// Runs the loop itself, for ten seconds at most. Test code only.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "engine/scripted_engine.h"
#include "engine/supervisor.h"
#include "http/test_loop.h"

namespace nl::engine {

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

struct Answer {
  int status = 0;
  std::string body;
};

class SupervisedEngine {
 public:
  ~SupervisedEngine() { supervisor.reset(); }

  SupervisorOptions quick(Start start = Start::eager) const {
    SupervisorOptions options;
    options.start = start;
    options.preparation.temporary_folder = folder.path();
    SupervisorLimits& limits = options.limits;
    limits.look_every = std::chrono::milliseconds(50);
    limits.start_within = std::chrono::seconds(5);
    limits.ready_poll = std::chrono::milliseconds(20);
    limits.health_every = std::chrono::milliseconds(100);
    limits.health_within = std::chrono::milliseconds(300);
    limits.progress = ProgressLimits{std::chrono::milliseconds(500), std::chrono::seconds(5)};
    limits.stall_check = std::chrono::milliseconds(200);
    limits.stop_grace = std::chrono::milliseconds(500);
    limits.restart_first = std::chrono::milliseconds(20);
    limits.restart_most = std::chrono::milliseconds(200);
    return options;
  }
  void begin(const std::string& mode, Start start = Start::eager) {
    engine.set_mode(mode);
    supervisor = std::make_unique<Supervisor>(loop, wanted(), quick(start));
  }
  Wanted wanted() const {
    Wanted what;
    what.programs = {engine.program()};
    what.model = engine.model();
    return what;
  }
  Result<http::Endpoint> await_ready(Duration patience = std::chrono::seconds(8)) {
    return http::run_on(loop, supervisor->ready(loop, loop.now() + patience));
  }
  bool reaches(Condition condition) {
    return http::run_until(loop, [&] { return supervisor->snapshot().condition == condition; });
  }
  static http::asio::awaitable<Answer> fetch(SupervisedEngine& test, std::string path) {
    Answer answer;
    http::Cancel cancel;
    const http::Outgoing outgoing{"GET", path, "connection: close\r\n", ""};
    const http::Endpoint endpoint = test.supervisor->snapshot().endpoint;
    const Instant until = test.loop.now() + std::chrono::seconds(3);
    auto call = co_await test.client.send(endpoint, outgoing, cancel, until);
    if (!call) co_return answer;
    answer.status = (*call)->head().status;
    while (!(*call)->complete()) {
      const auto piece = co_await (*call)->read(until);
      if (!piece) break;
      answer.body += *piece;
    }
    co_return answer;
  }
  Answer get(const std::string& path) { return http::run_on(loop, fetch(*this, path)); }
  static http::asio::awaitable<int> stop_it(SupervisedEngine& test) {
    co_await test.supervisor->stop();
    co_return 1;
  }

  SystemClock clock;
  http::Loop loop{clock};
  http::TempFolder folder;
  ScriptedEngine engine{"normal"};
  http::Client client{loop, http::ClientOptions()};
  std::unique_ptr<Supervisor> supervisor;
};

}  // namespace nl::engine
