#ifdef __linux__

#include "engine/sandbox_linux.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace nl::engine {

#if defined(__x86_64__) || defined(__aarch64__)

namespace {

#ifdef __x86_64__
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#else
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

// io_uring makes sockets without socket(); the rest looks into other processes or changes the
// system. Refused as not permitted, so that a program that only tries goes on.
constexpr std::array kRefused = {
    SYS_io_uring_setup,    SYS_ptrace,       SYS_process_vm_readv,
    SYS_process_vm_writev, SYS_bpf,          SYS_userfaultfd,
    SYS_perf_event_open,   SYS_keyctl,       SYS_add_key,
    SYS_request_key,       SYS_mount,        SYS_umount2,
    SYS_unshare,           SYS_setns,        SYS_kexec_load,
    SYS_init_module,       SYS_finit_module, SYS_delete_module,
    SYS_open_by_handle_at, SYS_pidfd_getfd,
};

// It answers on the socket that it makes, and speaks to nobody: other services of the same user
// have unix sockets too, and a filter cannot see their paths.
constexpr std::array kDenied = {SYS_connect};

// Without the flags that may stand beside it.
constexpr std::uint32_t kSocketTypeMask = 0xf;

sock_filter statement(int code, std::uint32_t value) {
  return sock_filter{static_cast<std::uint16_t>(code), 0, 0, value};
}
sock_filter jump(int test, std::uint32_t value, std::uint8_t yes, std::uint8_t no) {
  return sock_filter{static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), yes, no, value};
}
sock_filter load(std::size_t offset) {
  return statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
sock_filter refuse(int error) {
  return statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error));
}

}  // namespace

std::vector<sock_filter> network_filter() {
  std::vector<sock_filter> program;
  program.push_back(load(offsetof(seccomp_data, arch)));
  program.push_back(jump(BPF_JEQ, kArchitecture, 1, 0));
  program.push_back(refuse(EPERM));
  program.push_back(load(offsetof(seccomp_data, nr)));
#ifdef __x86_64__
  // The same calls under other numbers.
  constexpr std::uint32_t kX32Bit = 0x40000000;
  program.push_back(jump(BPF_JGE, kX32Bit, 0, 1));
  program.push_back(refuse(EPERM));
#endif
  for (const long call : kRefused) {
    program.push_back(jump(BPF_JEQ, static_cast<std::uint32_t>(call), 0, 1));
    program.push_back(refuse(EPERM));
  }
  for (const long call : kDenied) {
    program.push_back(jump(BPF_JEQ, static_cast<std::uint32_t>(call), 0, 1));
    program.push_back(refuse(EACCES));
  }
  program.push_back(jump(BPF_JEQ, SYS_socket, 0, 7));
  // Domain and type: their low halves, the only ones the kernel looks at (both processors are
  // little-endian). A datagram needs no connection to reach somebody. CUDA listens on a seqpacket
  // socket of its own and, where it may not make one, does not start.
  program.push_back(load(offsetof(seccomp_data, args)));
  program.push_back(jump(BPF_JEQ, AF_UNIX, 0, 4));
  program.push_back(load(offsetof(seccomp_data, args) + sizeof(std::uint64_t)));
  program.push_back(statement(BPF_ALU | BPF_AND | BPF_K, kSocketTypeMask));
  program.push_back(jump(BPF_JEQ, SOCK_STREAM, 2, 0));
  program.push_back(jump(BPF_JEQ, SOCK_SEQPACKET, 1, 0));
  program.push_back(refuse(EACCES));
  program.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  return program;
}

#else

std::vector<sock_filter> network_filter() {
  return {};
}

#endif

}  // namespace nl::engine

#endif
