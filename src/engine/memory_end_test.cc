#include "engine/memory_end.h"

#include <gtest/gtest.h>

#include <csignal>

namespace nl::engine {
namespace {

ChildEnd by_signal(int signal) {
  ChildEnd end;
  end.signal = signal;
  return end;
}
ChildEnd by_status(int status) {
  ChildEnd end;
  end.status = status;
  return end;
}

TEST(MemoryEnd, a_kill_counts_only_with_the_systems_word) {
  EXPECT_FALSE(ended_for_memory(by_signal(SIGKILL), "", 0));
  EXPECT_FALSE(ended_for_memory(by_signal(SIGKILL), "failed to allocate", 0));
  EXPECT_TRUE(ended_for_memory(by_signal(SIGKILL), "", 1));
  EXPECT_FALSE(ended_for_memory(by_signal(SIGSEGV), "", 1));
}

TEST(MemoryEnd, words_count_with_a_bad_end) {
  for (const char* const said :
       {"ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 1073741824",
        "  what():  std::bad_alloc", "CUDA error: out of memory",
        "llama_model_load: error loading model: mmap failed: Cannot allocate memory",
        "vk::Device::allocateMemory: ErrorOutOfDeviceMemory"}) {
    EXPECT_TRUE(ended_for_memory(by_status(1), said, 0)) << said;
    EXPECT_TRUE(ended_for_memory(by_signal(SIGABRT), said, 0)) << said;
    EXPECT_FALSE(ended_for_memory(by_status(0), said, 0)) << said;
  }
  EXPECT_FALSE(ended_for_memory(by_status(1), "error: the weights are made of cheese", 0));
  EXPECT_FALSE(ended_for_memory(by_signal(SIGABRT), "GGML_ASSERT failed", 0));
}

}  // namespace
}  // namespace nl::engine
