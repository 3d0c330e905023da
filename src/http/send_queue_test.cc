#include "http/send_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <memory>
#include <string>
#include <vector>

#include "http/test_loop.h"
#include "http/transport.h"

namespace nl::http {
namespace {

struct Ends {
  explicit Ends(Loop& loop) {
    asio::local::stream_protocol::socket one(loop.io()), other(loop.io());
    asio::local::connect_pair(one, other);
    ours = std::make_unique<Transport>(loop, Transport::Socket(std::move(one)));
    peer = std::make_unique<Transport>(loop, Transport::Socket(std::move(other)));
  }
  bool arrived() const { return peer->peer_state() == PeerState::has_bytes; }

  std::unique_ptr<Transport> ours;
  std::unique_ptr<Transport> peer;
};

class SendQueueTest : public ::testing::Test {
 public:
  // Sends `text` as a handler does; what the kernel did not take, or -1 so far.
  void send(Ends& ends, std::string text, long& left) {
    left = -1;
    loop.io().restart();
    const auto write = [](Transport* to, std::string bytes) -> asio::awaitable<std::size_t> {
      Pieces pieces(bytes);
      co_await to->write_together(pieces);
      co_return pieces.size();
    };
    asio::co_spawn(
        loop.io(), write(ends.ours.get(), std::move(text)),
        [&left](std::exception_ptr, std::size_t rest) { left = static_cast<long>(rest); });
  }
  // One event of the loop.
  void step() { ASSERT_EQ(loop.io().poll_one(), 1U); }

  SystemClock clock;
  Loop loop{clock};
};

TEST_F(SendQueueTest, a_turn_sends_behind_the_events_it_found) {
  Ends one(loop), other(loop);
  long one_left = 0, other_left = 0;
  send(one, "one", one_left);
  send(other, "other", other_left);
  step();
  EXPECT_FALSE(one.arrived()) << "the other event comes first";
  step();
  EXPECT_FALSE(one.arrived() || other.arrived());
  step();
  EXPECT_TRUE(one.arrived() && other.arrived()) << "both at the end of the turn";
  loop.io().poll();
  EXPECT_EQ(one_left, 0);
  EXPECT_EQ(other_left, 0);
}

TEST_F(SendQueueTest, many_do_not_wait_for_each_other) {
  std::vector<std::unique_ptr<Ends>> ends;
  std::vector<long> left(SendQueue::kTogether + 1);
  for (long& rest : left) {
    ends.push_back(std::make_unique<Ends>(loop));
    send(*ends.back(), "x", rest);
  }
  for (std::size_t i = 0; i + 1 < SendQueue::kTogether; ++i) step();
  EXPECT_FALSE(ends.front()->arrived());
  step();
  for (std::size_t i = 0; i < SendQueue::kTogether; ++i) EXPECT_TRUE(ends[i]->arrived()) << i;
  EXPECT_EQ(left.front(), -1) << "the sender goes on at the end of the turn all the same";
  step();
  EXPECT_FALSE(ends.back()->arrived());
  loop.io().poll();
  EXPECT_TRUE(ends.back()->arrived());
  for (const long rest : left) EXPECT_EQ(rest, 0);
}

TEST_F(SendQueueTest, each_turn_sends_what_the_last_one_led_to) {
  Ends ends(loop);
  const auto write = [](Transport* to) -> asio::awaitable<int> {
    for (const std::string_view text : {"a", "b", "c"}) {
      Pieces pieces(text);
      co_await to->write_together(pieces);
    }
    co_return 0;
  };
  EXPECT_EQ(run_on(loop, write(ends.ours.get())), 0);
  std::array<char, 8> bytes;
  const auto read = [](Transport* from, std::span<char> into) -> asio::awaitable<std::size_t> {
    const auto got = co_await from->read_some(into, Instant::max());
    co_return got.value_or(0);
  };
  ASSERT_EQ(run_on(loop, read(ends.peer.get(), bytes)), 3U);
  EXPECT_EQ(std::string_view(bytes.data(), 3), "abc");
}

TEST_F(SendQueueTest, what_the_kernel_does_not_take_is_left) {
  Ends ends(loop);
  long left = 0;
  send(ends, std::string(8 << 20, 'x'), left);
  loop.io().poll();
  EXPECT_GT(left, 0);
  EXPECT_LT(left, 8 << 20);
  send(ends, "more", left);
  loop.io().poll();
  EXPECT_EQ(left, 4);
}

TEST_F(SendQueueTest, an_aborted_connection_takes_nothing) {
  Ends ends(loop);
  long left = 0;
  send(ends, "late", left);
  step();
  ends.ours->abort();
  loop.io().poll();
  EXPECT_EQ(left, 4);
  EXPECT_FALSE(ends.arrived());
}

TEST(SendQueue, a_loop_that_ends_drops_what_waits) {
  const SystemClock clock;
  Loop loop(clock);
  const auto write = [](Loop* on) -> asio::awaitable<void> {
    Ends ends(*on);
    Pieces pieces("never");
    co_await ends.ours->write_together(pieces);
    ADD_FAILURE() << "nobody goes on";
  };
  asio::co_spawn(loop.io(), write(&loop), asio::detached);
  EXPECT_EQ(loop.io().poll_one(), 1U);
}

}  // namespace
}  // namespace nl::http
