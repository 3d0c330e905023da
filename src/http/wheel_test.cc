#include "http/wheel.h"

#include <gtest/gtest.h>

#include <functional>

#include "http/test_loop.h"

namespace nl::http {
namespace {

using std::chrono::milliseconds;

class Note final : public Timer {
 public:
  explicit Note(std::function<void()> action = [] {}) : action_(std::move(action)) {}
  int fired = 0;

 private:
  void on_deadline() override {
    ++fired;
    action_();
  }
  std::function<void()> action_;
};

class WheelTest : public ::testing::Test {
 protected:
  void advance(Duration by) {
    clock.advance(by);
    loop.wheel().fire_due();
  }
  void arm(Timer& timer, Duration after) { loop.wheel().arm(timer, clock.now() + after); }

  ManualClock clock;
  Loop loop{clock};
};

TEST_F(WheelTest, fires_never_early_and_at_most_a_tick_late) {
  for (int ms = 1; ms < 60; ms += 7) {
    Note note;
    arm(note, milliseconds(ms));
    advance(milliseconds(ms) - std::chrono::microseconds(1));
    EXPECT_EQ(note.fired, 0) << ms;
    advance(Wheel::kTick + std::chrono::microseconds(1));
    EXPECT_EQ(note.fired, 1) << ms;
    EXPECT_FALSE(note.armed());
  }
}

TEST_F(WheelTest, fires_deadlines_that_are_rounds_away) {
  Note near, far;
  arm(near, std::chrono::seconds(5));
  arm(far, std::chrono::seconds(5) + Wheel::kTick * Wheel::kSlots * 3);
  advance(std::chrono::seconds(6));
  EXPECT_EQ(near.fired, 1);
  EXPECT_EQ(far.fired, 0);
  for (int i = 0; i < 25; ++i) advance(std::chrono::seconds(1));
  EXPECT_EQ(far.fired, 0);
  advance(std::chrono::seconds(10));
  EXPECT_EQ(far.fired, 1);
}

TEST_F(WheelTest, catches_up_after_a_long_sleep) {
  std::array<Note, 3> notes;
  arm(notes[0], milliseconds(10));
  arm(notes[1], std::chrono::seconds(30));
  arm(notes[2], std::chrono::hours(2));
  advance(std::chrono::hours(1));
  EXPECT_EQ(notes[0].fired + notes[1].fired, 2);
  EXPECT_EQ(notes[2].fired, 0);
}

TEST_F(WheelTest, a_new_arming_replaces_the_old_one) {
  Note note;
  arm(note, milliseconds(50));
  arm(note, milliseconds(500));
  advance(milliseconds(100));
  EXPECT_EQ(note.fired, 0);
  note.disarm();
  note.disarm();
  advance(std::chrono::seconds(1));
  EXPECT_EQ(note.fired, 0);
}

TEST_F(WheelTest, a_past_or_infinite_deadline_is_no_special_case) {
  Note past, never;
  loop.wheel().arm(past, clock.now() - std::chrono::seconds(1));
  loop.wheel().arm(never, Instant::max());
  EXPECT_EQ(past.fired, 0) << "never inside arm()";
  EXPECT_FALSE(never.armed());
  advance(Wheel::kTick * 2);
  EXPECT_EQ(past.fired, 1);
}

TEST_F(WheelTest, a_deadline_may_destroy_and_disarm_others_and_rearm_itself) {
  auto victim = std::make_unique<Note>();
  Note other;
  Note* self = nullptr;
  Note killer([&] {
    victim.reset();
    other.disarm();
    arm(*self, milliseconds(20));
  });
  self = &killer;
  arm(other, milliseconds(20));
  arm(*victim, milliseconds(20));
  arm(killer, milliseconds(20));  // the newest of a slot comes out first or last: either is right
  advance(milliseconds(40));
  EXPECT_LE(other.fired, 1);
  EXPECT_EQ(killer.fired, 1);
  EXPECT_TRUE(killer.armed());
  advance(milliseconds(40));
  EXPECT_EQ(killer.fired, 2);
}

TEST_F(WheelTest, a_timer_may_outlive_its_wheel) {
  Note note;
  {
    Loop short_lived(clock);
    short_lived.wheel().arm(note, clock.now() + milliseconds(10));
  }
  EXPECT_FALSE(note.armed());
}

TEST(WheelOnALoop, wakes_the_loop_for_the_earliest_deadline) {
  SystemClock clock;
  Loop loop(clock);
  Note late, early;
  const Instant began = clock.now();
  loop.wheel().arm(late, began + std::chrono::seconds(60));
  loop.wheel().arm(early, began + milliseconds(30));
  ASSERT_TRUE(run_until(loop, [&] { return early.fired == 1; }));
  EXPECT_GE(clock.now() - began, milliseconds(30));
  EXPECT_EQ(late.fired, 0);
}

}  // namespace
}  // namespace nl::http
