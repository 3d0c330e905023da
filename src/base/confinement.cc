#include "base/confinement.h"

#include <sys/resource.h>

#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))
#define NL_CONFINES 1
#endif

#ifdef NL_CONFINES
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>
#endif

namespace nl {
namespace {

void limit_resources() {
  // For the libraries' own files; what is counted per user binds only while this one starts more.
  constexpr rlim_t kFiles = 64;
  const rlimit files{kFiles, kFiles};
  setrlimit(RLIMIT_NOFILE, &files);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  setrlimit(RLIMIT_FSIZE, &none);
#ifdef RLIMIT_NPROC
  setrlimit(RLIMIT_NPROC, &none);
#endif
}

#ifdef NL_CONFINES

// Landlock's numbers and forms, which older headers lack; they are the same on every architecture.
constexpr long kCreateRuleset = 444;
constexpr long kAddRule = 445;
constexpr long kRestrictSelf = 446;
constexpr std::uint64_t kAllRights = (1U << 13U) - 1U;  // of the first version
constexpr std::uint64_t kReadFile = 1U << 2U;
constexpr std::uint64_t kReadFolder = 1U << 3U;
constexpr int kBeneath = 1;

struct Ruleset {
  std::uint64_t handled;
};
struct __attribute__((packed)) Beneath {
  std::uint64_t rights;
  std::int32_t folder;
};

// Where libraries, character sets, fonts and what they are mapped by stand.
constexpr const char* kReadable[] = {"/usr",           "/lib",
                                     "/lib64",         "/lib32",
                                     "/nix/store",     "/gnu/store",
                                     "/opt",           "/etc/fonts",
                                     "/etc/gconv",     "/var/cache/fontconfig",
                                     "/etc/localtime", "/etc/ld.so.cache"};

void allow_below(int ruleset, const char* path) {
  const int place = open(path, O_PATH | O_CLOEXEC);
  if (place < 0) return;
  struct stat status {};
  if (fstat(place, &status) == 0) {
    const std::uint64_t rights = S_ISDIR(status.st_mode) ? kReadFile | kReadFolder : kReadFile;
    const Beneath rule{rights, place};
    syscall(kAddRule, ruleset, kBeneath, &rule, 0);
  }
  close(place);
}

bool confine_files() {
  const Ruleset all{kAllRights};
  const long made = syscall(kCreateRuleset, &all, sizeof all, 0);
  if (made < 0) return false;
  const int ruleset = static_cast<int>(made);
  for (const char* path : kReadable) allow_below(ruleset, path);
  const bool held = syscall(kRestrictSelf, ruleset, 0) == 0;
  close(ruleset);
  return held;
}

// Those that may be made with whatever arguments: memory, time, what is open already, looking.
constexpr int kAllowed[] = {
    __NR_read,
    __NR_write,
    __NR_readv,
    __NR_writev,
    __NR_pread64,
    __NR_close,
    __NR_fstat,
    __NR_newfstatat,
    __NR_statx,
    __NR_statfs,
    __NR_fstatfs,
    __NR_lseek,
    __NR_faccessat,
    __NR_readlinkat,
    __NR_getdents64,
    __NR_getcwd,
    __NR_mmap,
    __NR_munmap,
    __NR_mremap,
    __NR_mprotect,
    __NR_madvise,
    __NR_brk,
    __NR_membarrier,
    __NR_rt_sigaction,
    __NR_rt_sigprocmask,
    __NR_rt_sigreturn,
    __NR_sigaltstack,
    __NR_restart_syscall,
    __NR_futex,
    __NR_set_robust_list,
    __NR_sched_yield,
    __NR_sched_getaffinity,
    __NR_getpid,
    __NR_gettid,
    __NR_getppid,
    __NR_getuid,
    __NR_geteuid,
    __NR_getgid,
    __NR_getegid,
    __NR_uname,
    __NR_sysinfo,
    __NR_getrusage,
    __NR_getrandom,
    __NR_gettimeofday,
    __NR_clock_gettime,
    __NR_clock_getres,
    __NR_clock_nanosleep,
    __NR_nanosleep,
    __NR_ppoll,
    __NR_dup,
    __NR_exit,
    __NR_exit_group,
#ifdef __NR_rseq
    __NR_rseq,
#endif
#ifdef __NR_faccessat2
    __NR_faccessat2,
#endif
#ifdef __x86_64__
    __NR_stat,
    __NR_lstat,
    __NR_access,
    __NR_readlink,
    __NR_poll,
    __NR_time,
    __NR_getrlimit,
    __NR_arch_prctl,
#endif
};

constexpr std::uint32_t kForbid = SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(EPERM);

class Filter {
 public:
  void allow(int call) {
    jump_unless_equal(static_cast<std::uint32_t>(call), 1);
    end(SECCOMP_RET_ALLOW);
  }
  void fail_with(int call, int number) {
    jump_unless_equal(static_cast<std::uint32_t>(call), 1);
    end(SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(number));
  }
  // Only where none of `bits` is set in the argument.
  void allow_without(int call, unsigned argument, std::uint32_t bits) {
    jump_unless_equal(static_cast<std::uint32_t>(call), 5);
    load_argument(argument, 0);
    add(BPF_ALU | BPF_AND | BPF_K, bits);
    jump_unless_equal(0, 1);
    end(SECCOMP_RET_ALLOW);
    end(kForbid);
  }
  // Only where the argument's 64 bits are `value`.
  void allow_with(int call, unsigned argument, std::uint32_t value) {
    jump_unless_equal(static_cast<std::uint32_t>(call), 6);
    load_argument(argument, 4);
    jump_unless_equal(0, 3);
    load_argument(argument, 0);
    jump_unless_equal(value, 1);
    end(SECCOMP_RET_ALLOW);
    end(kForbid);
  }
  void load(std::size_t place) { add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(place)); }
  void jump_unless_equal(std::uint32_t value, std::uint8_t over) {
    code_.push_back(sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, over, value});
  }
  void end(std::uint32_t action) { add(BPF_RET | BPF_K, action); }
  bool install() {
    const sock_fprog program{static_cast<unsigned short>(code_.size()), code_.data()};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
  }

 private:
  void add(unsigned code, std::uint32_t value) {
    code_.push_back(sock_filter{static_cast<std::uint16_t>(code), 0, 0, value});
  }
  void load_argument(unsigned argument, std::size_t byte) {
    load(offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t) + byte);
  }

  std::vector<sock_filter> code_;
};

bool confine_calls() {
#ifdef __x86_64__
  constexpr std::uint32_t kMachine = AUDIT_ARCH_X86_64;
#else
  constexpr std::uint32_t kMachine = AUDIT_ARCH_AARCH64;
#endif
  constexpr std::uint32_t kWrites = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND;
  Filter filter;
  filter.load(offsetof(seccomp_data, arch));
  // A call in the numbers of another machine is none of those below.
  filter.jump_unless_equal(kMachine, 1);
  filter.load(offsetof(seccomp_data, nr));
  for (const int call : kAllowed) filter.allow(call);
  filter.allow_without(__NR_openat, 2, kWrites);
#ifdef __x86_64__
  filter.allow_without(__NR_open, 1, kWrites);
#endif
  // F_DUPFD to F_GETFL: nothing that has signals sent.
  filter.allow_without(__NR_fcntl, 1, ~3U);
  // abort() sends a signal to itself.
  filter.allow_with(__NR_tgkill, 0, static_cast<std::uint32_t>(getpid()));
  filter.allow_with(__NR_prlimit64, 2, 0);
#ifdef __NR_clone3
  filter.fail_with(__NR_clone3, ENOSYS);
#endif
  filter.end(kForbid);
  return filter.install();
}

#endif

}  // namespace

Confinement confine_to_reading() {
  Confinement held;
  limit_resources();
#ifdef NL_CONFINES
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return held;
  held.files = confine_files();
  held.calls = confine_calls();
#endif
  return held;
}

}  // namespace nl
