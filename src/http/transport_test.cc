#include "http/transport.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/deferred.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>

#include "http/test_loop.h"

namespace nl::http {
namespace {

using std::chrono::milliseconds;

// Two ends of one stream on one loop. Public, so that the tests' coroutines can be told of it.
class TransportTest : public ::testing::Test {
 public:
  TransportTest() {
    asio::local::stream_protocol::socket one(loop.io()), other(loop.io());
    asio::local::connect_pair(one, other);
    left = std::make_unique<Transport>(loop, Transport::Socket(std::move(one)));
    right = std::make_unique<Transport>(loop, Transport::Socket(std::move(other)));
  }
  Instant in(Duration time) const { return loop.now() + time; }

  SystemClock clock;
  Loop loop{clock};
  std::unique_ptr<Transport> left;
  std::unique_ptr<Transport> right;
};

asio::awaitable<std::string> read_text(Transport& from, Instant until) {
  std::array<char, 64> bytes;
  const auto got = co_await from.read_some(bytes, until);
  if (!got) co_return name(got.error().code);
  co_return std::string(bytes.data(), *got);
}

asio::awaitable<std::string> write_text(Transport& to, std::string text, Instant until) {
  const auto sent = co_await to.write_all(text, std::string_view(), until);
  co_return sent ? "sent" : name(sent.error().code);
}

TEST_F(TransportTest, moves_bytes_and_ends_cleanly) {
  EXPECT_EQ(run_on(loop, write_text(*left, "hello", in(milliseconds(500)))), "sent");
  EXPECT_EQ(run_on(loop, read_text(*right, in(milliseconds(500)))), "hello");
  left->end_writing();
  EXPECT_EQ(run_on(loop, read_text(*right, in(milliseconds(500)))), "");
}

TEST_F(TransportTest, all_pieces_go_out_in_order) {
  EXPECT_EQ(left->write_now(Pieces("5\r\n", "hello", "\r\n")), 10U);
  EXPECT_EQ(run_on(loop, read_text(*right, in(milliseconds(500)))), "5\r\nhello\r\n");
  Pieces pieces("ab", "", "cd");
  pieces.drop_front(3);
  EXPECT_EQ(pieces.size(), 1U);
  EXPECT_EQ(left->write_now(pieces), 1U);
  EXPECT_EQ(run_on(loop, read_text(*right, in(milliseconds(500)))), "d");
}

// Small pieces are joined before they go to the kernel, large ones are not.
TEST_F(TransportTest, pieces_of_every_size_arrive_as_one) {
  for (const std::size_t size :
       {std::size_t{4093}, std::size_t{4094}, std::size_t{4095}, std::size_t{20000}}) {
    const std::string large(size, 'x');
    ASSERT_EQ(left->write_now(Pieces("a", large, "b")), size + 2);
    std::string got;
    while (got.size() < size + 2) {
      const std::string more = run_on(loop, read_text(*right, in(milliseconds(500))));
      ASSERT_FALSE(more.empty());
      got += more;
    }
    EXPECT_EQ(got, "a" + large + "b");
  }
}

TEST_F(TransportTest, a_timeout_leaves_the_stream_usable) {
  EXPECT_EQ(run_on(loop, read_text(*right, in(milliseconds(20)))), "timeout");
  EXPECT_EQ(run_on(loop, read_text(*right, loop.now())), "timeout") << "already over";
  (void)left->write_now("late");
  EXPECT_EQ(run_on(loop, read_text(*right, loop.now())), "late") << "what is there is read";
}

TEST_F(TransportTest, one_directions_deadline_does_not_end_the_other) {
  std::string read, wrote;
  asio::co_spawn(loop.io(), read_text(*left, in(std::chrono::seconds(5))),
                 [&](std::exception_ptr, std::string text) { read = std::move(text); });
  asio::co_spawn(loop.io(), write_text(*left, std::string(8 << 20, 'x'), in(milliseconds(40))),
                 [&](std::exception_ptr, std::string text) { wrote = std::move(text); });
  ASSERT_TRUE(run_until(loop, [&] { return !wrote.empty(); }));
  EXPECT_EQ(wrote, "timeout");
  EXPECT_EQ(read, "");
  (void)right->write_now("still here");
  ASSERT_TRUE(run_until(loop, [&] { return !read.empty(); }));
  EXPECT_EQ(read, "still here");
}

TEST_F(TransportTest, a_steady_writer_needs_progress_only) {
  std::string wrote;
  const auto write = [](Transport* to) -> asio::awaitable<std::string> {
    const std::string text(2 << 20, 'x');
    const auto sent = co_await to->write_steadily(Pieces(text), milliseconds(120));
    co_return sent ? "sent" : name(sent.error().code);
  };
  asio::co_spawn(loop.io(), write(left.get()),
                 [&](std::exception_ptr, std::string text) { wrote = std::move(text); });
  // The reader takes longer for all of it than the writer may stand still.
  const auto drain = [](Transport* from, Loop* on) -> asio::awaitable<int> {
    std::string bytes(256 << 10, 'x');
    std::size_t total = 0;
    while (total < (2 << 20)) {
      asio::steady_timer pause(on->io(), milliseconds(30));
      co_await pause.async_wait(asio::deferred);
      const auto got = co_await from->read_some(bytes, Instant::max());
      if (!got || *got == 0) co_return 1;
      total += *got;
    }
    co_return 0;
  };
  EXPECT_EQ(run_on(loop, drain(right.get(), &loop)), 0);
  EXPECT_TRUE(run_until(loop, [&] { return !wrote.empty(); }));
  EXPECT_EQ(wrote, "sent");
}

// The kernel tells of room when most of the buffer is free, which takes this reader longer than a
// writer may stand still; each of its reads is progress all the same.
TEST_F(TransportTest, a_slow_reader_is_progress_before_there_is_room) {
  const int large = 208 << 10;  // doubled by the kernel
  ASSERT_EQ(setsockopt(left->native(), SOL_SOCKET, SO_SNDBUF, &large, sizeof large), 0);
  std::string wrote;
  const auto write = [](Transport* to) -> asio::awaitable<std::string> {
    const std::string text(800 << 10, 'x');
    const auto sent = co_await to->write_steadily(Pieces(text), milliseconds(300));
    co_return sent ? "sent" : name(sent.error().code);
  };
  asio::co_spawn(loop.io(), write(left.get()),
                 [&](std::exception_ptr, std::string text) { wrote = std::move(text); });
  const auto drain = [](Transport* from, Loop* on) -> asio::awaitable<std::size_t> {
    std::string bytes(16 << 10, 'x');
    std::size_t total = 0;
    while (total < (800 << 10)) {
      asio::steady_timer pause(on->io(), milliseconds(50));
      co_await pause.async_wait(asio::deferred);
      const auto got = co_await from->read_some(bytes, on->now() + std::chrono::seconds(2));
      if (!got || *got == 0) break;
      total += *got;
    }
    co_return total;
  };
  EXPECT_EQ(run_on(loop, drain(right.get(), &loop)), std::size_t{800 << 10});
  EXPECT_TRUE(run_until(loop, [&] { return !wrote.empty(); }));
  EXPECT_EQ(wrote, "sent");
}

TEST_F(TransportTest, abort_ends_pending_and_later_operations) {
  std::string read;
  asio::co_spawn(loop.io(), read_text(*left, Instant::max()),
                 [&](std::exception_ptr, std::string text) { read = std::move(text); });
  loop.io().poll();  // the read is waiting now
  left->abort();
  ASSERT_TRUE(run_until(loop, [&] { return !read.empty(); }));
  EXPECT_EQ(read, "cancelled");
  EXPECT_FALSE(left->usable());
  EXPECT_EQ(run_on(loop, read_text(*left, Instant::max())), "cancelled");
  EXPECT_EQ(run_on(loop, write_text(*left, "x", Instant::max())), "cancelled");
  EXPECT_EQ(left->write_now("x"), 0U);
  EXPECT_EQ(left->peer_state(), PeerState::gone);
  EXPECT_EQ(run_on(loop, read_text(*right, in(milliseconds(500)))), "") << "the peer sees it";
}

TEST_F(TransportTest, tells_the_peers_state_without_consuming) {
  EXPECT_EQ(left->peer_state(), PeerState::open);
  (void)right->write_now("x");
  EXPECT_EQ(left->peer_state(), PeerState::has_bytes);
  EXPECT_EQ(left->peer_state(), PeerState::has_bytes);
  EXPECT_EQ(run_on(loop, read_text(*left, in(milliseconds(500)))), "x");
  right->abort();
  EXPECT_EQ(left->peer_state(), PeerState::gone);
  EXPECT_EQ(run_on(loop, write_text(*left, "x", in(milliseconds(500)))), "reset") << "no signal";
}

TEST_F(TransportTest, waits_without_a_buffer) {
  const auto wait = [](Transport* on, Instant until) -> asio::awaitable<std::string> {
    const auto ready = co_await on->wait_readable(until);
    co_return ready ? "ready" : name(ready.error().code);
  };
  EXPECT_EQ(run_on(loop, wait(left.get(), in(milliseconds(20)))), "timeout");
  (void)right->write_now("x");
  EXPECT_EQ(run_on(loop, wait(left.get(), in(milliseconds(500)))), "ready");
  EXPECT_EQ(run_on(loop, read_text(*left, in(milliseconds(500)))), "x");
}

}  // namespace
}  // namespace nl::http
