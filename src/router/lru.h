// Lru: a map from text to Value that holds at most `capacity` entries; the one not used for the
// longest time goes first.
//
// Not thread-safe: its owner locks. Lookups that must not change the order use find().
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace nl::router {

template <typename Value>
class Lru {
 public:
  explicit Lru(std::size_t capacity) : capacity_(capacity) {}

  const Value* find(std::string_view key) const {
    const auto found = index_.find(key);
    return found == index_.end() ? nullptr : &found->second->second;
  }
  // The entry if there is one, now the most recently used.
  Value* touch(std::string_view key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    return &found->second->second;
  }
  // The entry, made if it is new.
  Value& get(std::string_view key) {
    if (Value* known = touch(key)) return *known;
    if (order_.size() >= capacity_) {
      index_.erase(order_.back().first);
      order_.pop_back();
    }
    order_.emplace_front(std::string(key), Value{});
    index_.emplace(order_.front().first, order_.begin());
    return order_.front().second;
  }
  void erase(std::string_view key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return;
    const auto item = found->second;
    index_.erase(found);
    order_.erase(item);
  }
  void clear() {
    index_.clear();
    order_.clear();
  }
  std::size_t size() const { return order_.size(); }
  // Most recently used first.
  const std::list<std::pair<std::string, Value>>& entries() const { return order_; }

 private:
  using Order = std::list<std::pair<std::string, Value>>;

  std::size_t capacity_;
  Order order_;
  std::unordered_map<std::string_view, typename Order::iterator> index_;  // keys live in order_
};

}  // namespace nl::router
