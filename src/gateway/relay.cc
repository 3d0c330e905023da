#include "gateway/relay.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "dialect/tool_name.h"
#include "gateway/whole.h"

namespace nl::gateway {
namespace {

constexpr std::chrono::seconds kDrainWait{1};

std::int64_t seconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

}  // namespace

bool starts_tool(const chat::Event& event) {
  return event.kind == chat::EventKind::block_start && event.block == chat::BlockKind::tool;
}

chat::Event with_declared_name(const chat::Event& event, const chat::Request& request) {
  chat::Event named = event;
  named.name = dialect::restore_tool_name(request, event.name);
  return named;
}

void keep_pace(EnginePace& pace, const chat::Event& event, Instant now) {
  switch (event.kind) {
    case chat::EventKind::progress:
      pace.reads(now);
      return;
    case chat::EventKind::block_start:
    case chat::EventKind::delta:
    case chat::EventKind::block_stop:
      pace.writes(now);
      return;
    case chat::EventKind::start:
    case chat::EventKind::usage:
    case chat::EventKind::finish:
    case chat::EventKind::ping:
    case chat::EventKind::error:
      return;
  }
}

AnswerLimits answer_limits(const Turn& turn, const GatewayOptions& options) {
  AnswerLimits limits;
  limits.bytes_max = static_cast<std::int64_t>(options.answer_bytes_max);
  // Several answers at once, and what else only one vendor knows, are for that vendor to count.
  if (turn.request.only_this_dialect.empty()) limits.max_tokens = turn.request.max_tokens;
  return limits;
}

Error stalled(const provider::Provider& provider, Duration silence, Duration least) {
  if (silence < least) return Error(ErrorCode::timeout, "the whole answer took too long");
  if (provider.setting().engine != nullptr) provider.setting().engine->report_stall();
  return Error(ErrorCode::timeout, fmt::format("no progress for {} s", seconds(silence)));
}

Relay::Relay(Turn& turn, ClientStream& client, RelaySetup& setup)
    : turn_(turn),
      client_(client),
      setup_(setup),
      lane_(setup_.provider.dialect().id() == turn.dialect.id() && !read_into_events(setup_)
                ? Lane::pass_through
                : Lane::translate),
      reader_(setup_.provider.dialect().make_reader()),
      bound_(answer_limits(turn, setup_.options), *this),
      framer_(setup_.provider.dialect().framing()),
      may_hold_(setup_.backup == Backup::another_target && !turn.direct &&
                setup_.options.hold_tools == HoldTools::hold),
      progress_at_(turn.exchange.loop().now()) {
  if (setup_.model != turn.model) names_.model = turn.model;
  if (setup_.check) check_.emplace(*setup_.check, static_cast<dialect::EventSink&>(*this));
}

dialect::EventSink& Relay::sink() {
  if (check_) {
    if (client_.committed()) check_->committed();
    bound_.pass_to(*check_);
  }
  return bound_;
}

Instant Relay::progress_deadline() const {
  if (setup_.pace) return setup_.pace->deadline();
  Duration budget = progressed_ ? setup_.options.silence : setup_.options.first_progress;
  if (setup_.reasoning) budget = std::max(budget, setup_.options.reasoning);
  return std::min(setup_.deadline, progress_at_ + budget);
}

http::asio::awaitable<Result<void>> Relay::run(provider::Opening& opening) {
  const bool stream = opening.event_stream;
  if (!stream) lane_ = Lane::translate;  // a whole answer to a stream request: told as a stream
  if (lane_ == Lane::translate) {
    writer_ = turn_.dialect.make_writer(answer_context(turn_));
    if (client_.opened_by_us()) {
      std::string discarded;
      writer_->filler(discarded);
    }
  }
  Result<void> done;
  if (stream) {
    done = co_await read_stream(opening);
  } else {
    done = co_await read_whole(opening);
  }
  // What was gathered is part of an answer that the client has begun to read.
  if (!done && client_.committed() && !turn_.client_gone) {
    const Result<void> flushed = co_await flush();
    if (!flushed) turn_.client_gone = true;
  }
  if (done && setup_.provider.setting().engine != nullptr) {
    setup_.provider.setting().engine->report_answer();
  }
  tap_.ended_by_us = bound_.stopped();
  co_return done;
}

http::asio::awaitable<Result<void>> Relay::read_stream(provider::Opening& opening) {
  bool at_end = false;
  while (!finished_ && !at_end) {
    std::optional<Result<std::string_view>> piece = co_await opening.read(progress_deadline());
    // What came with one read goes on with one write.
    for (; piece && !finished_ && !at_end; piece = opening.read_now()) {
      if (!*piece) co_return std::unexpected(cut(std::move(piece->error())));
      at_end = (*piece)->empty();
      const Result<void> taken = at_end ? end_of_body() : take_frames(**piece);
      if (!taken) co_return taken;
    }
    if (at_end) break;
    const Result<void> flushed = co_await flush();
    if (!flushed) co_return flushed;
  }
  if (tap_.content_events == 0 && setup_.backup == Backup::another_target &&
      tap_.stop != chat::StopReason::refusal && tap_.stop != chat::StopReason::pause) {
    co_return fail(ErrorCode::empty_answer, "an empty answer");
  }
  if (lane_ == Lane::pass_through && !closed_) out_ += turn_.dialect.terminator();
  holding_ = false;
  content_ = true;
  safe_ = out_.size();
  const Result<void> flushed = co_await flush();
  if (!flushed) co_return flushed;
  const Result<void> ended = co_await client_.finish();
  if (!bound_.stopped()) co_await drain(opening);
  co_return ended;
}

// The rest of the body (a last chunk) so that the connection can be kept.
http::asio::awaitable<void> Relay::drain(provider::Opening& opening) {
  const Instant until = turn_.exchange.loop().now() + kDrainWait;
  while (!opening.call->complete()) {
    const Result<std::string_view> rest = co_await opening.read(until);
    if (!rest || rest->empty()) break;
  }
}

// A read that failed: a silence is the upstream's fault in words of its own.
Error Relay::cut(Error error) const {
  if (error.code != ErrorCode::timeout) return error;
  const Duration silence = turn_.exchange.loop().now() - progress_at_;
  return stalled(setup_.provider, silence, setup_.options.silence);
}

Result<void> Relay::take_frames(std::string_view bytes) {
  const Result<void> fed = framer_.feed(bytes);
  if (!fed) return fed;
  while (const std::optional<dialect::SseFrame> frame = framer_.next()) {
    const Result<void> taken = take(*frame);
    if (!taken || finished_) return taken;
  }
  return {};
}

Result<void> Relay::end_of_body() {
  if (const std::optional<dialect::SseFrame> last = framer_.finish()) {
    const Result<void> taken = take(*last);
    if (!taken) return taken;
  }
  reader_->end(sink());
  if (event_error_) return std::unexpected(*event_error_);
  if (!finished_) return fail(ErrorCode::truncated, "the stream ended without its last event");
  return {};
}

http::asio::awaitable<Result<void>> Relay::read_whole(provider::Opening& opening) {
  const Result<WholeBody> body =
      co_await read_body(opening, setup_.deadline, setup_.options.answer_bytes_max);
  if (!body) co_return std::unexpected(body.error());
  sink();  // what stands behind the bound
  const Result<void> read = read_events(*body, *reader_, bound_);
  if (!read) co_return read;
  if (event_error_) co_return std::unexpected(*event_error_);
  content_ = true;
  safe_ = out_.size();
  const Result<void> flushed = co_await flush();
  if (!flushed) co_return flushed;
  co_return co_await client_.finish();
}

Result<void> Relay::take(const dialect::SseFrame& frame) {
  // Comments keep a connection alive; our own filler does that for the client.
  if (frame.kind == dialect::FrameKind::comment) return {};
  Result<void> read = reader_->frame(frame, sink());
  if (!read) return read;
  if (event_error_) return std::unexpected(*event_error_);
  if (lane_ == Lane::pass_through) append(frame);
  end_if_full();
  if (event_error_) return std::unexpected(*event_error_);
  if (holding_ && out_.size() - hold_from_ > setup_.options.held_bytes_max) {
    holding_ = may_hold_ = false;  // too large to keep whole: it loses its atomicity
    content_ = true;
  }
  safe_ = holding_ ? hold_from_ : out_.size();
  return {};
}

void Relay::end_if_full() {
  sink();  // what stands behind the bound
  bound_.end_if_full();
  if (!bound_.stopped()) return;
  log::warn("request {}: the answer of {} did not end; ended with max_tokens after {} bytes",
            turn_.id, setup_.provider.setting().name, tap_.content_bytes);
  if (lane_ != Lane::pass_through) return;
  dialect::AnswerContext context = answer_context(turn_);
  if (!client_.opened_by_us()) context.id = answer_id_;
  out_ += bound_.closing(turn_.dialect, std::move(context));
  closed_ = true;
}

void Relay::append(const dialect::SseFrame& frame) {
  closed_ = closed_ || turn_.dialect.closes_answer(frame);
  const bool opens = turn_.dialect.opens_answer(frame);
  if (opens && !names_.id.empty()) return;  // the early head was the opening
  if (names_.empty()) {
    out_.append(frame.raw);
  } else {
    turn_.dialect.append_renamed(frame, names_, out_);
  }
}

void Relay::on_event(const chat::Event& event) {
  using chat::EventKind;
  if (event.kind != EventKind::ping) {
    progress_at_ = turn_.exchange.loop().now();
    progressed_ = true;
    if (setup_.pace) keep_pace(*setup_.pace, event, progress_at_);
  }
  tap_.usage.merge(event.usage);
  if (turn_.kept) turn_.kept->add(event);
  switch (event.kind) {
    case EventKind::start:
      tap_.model = event.name.utf8();
      answer_id_ = event.id.utf8();
      if (!client_.head_sent() && lane_ == Lane::pass_through) {
        client_.set_answer_id(answer_id_);
      }
      break;
    case EventKind::block_start:
      if (event.block == chat::BlockKind::tool && may_hold_ && !holding_) {
        holding_ = true;
        hold_from_ = out_.size();
      }
      see_content(event);
      break;
    case EventKind::delta:
      see_content(event);
      break;
    case EventKind::block_stop:
      if (event.block == chat::BlockKind::tool && holding_) {
        holding_ = false;
        content_ = true;
      }
      break;
    case EventKind::finish:
      finished_ = true;
      tap_.stop = event.stop;
      break;
    case EventKind::error:
      event_error_ = Error(ErrorCode::stream_error, event.error_message, event.error_status);
      tap_.error_type = event.error_type;
      tap_.error_status = event.error_status;
      return;
    case EventKind::usage:
      break;
    case EventKind::ping:
    case EventKind::progress:
      return;
  }
  if (lane_ == Lane::translate) {
    if (starts_tool(event)) {
      writer_->event(with_declared_name(event, turn_.request), out_);
    } else {
      writer_->event(event, out_);
    }
    if (event.kind == EventKind::start) opening_ = out_.size();
  }
}

void Relay::see_content(const chat::Event& event) {
  tap_.content_bytes += static_cast<std::int64_t>(event.text.escaped.size());
  if (!chat::is_content(event)) return;
  ++tap_.content_events;
  if (!holding_ && !may_be_asked_again(event)) content_ = true;
  if (!tap_.first_content) tap_.first_content = turn_.exchange.loop().now();
}

// A thought comes before the call it leads to: while that call may turn out broken and be asked for
// again, the thought waits with it.
bool Relay::may_be_asked_again(const chat::Event& event) const {
  const bool again = setup_.check && (setup_.check->broken == BrokenCall::ask_again ||
                                      setup_.check->words == Words::want_form);
  return again && event.delta == chat::DeltaKind::thinking &&
         event.kind == chat::EventKind::delta && out_.size() < setup_.options.held_bytes_max;
}

void Relay::adopt_early_head() {
  if (lane_ == Lane::translate) {
    out_.erase(0, opening_);
    safe_ -= opening_;
    opening_ = 0;
    return;
  }
  names_.id = answer_id(turn_);
  std::string kept;
  dialect::Framer frames(turn_.dialect.framing());
  std::size_t safe = 0;
  if (!frames.feed(out_)) return;
  std::size_t consumed = 0;
  while (const std::optional<dialect::SseFrame> frame = frames.next()) {
    consumed += frame->raw.size();
    if (!turn_.dialect.opens_answer(*frame)) {
      turn_.dialect.append_renamed(*frame, names_, kept);
    }
    if (consumed <= safe_) safe = kept.size();
  }
  out_ = std::move(kept);
  safe_ = safe;
  hold_from_ = std::min(hold_from_, safe_);
}

http::asio::awaitable<Result<void>> Relay::flush() {
  if (!content_ || safe_ == 0) co_return Result<void>();
  if (!client_.committed() && client_.opened_by_us()) adopt_early_head();
  const std::string_view bytes(out_.data(), safe_);
  Result<void> sent;
  if (client_.committed()) {
    sent = co_await client_.write(bytes);
  } else {
    sent = co_await client_.commit(setup_.headers, bytes);
    turn_.document.clear();  // no other target is asked any more
  }
  if (!sent) {
    turn_.client_gone = true;
    co_return sent;
  }
  out_.erase(0, safe_);
  hold_from_ -= std::min(hold_from_, safe_);
  safe_ = 0;
  if (out_.empty() && out_.capacity() > 64 * 1024) out_.shrink_to_fit();
  co_return Result<void>();
}

}  // namespace nl::gateway
