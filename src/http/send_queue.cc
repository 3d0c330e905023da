#include "http/send_queue.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "http/transport.h"

namespace nl::http {

void SendQueue::add(Transport& transport, Pieces& pieces, std::move_only_function<void()> then) {
  // The loop comes to what is posted when it has been through the events that it found.
  if (messages_.empty()) boost::asio::post(io_, [this] { end_turn(); });
  messages_.push_back({transport, pieces, std::move(then)});
  if (messages_.size() - sent_ >= kTogether) send();
}

void SendQueue::send() {
  for (; sent_ < messages_.size(); ++sent_) {
    Message& message = messages_[sent_];
    message.pieces.drop_front(message.transport.write_now(message.pieces));
  }
}

void SendQueue::end_turn() {
  send();
  sent_ = 0;
  ending_.swap(messages_);
  // Who goes on may well send again: that belongs to the next turn.
  for (Message& message : ending_) std::exchange(message.then, nullptr)();
  ending_.clear();
}

}  // namespace nl::http
