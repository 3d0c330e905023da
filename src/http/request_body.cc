#include "http/request_body.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace nl::http {
namespace {

constexpr std::size_t kFirstCapacityBytes = 16 * 1024;
constexpr std::size_t kFirstKnownCapacityBytes = 256 * 1024;
constexpr std::size_t kRoomBytesMin = 2 * 1024;
constexpr std::uint64_t kBytesPerSecondMin = 1024;

std::unexpected<Error> too_large() {
  return fail(ErrorCode::too_large, "request body is too large", 413);
}

}  // namespace

void RequestBody::Free::operator()(char* memory) const {
  std::free(memory);
}

RequestBody::RequestBody(const RequestHead& head, const ServerLimits& limits, BodyMemory& memory)
    : limits_(limits), memory_(memory), reader_(head.framing, head.content_length) {}

RequestBody::~RequestBody() {
  memory_.give_back(capacity_);
}

Result<bool> RequestBody::take_from(Input& input) {
  if (reader_.left() > limits_.body_bytes_max) return too_large();
  const std::span<char> bytes = input.writable_bytes();
  const auto found = reader_.decode(bytes);
  if (!found) return std::unexpected(found.error());
  if (found->data > limits_.body_bytes_max) return too_large();
  view_ = std::string_view(bytes.data(), found->data);
  size_ = found->data;
  input.drop(found->consumed);
  return reader_.complete();
}

std::size_t RequestBody::next_capacity() const {
  if (reader_.left() == 0) {
    return std::min(std::max(capacity_ * 2, size_ + kFirstCapacityBytes),
                    limits_.body_bytes_max + kRoomBytesMin);
  }
  const std::size_t whole = size_ + static_cast<std::size_t>(reader_.left());
  return std::min(whole, std::max(capacity_ * 2, size_ + kFirstKnownCapacityBytes));
}

Result<void> RequestBody::reallocate(std::size_t capacity) {
  // realloc moves pages instead of bytes when a body gets large.
  void* const larger = std::realloc(storage_.get(), capacity);
  if (larger == nullptr) return fail(ErrorCode::exhausted, "no memory for a request body", 503);
  const bool first = capacity_ == 0;
  (void)storage_.release();
  storage_.reset(static_cast<char*>(larger));
  if (first && size_ > 0) std::memcpy(storage_.get(), view_.data(), size_);
  capacity_ = capacity;
  return {};
}

asio::awaitable<Result<void>> RequestBody::grow(Loop& loop) {
  const std::size_t capacity = next_capacity();
  const std::size_t more = capacity - capacity_;
  if (!memory_.try_take(more)) {
    const Granted granted = co_await memory_.take(more, loop.now() + limits_.body_memory_wait);
    if (granted == Granted::no) {
      co_return fail(ErrorCode::exhausted, "too many request bodies at once", 503);
    }
  }
  const auto done = reallocate(capacity);
  if (!done) memory_.give_back(more);
  co_return done;
}

asio::awaitable<Result<void>> RequestBody::read(Transport& transport) {
  Loop& loop = transport.loop();
  Instant began = loop.now();
  while (!reader_.complete()) {
    const bool known = reader_.left() > 0;
    // The first bytes may still stand in the connection's input: then there is no room at all yet.
    if (capacity_ < size_ + (known ? std::size_t{1} : kRoomBytesMin)) {
      const Instant paused = loop.now();
      auto grown = co_await grow(loop);
      if (!grown) co_return grown;
      began += loop.now() - paused;  // the client is not to blame for our pause
    }
    std::span<char> room(storage_.get() + size_, capacity_ - size_);
    if (known) room = room.first(std::min<std::size_t>(room.size(), reader_.left()));
    const auto earned = std::chrono::seconds(size_ / kBytesPerSecondMin);
    const auto got = co_await transport.read_some(room, began + limits_.body_grace + earned);
    if (!got && got.error().code == ErrorCode::timeout) {
      co_return fail(ErrorCode::timeout, "request body came too slowly", 408);
    }
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) co_return fail(ErrorCode::reset, "client closed inside a request body");
    const auto found = reader_.decode(room.first(*got));
    if (!found) co_return std::unexpected(found.error());
    size_ += found->data;
    if (size_ > limits_.body_bytes_max) co_return too_large();
    behind_ = std::string_view(room.data() + found->consumed, *got - found->consumed);
  }
  if (storage_) view_ = std::string_view(storage_.get(), size_);
  co_return Result<void>();
}

}  // namespace nl::http
