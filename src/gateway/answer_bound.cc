#include "gateway/answer_bound.h"

#include <algorithm>

namespace nl::gateway {
namespace {

using chat::Event;
using chat::EventKind;

// Servers send a token or more in a piece. Some cut finer, hence the bytes, of which a token has
// about four; and some send much at once, which no run of long tokens, escaped ones included,
// reaches.
constexpr std::int64_t kTokenBytes = 4;
constexpr std::int64_t kTokenBytesMost = 64;
constexpr std::int64_t kSlackTokens = 16;
// Nobody asks for more; keeps the products below far from overflow.
constexpr std::int64_t kTokensMost = std::int64_t{1} << 40;

}  // namespace

void AnswerBound::on_event(const Event& event) {
  if (stopped_) return;
  count(event);
  if (event.kind == EventKind::finish && says_cut_) {
    stop();
    return;
  }
  over_ = over_ || event.kind == EventKind::finish || event.kind == EventKind::error;
  next_->on_event(event);
}

void AnswerBound::end_if_full() {
  if (!over_ && !stopped_ && is_too_much()) stop();
}

void AnswerBound::count(const Event& event) {
  usage_.merge(event.usage);
  switch (event.kind) {
    case EventKind::block_start:
      ++blocks_;
      open_ = Open{event.index, event.block};
      break;
    case EventKind::block_stop:
      open_.reset();
      break;
    case EventKind::delta:
      bytes_ += static_cast<std::int64_t>(event.text.escaped.size());
      break;
    case EventKind::start:
    case EventKind::usage:
    case EventKind::finish:
    case EventKind::error:
      break;
    case EventKind::ping:
    case EventKind::progress:
      return;
  }
  ++bytes_;  // what carries nothing must not come for ever either
  if (!chat::is_content(event)) return;
  ++pieces_;
  content_bytes_ += static_cast<std::int64_t>(event.text.escaped.size());
}

bool AnswerBound::is_too_much() const {
  if (bytes_ > limits_.bytes_max) return true;
  if (!limits_.max_tokens) return false;
  const std::int64_t asked = std::min(*limits_.max_tokens, kTokensMost);
  const std::int64_t tokens = asked + asked / 10 + kSlackTokens;
  return (pieces_ > tokens && content_bytes_ > tokens * kTokenBytes) ||
         content_bytes_ > tokens * kTokenBytesMost;
}

void AnswerBound::stop() {
  stopped_ = true;
  if (open_) next_->on_event(of_open(EventKind::block_stop));
  next_->on_event(finish_event());
}

// An event of the open block, without its texts.
Event AnswerBound::of_open(EventKind kind) const {
  Event event;
  event.kind = kind;
  event.index = open_->index;
  event.block = open_->block;
  return event;
}

// The upstream would have counted at its end; what was written costs something all the same.
Event AnswerBound::finish_event() const {
  Event finish;
  finish.kind = EventKind::finish;
  finish.stop = chat::StopReason::max_tokens;
  finish.usage = usage_;
  finish.usage.output = std::max(usage_.output.value_or(0), content_bytes_ / kTokenBytes);
  return finish;
}

// A writer that is led to where the client is: past as many blocks, inside the same kind of block.
std::string AnswerBound::closing(const dialect::Dialect& dialect,
                                 dialect::AnswerContext context) const {
  const std::unique_ptr<dialect::Writer> writer = dialect.make_writer(std::move(context));
  std::string discarded;
  writer->filler(discarded);
  const std::uint32_t closed = open_ ? blocks_ - 1 : blocks_;
  Event block;
  for (std::uint32_t index = 0; index < closed; ++index) {
    block.index = index;
    block.block = chat::BlockKind::tool;
    block.kind = EventKind::block_start;
    writer->event(block, discarded);
    block.kind = EventKind::block_stop;
    writer->event(block, discarded);
    discarded.clear();
  }
  std::string bytes;
  if (open_) {
    writer->event(of_open(EventKind::block_start), discarded);
    Event piece = of_open(EventKind::delta);
    piece.text.escaped = "x";
    piece.delta = open_->block == chat::BlockKind::tool       ? chat::DeltaKind::arguments
                  : open_->block == chat::BlockKind::thinking ? chat::DeltaKind::thinking
                                                              : chat::DeltaKind::text;
    writer->event(piece, discarded);
    // A call is told by its end here (Ollama), and pass-through bytes have told of it.
    if (dialect.framing() == dialect::Framing::sse) {
      writer->event(of_open(EventKind::block_stop), bytes);
    }
  }
  writer->event(finish_event(), bytes);
  return bytes;
}

}  // namespace nl::gateway
