#include "http/call.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace nl::http {
namespace {

constexpr int kInterimAnswersMax = 16;
constexpr std::size_t kLargeBufferBytes = 4 * 1024;
constexpr std::size_t kLargestBufferBytes = 64 * 1024;
constexpr std::size_t kSmallestRoomBytes = 512;

}  // namespace

UpstreamCall::UpstreamCall(std::shared_ptr<Pool> pool, std::unique_ptr<Connection> connection,
                           Cancel& cancel)
    : pool_(std::move(pool)),
      connection_(std::move(connection)),
      head_buffer_(pool_->take_buffer()),
      reused_(connection_->used()),
      scope_(
          cancel,
          [](void* self) {
            auto& call = *static_cast<UpstreamCall*>(self);
            if (call.connection_) call.connection_->transport().abort();
          },
          this) {
  at_hand_ = head_buffer_.get();
}

UpstreamCall::~UpstreamCall() {
  if (head_capacity_ == Pool::kBufferBytes) pool_->give_back_buffer(std::move(head_buffer_));
}

Error UpstreamCall::broken(Error error) {
  // After a timeout the stream is whole and reading may go on; after anything else it is over.
  if (error.code != ErrorCode::timeout) connection_.reset();
  return error;
}

bool UpstreamCall::grow_head_buffer() {
  if (head_capacity_ >= kResponseHeadBytesMax) return false;
  auto larger = std::make_unique_for_overwrite<char[]>(head_capacity_ * 2);
  std::memcpy(larger.get(), at_hand_, at_hand_bytes_);
  head_buffer_ = std::move(larger);
  head_capacity_ *= 2;
  at_hand_ = head_buffer_.get();
  return true;
}

Result<bool> UpstreamCall::take_head(std::string_view method) {
  while (true) {
    if (at_hand_bytes_ == 0) return false;
    const std::string_view bytes(at_hand_, at_hand_bytes_);
    const auto end = find_head_end(bytes, kResponseHeadBytesMax);
    if (!end) return fail(ErrorCode::protocol, end.error().message);
    if (*end == 0) return false;
    auto head = parse_response_head(bytes.substr(0, *end), method);
    if (!head) return std::unexpected(head.error());
    at_hand_ += *end;
    at_hand_bytes_ -= *end;
    if (head->status >= 200) {
      head_bytes_ = static_cast<std::size_t>(at_hand_ - head_buffer_.get());
      head_ = std::move(*head);
      body_ = BodyReader(head_.framing, head_.content_length);
      if (body_.complete()) finish();
      return true;
    }
    if (head->status == 101) return fail(ErrorCode::protocol, "unasked change of protocol");
    if (++interim_answers_ > kInterimAnswersMax) {
      return fail(ErrorCode::protocol, "too many interim answers");
    }
  }
}

asio::awaitable<Result<void>> UpstreamCall::read_head(std::string_view method, Instant until) {
  while (true) {
    const auto taken = take_head(method);
    if (!taken) co_return std::unexpected(broken(taken.error()));
    if (*taken) co_return Result<void>();
    char* const begin = head_buffer_.get();
    if (at_hand_ != begin) {
      std::memmove(begin, at_hand_, at_hand_bytes_);
      at_hand_ = begin;
    }
    if (at_hand_bytes_ == head_capacity_ && !grow_head_buffer()) {
      co_return std::unexpected(broken(Error(ErrorCode::protocol, "head is too large")));
    }
    const std::span<char> free(at_hand_ + at_hand_bytes_, head_capacity_ - at_hand_bytes_);
    const auto got = co_await connection_->transport().read_some(free, until);
    if (!got) co_return std::unexpected(broken(got.error()));
    if (*got == 0) {
      Error error(untouched_ ? ErrorCode::reset : ErrorCode::truncated, "closed before an answer");
      co_return std::unexpected(broken(std::move(error)));
    }
    untouched_ = false;
    at_hand_bytes_ += *got;
    last_read_ = *got;
  }
}

void UpstreamCall::finish() {
  complete_ = true;
  // Bytes behind the answer belong to no request of ours: such a connection is not used again.
  const bool reusable =
      head_.keep_alive && at_hand_bytes_ == 0 && connection_ && connection_->transport().usable();
  if (reusable) pool_->give_back(std::move(connection_));
  connection_.reset();
}

Result<std::string_view> UpstreamCall::take_piece() {
  while (at_hand_bytes_ > 0 && !complete_) {
    const auto found = body_.decode(std::span(at_hand_, at_hand_bytes_));
    if (!found) return std::unexpected(broken(found.error()));
    const std::string_view piece(at_hand_, found->data);
    at_hand_ += found->consumed;
    at_hand_bytes_ -= found->consumed;
    if (body_.complete()) finish();
    if (!piece.empty()) return piece;
  }
  return std::string_view();
}

std::span<char> UpstreamCall::room() {
  assert(at_hand_bytes_ == 0);
  const std::size_t small = head_capacity_ - head_bytes_;
  const std::size_t now = large_buffer_ ? large_capacity_ : small;
  std::size_t wanted = now;
  if (last_read_ >= now || now < kSmallestRoomBytes) {
    wanted = std::clamp(now * 4, kLargeBufferBytes, kLargestBufferBytes);
  } else if (large_buffer_ && last_read_ < now / 8 && small >= kSmallestRoomBytes) {
    wanted = small;  // the burst is over: an idle stream keeps only its small buffer
  }
  if (wanted == small) {
    large_buffer_.reset();
    return {head_buffer_.get() + head_bytes_, small};
  }
  if (!large_buffer_ || wanted != large_capacity_) {
    large_buffer_ = std::make_unique_for_overwrite<char[]>(wanted);
    large_capacity_ = wanted;
  }
  return {large_buffer_.get(), large_capacity_};
}

std::optional<Result<std::string_view>> UpstreamCall::read_now() {
  auto piece = take_piece();
  if (!piece || !piece->empty() || complete_) return piece;
  return std::nullopt;
}

asio::awaitable<Result<std::string_view>> UpstreamCall::read(Instant until) {
  while (true) {
    auto piece = take_piece();
    if (!piece || !piece->empty() || complete_) co_return piece;
    if (!connection_) co_return fail(ErrorCode::reset, "connection is closed");
    const std::span<char> into = room();
    const auto got = co_await connection_->transport().read_some(into, until);
    if (!got) co_return std::unexpected(broken(got.error()));
    last_read_ = *got;
    if (*got == 0) {
      const auto ended = body_.end();
      if (!ended) co_return std::unexpected(broken(ended.error()));
      finish();
      co_return std::string_view();
    }
    at_hand_ = into.data();
    at_hand_bytes_ = *got;
  }
}

}  // namespace nl::http
