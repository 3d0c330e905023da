#include "drill/client.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <memory>

#include "dialect/sse.h"
#include "http/ask.h"

namespace nl::drill {
namespace {

using dialect::DialectId;

constexpr Duration kSlice = std::chrono::milliseconds(50);
constexpr std::size_t kAnswerBytesMax = 8u << 20;

// One question on its way. Stays in place: the coroutine and the client view it.
struct Flight {
  Flight(const DrillQuestion& asked, http::Endpoint gateway)
      : question(asked), endpoint(std::move(gateway)), body(drill_body(asked)) {
    const bool anthropic = question.dialect == DialectId::anthropic;
    outgoing.method = "POST";
    outgoing.target = anthropic ? "/v1/messages" : "/v1/chat/completions";
    outgoing.headers = anthropic ? "content-type: application/json\r\n"
                                   "anthropic-version: 2023-06-01\r\n"
                                   "x-api-key: nightlight-drill\r\n"
                                 : "content-type: application/json\r\n"
                                   "authorization: Bearer nightlight-drill\r\n";
    outgoing.body = body;
  }

  const DrillQuestion& question;
  http::Endpoint endpoint;
  std::string body;
  http::Outgoing outgoing;
  http::Cancel cancel;
  DrillAnswer answer;
  dialect::SseFramer framer;
  std::string whole;
  bool finished = false;
};

std::string header(const http::ResponseHead& head, std::string_view name) {
  return std::string(head.headers.find(name).value_or(""));
}

void read_head(const http::ResponseHead& head, DrillAnswer& answer) {
  answer.status = head.status;
  answer.tier = header(head, "x-nightlight-tier");
  answer.provider = header(head, "x-nightlight-provider");
  answer.reason = header(head, "x-nightlight-reason");
  answer.request_id = header(head, "x-nightlight-request-id");
}

// False when nothing more is to be read.
bool take(Flight& flight, std::string_view piece) {
  if (flight.question.form == DrillForm::whole || flight.answer.status != 200) {
    flight.whole.append(piece);
    return flight.whole.size() < kAnswerBytesMax;
  }
  if (!flight.framer.feed(piece)) return false;
  while (const auto frame = flight.framer.next()) {
    if (frame->kind != dialect::FrameKind::event) continue;
    if (read_drill_event(flight.question.dialect, frame->data, flight.answer)) {
      flight.finished = true;
    }
  }
  return true;
}

void conclude(Flight& flight) {
  DrillAnswer& answer = flight.answer;
  if (!answer.trouble.empty()) return;
  if (answer.status != 200) {
    answer.trouble = fmt::format("status {}: {}", answer.status, flight.whole.substr(0, 300));
  } else if (flight.question.form == DrillForm::whole) {
    read_drill_whole(flight.question.dialect, flight.whole, answer);
  } else if (!flight.finished) {
    answer.trouble = "the stream ended without its end";
  }
}

http::asio::awaitable<void> fly(http::Client& client, Flight& flight, Instant until) {
  auto call = co_await client.send(flight.endpoint, flight.outgoing, flight.cancel, until);
  if (!call) {
    flight.answer.trouble = call.error().message;
    co_return;
  }
  read_head((*call)->head(), flight.answer);
  while (true) {
    auto piece = co_await (*call)->read(until);
    if (!piece) {
      if (!flight.finished) flight.answer.trouble = piece.error().message;
      co_return;
    }
    if (piece->empty() || !take(flight, *piece)) break;
  }
  conclude(flight);
}

}  // namespace

std::vector<DrillAnswer> DrillClient::ask(const std::vector<DrillQuestion>& questions,
                                          Duration within) const {
  const SystemClock clock;
  std::vector<std::unique_ptr<Flight>> flights;
  for (const DrillQuestion& question : questions) {
    flights.push_back(std::make_unique<Flight>(question, gateway_));
    flights.back()->answer.trouble = "";
  }
  std::size_t under_way = flights.size();
  {
    http::Loop loop(clock);
    http::Client client(loop, http::ClientOptions());
    const Instant until = clock.now() + within;
    for (const auto& flight : flights) {
      http::asio::co_spawn(loop.io(), fly(client, *flight, until),
                           [&under_way](const std::exception_ptr&) { --under_way; });
    }
    while (under_way > 0 && clock.now() < until + kSlice && !stopped_) {
      loop.io().run_for(kSlice);
      loop.io().restart();
    }
  }
  std::vector<DrillAnswer> answers;
  for (const auto& flight : flights) {
    DrillAnswer& answer = flight->answer;
    if (under_way > 0 && answer.trouble.empty() && answer.status == 0) {
      answer.trouble = stopped_ ? "the drill was ended" : "no answer in time";
    }
    answers.push_back(std::move(answer));
  }
  return answers;
}

Result<std::string> DrillClient::get(const std::string& target, Duration within) const {
  return http::ask(http::Question{gateway_, target, "", within});
}

}  // namespace nl::drill
