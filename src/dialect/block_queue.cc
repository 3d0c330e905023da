#include "dialect/block_queue.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <utility>

#include "base/random.h"

namespace nl::dialect {
namespace {

using chat::BlockKind;
using chat::DeltaKind;
using chat::JsonText;

constexpr std::size_t kMintedIdLength = 24;

DeltaKind delta_of(BlockKind kind) {
  switch (kind) {
    case BlockKind::text:
      return DeltaKind::text;
    case BlockKind::thinking:
      return DeltaKind::thinking;
    case BlockKind::tool:
      return DeltaKind::arguments;
    case BlockKind::opaque:
      return DeltaKind::opaque;
  }
  return DeltaKind::opaque;
}

bool is_blank(JsonText piece) {
  return piece.utf8().find_first_not_of(" \t\r\n") == std::string::npos;
}

}  // namespace

void ArgumentScan::feed(JsonText piece) {
  const std::string_view text = piece.escaped;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\' || at + 1 == text.size()) {
      unit(text[at]);
      continue;
    }
    const char kind = text[++at];
    if (kind == '"' || kind == '\\' || kind == '/') {
      unit(kind);
    } else if (kind == 'u') {
      unsigned value = 0;
      const char* digits = text.data() + at + 1;
      const std::size_t left = std::min<std::size_t>(4, text.size() - at - 1);
      std::from_chars(digits, digits + left, value, 16);
      at += left;
      unit(value < 0x80 ? static_cast<char>(value) : 'x');
    } else {
      unit(' ');  // \n, \t and the like
    }
  }
}

void ArgumentScan::unit(char byte) {
  if (in_string_) {
    if (escaped_) {
      escaped_ = false;
    } else if (byte == '\\') {
      escaped_ = true;
    } else if (byte == '"') {
      in_string_ = false;
    }
    return;
  }
  switch (byte) {
    case ' ':
    case '\t':
    case '\r':
    case '\n':
      return;
    case '"':
      in_string_ = true;
      break;
    case '{':
    case '[':
      ++depth_;
      complete_ = false;
      break;
    case '}':
    case ']':
      if (depth_ > 0) --depth_;
      complete_ = depth_ == 0;
      break;
    default:
      break;
  }
}

Result<void> BlockQueue::text(BlockKind kind, JsonText piece, EventSink& sink) {
  assert(kind == BlockKind::text || kind == BlockKind::thinking);
  if (piece.empty()) return {};
  if (waiting_.empty() && can_close()) {
    if (open_ != kind) {
      close_open(sink);
      open(kind, sink);
    }
    delta(delta_of(kind), piece, sink);
    return {};
  }
  if (waiting_.empty() || waiting_.back().kind != kind) waiting_.push_back({kind, nullptr, {}});
  if (auto held = hold(waiting_.back().text, piece); !held) return held;
  advance(sink);
  return {};
}

BlockQueue::Call* BlockQueue::find(const CallPiece& piece) {
  const auto is_another = [&](const Call& call) {
    if (piece.name.empty()) return false;
    // Servers that number every call 0 tell them apart by id.
    if (!piece.id.empty()) {
      return call.id != piece.id.escaped && (call.scan.complete() || !piece.index);
    }
    return !piece.arguments.empty() && call.scan.complete();
  };
  for (auto call = calls_.rbegin(); call != calls_.rend(); ++call) {
    if (piece.index && call->index != piece.index) continue;
    return is_another(*call) ? nullptr : &*call;
  }
  return nullptr;
}

Result<void> BlockQueue::call(const CallPiece& piece, EventSink& sink) {
  Call* call = find(piece);
  if (call == nullptr) {
    if (calls_.size() == kCallsMax) {
      return fail(ErrorCode::protocol, "more than 256 tool calls in one answer");
    }
    call = &calls_.emplace_back();
    call->index = piece.index;
    call->id = piece.id.escaped;
  }
  if (call->name.empty()) call->name = piece.name.escaped;
  if (call->id.empty() && !call->queued) call->id = piece.id.escaped;
  if (call->closed) {
    if (is_blank(piece.arguments)) return {};
    return fail(ErrorCode::protocol, "tool call arguments after their end");
  }
  call->scan.feed(piece.arguments);
  if (is_open(*call)) {
    arguments(*call, piece.arguments, sink);
  } else {
    if (!call->queued) waiting_.push_back({BlockKind::tool, call, {}});
    call->queued = true;
    if (auto held = hold(call->held, piece.arguments); !held) return held;
  }
  advance(sink);
  return {};
}

Result<void> BlockQueue::close(EventSink& sink) {
  close_open(sink);
  while (!waiting_.empty()) {
    const Waiting& next = waiting_.front();
    if (next.kind == BlockKind::tool && next.call->name.empty()) {
      return fail(ErrorCode::protocol, "tool call without a name");
    }
    open_next(sink);
    close_open(sink);
  }
  return {};
}

bool BlockQueue::can_close() const {
  if (!open_ || *open_ != BlockKind::tool) return true;
  return open_call_->scan.complete();
}

bool BlockQueue::is_open(const Call& call) const {
  return open_ == BlockKind::tool && open_call_ == &call;
}

Result<void> BlockQueue::hold(std::string& where, JsonText piece) {
  held_bytes_ += piece.escaped.size();
  if (held_bytes_ > kHeldBytesMax) {
    return fail(ErrorCode::protocol, "more than 4 MiB of interleaved blocks");
  }
  where += piece.escaped;
  return {};
}

// Opens what waits as far as the order allows.
void BlockQueue::advance(EventSink& sink) {
  while (!waiting_.empty() && can_close()) {
    const Waiting& next = waiting_.front();
    if (next.kind == BlockKind::tool && next.call->name.empty()) return;
    close_open(sink);
    open_next(sink);
  }
}

void BlockQueue::open_next(EventSink& sink) {
  Waiting next = std::move(waiting_.front());
  waiting_.pop_front();
  if (next.kind == BlockKind::tool) {
    Call& call = *next.call;
    open_call(call, sink);
    held_bytes_ -= call.held.size();
    arguments(call, {spent_.emplace_back(std::move(call.held))}, sink);
    return;
  }
  held_bytes_ -= next.text.size();
  open(next.kind, sink);
  delta(delta_of(next.kind), {spent_.emplace_back(std::move(next.text))}, sink);
}

void BlockQueue::open(BlockKind kind, EventSink& sink) {
  chat::Event event;
  event.kind = chat::EventKind::block_start;
  event.block = kind;
  event.index = next_index_++;
  open_ = kind;
  sink.on_event(event);
}

void BlockQueue::open_call(Call& call, EventSink& sink) {
  if (call.id.empty()) call.id = "call_" + random_id(kMintedIdLength);
  chat::Event event;
  event.kind = chat::EventKind::block_start;
  event.block = BlockKind::tool;
  event.index = next_index_++;
  event.id = {call.id};
  event.name = {call.name};
  open_ = BlockKind::tool;
  open_call_ = &call;
  sink.on_event(event);
}

void BlockQueue::arguments(Call& call, JsonText piece, EventSink& sink) {
  if (piece.empty()) return;
  if (!call.wrote && !call.empty_object && piece.escaped == "{}") {
    call.empty_object = true;
    return;
  }
  if (call.empty_object && !call.wrote && !piece.escaped.starts_with('{')) {
    delta(DeltaKind::arguments, {"{}"}, sink);
  }
  call.wrote = true;
  delta(DeltaKind::arguments, piece, sink);
}

void BlockQueue::delta(DeltaKind kind, JsonText piece, EventSink& sink) {
  assert(open_.has_value());
  chat::Event event;
  event.kind = chat::EventKind::delta;
  event.block = *open_;
  event.delta = kind;
  event.index = next_index_ - 1;
  event.text = piece;
  sink.on_event(event);
}

void BlockQueue::close_open(EventSink& sink) {
  if (!open_) return;
  if (*open_ == BlockKind::tool) {
    Call& call = *open_call_;
    // No arguments at all are an empty object everywhere but here.
    if (!call.wrote) delta(DeltaKind::arguments, {"{}"}, sink);
    call.closed = true;
  }
  chat::Event event;
  event.kind = chat::EventKind::block_stop;
  event.block = *open_;
  event.index = next_index_ - 1;
  open_.reset();
  sink.on_event(event);
}

}  // namespace nl::dialect
