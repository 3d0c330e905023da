#include "doctor/probe.h"

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <memory>

#include "http/loop.h"

namespace nl::doctor {
namespace {

// Borrows its arguments: the caller runs the loop until it is done, or drops the loop.
http::asio::awaitable<void> ask_one(http::Client& client, const Probe& probe, Instant until,
                                    Answer& answer) {
  const Instant began = std::chrono::steady_clock::now();
  http::Cancel cancel;
  http::Outgoing outgoing;
  outgoing.method = probe.body.empty() ? "GET" : "POST";
  outgoing.target = probe.target;
  outgoing.headers = probe.headers;
  outgoing.body = probe.body;
  auto call = co_await client.send(probe.endpoint, outgoing, cancel, until);
  answer.at = std::chrono::system_clock::now();
  answer.took = std::chrono::steady_clock::now() - began;
  if (!call) {
    answer.error = std::move(call.error());
    co_return;
  }
  answer.error.reset();
  const http::ResponseHead& head = (*call)->head();
  answer.status = head.status;
  answer.content_type = head.headers.find("content-type").value_or("");
  answer.date = head.headers.find("date").value_or("");
  // A body that breaks off is no finding: the head has said what is asked here.
  while (answer.body.size() < kProbeBodyMax) {
    auto piece = co_await (*call)->read(until);
    if (!piece || piece->empty()) break;
    answer.body.append(piece->substr(0, kProbeBodyMax - answer.body.size()));
  }
}

}  // namespace

std::vector<Answer> ask_all(const std::vector<Probe>& probes, const ProbeOptions& options) {
  std::vector<Answer> answers(probes.size());
  for (Answer& answer : answers) answer.error = Error(ErrorCode::timeout, "no answer in time");
  if (probes.empty()) return answers;
  const SystemClock clock;
  http::Loop loop(clock);
  http::Client client(loop, options.client);
  const Instant until = clock.now() + options.within;
  std::size_t answered = 0;
  for (std::size_t i = 0; i < probes.size(); ++i) {
    http::asio::co_spawn(loop.io(), ask_one(client, probes[i], until, answers[i]),
                         [&](const std::exception_ptr&) {
                           ++answered;
                           if (options.progress) options.progress(answered);
                           if (answered == probes.size()) loop.io().stop();
                         });
  }
  // The deadline ends the work; the rest is for the wheel's coarse step.
  loop.io().run_for(options.within + std::chrono::milliseconds(500));
  return answers;
}

}  // namespace nl::doctor
