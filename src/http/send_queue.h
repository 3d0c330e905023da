// SendQueue: what the connections of one loop send in one turn of it, sent together.
//
// A send wakes the process at the other end, which costs the sender more than the copy does, unless
// that process is awake anyway. So what becomes due while a loop handles the events that it found
// is sent in one go behind them: the peer is woken once and finds all of it. Nothing waits for
// anything that has not happened yet, and at most kTogether messages wait for each other. Loop
// thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <functional>
#include <vector>

namespace nl::http {

class Pieces;
class Transport;

class SendQueue {
 public:
  static constexpr std::size_t kTogether = 32;

  explicit SendQueue(boost::asio::io_context& io) : io_(io) {}
  SendQueue(const SendQueue&) = delete;
  SendQueue& operator=(const SendQueue&) = delete;

  // Drops from `pieces` what the kernel takes by the end of this turn, then calls `then` once, from
  // the loop. Both `transport` and `pieces` live until then, or until the loop is destroyed.
  void add(Transport& transport, Pieces& pieces, std::move_only_function<void()> then);

 private:
  struct Message {
    Transport& transport;
    Pieces& pieces;
    std::move_only_function<void()> then;
  };
  void send();
  void end_turn();

  boost::asio::io_context& io_;
  std::vector<Message> messages_;  // of this turn
  std::size_t sent_ = 0;           // how many of them have been sent
  std::vector<Message> ending_;    // of the turn that ends; empty otherwise, kept for its memory
};

}  // namespace nl::http
