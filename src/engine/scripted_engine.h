// ScriptedEngine: a program in a folder of its own that stands for llama-server in tests.
//
// Knows the options, listens on its unix socket, answers /health and /slots, and misbehaves as its
// mode says; the mode is read at each start. Needs python3; tests skip where there is none. Test
// code only.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "engine/gguf_writer.h"

namespace nl::engine {

inline constexpr const char* kPython = "/usr/bin/python3";

inline constexpr const char* kScript = R"py(#!/usr/bin/python3 -IS
import os, signal, socket, sys, time
here = os.path.dirname(os.path.abspath(__file__))
mode = open(here + "/mode").read().strip()
if "--help" in sys.argv:
    print("--model --mmproj --host --offline --no-ui --ctx-size --parallel --kv-unified")
    print("--batch-size --ubatch-size --threads --ctx-checkpoints --cache-ram --slots --metrics")
    print("--jinja" if mode == "old" else "--no-context-shift --jinja --no-prefill-assistant")
    if mode == "slow-help":
        open(here + "/asked", "w").close()
        sys.stdout.flush()
        time.sleep(60)
    sys.exit(0)
if "--list-devices" in sys.argv:
    sys.exit(0)
if "--version" in sys.argv:
    print("version: 9.9 (scripted)")
    sys.exit(0)
with open(here + "/starts", "a") as starts:
    starts.write("x")
print("loading", sys.argv[2], flush=True)
if mode == "fail":
    print("error: the weights are made of cheese", flush=True)
    sys.exit(3)
def option(name):
    return int(sys.argv[sys.argv.index(name) + 1])
if mode == "hungry" and option("--cache-ram") > 0:
    print("error: failed to allocate buffer of size 99999999", flush=True)
    sys.exit(1)
if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
path = sys.argv[sys.argv.index("--host") + 1]
server = socket.socket(socket.AF_UNIX)
server.bind(path)
server.listen(64)
began = time.monotonic()
count = 0
def inet():
    out = []
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_PACKET):
        try:
            socket.socket(family, socket.SOCK_DGRAM)
            out.append("open")
        except OSError as error:
            out.append(str(error.errno))
    return " ".join(out)
def reach():
    out = []
    for kind, call in (("STREAM", "connect"), ("SEQPACKET", "connect"), ("DGRAM", "sendto")):
        try:
            one = socket.socket(socket.AF_UNIX, getattr(socket, "SOCK_" + kind))
            if call == "connect": one.connect(here + "/neighbour")
            else: one.sendto(b"x", here + "/neighbour")
            out.append("open")
        except OSError as error:
            out.append(str(error.errno))
    return " ".join(out)
def seqpacket():
    one = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    one.bind("\\0nightlight-test-" + str(os.getpid()))
    one.listen(1)
    return "listens"
def answer(target):
    global count, mode
    if target == "/health":
        if mode == "never" or (mode == "slow" and time.monotonic() - began < 0.4):
            return 503, "loading"
        if mode == "sick-later" and time.monotonic() - began > 0.3:
            return 500, "sick"
        if mode == "dies-ready":
            count += 1
            if count > 1:
                print("GGML_ASSERT failed: it was too much", flush=True)
                os.abort()
        return 200, '{"status":"ok"}'
    if target == "/props":
        tokens = option("--ctx-size") // (2 if mode == "half" else 1)
        return 200, '{"default_generation_settings":{"n_ctx":%d}}' % tokens
    if target == "/v1/chat/completions":
        if mode == "mute" and not os.path.exists(here + "/mute"):
            open(here + "/mute", "w").close()
            return 0, ""
        if mode == "dumb": return 500, '{"error":{"message":"cannot"}}'
        if mode == "greedy" and option("--cache-ram") > 0:
            print("ggml: failed to allocate buffer", flush=True)
            os.abort()
        return 200, ('{"choices":[{"message":{"content":"yes"}}],"usage":{"completion_tokens":2},'
                     '"timings":{"prompt_per_second":84.5,"predicted_per_second":18.25}}')
    if target == "/slots" and mode in ("checked", "half", "dumb", "greedy", "mute"):
        slot = '{"id":%d,"n_ctx":%d}'
        return 200, "[%s]" % ",".join(slot % (n, option("--ctx-size")) for n in range(2))
    if target == "/slots":
        if mode == "working": count += 1
        work = "true" if mode in ("working", "stuck") else "false"
        return 200, '[{"id":0,"is_processing":%s,"n_decoded":%d}]' % (work, count)
    if target == "/crash":
        print("GGML_ASSERT failed: crash was asked for", flush=True)
        os.abort()
    if target == "/hunger":
        print("ggml: Out of memory", flush=True)
        os.abort()
    if target == "/stop": os.kill(os.getpid(), signal.SIGSTOP)
    if target == "/inet": return 200, inet()
    if target == "/reach": return 200, reach()
    if target == "/seqpacket": return 200, seqpacket()
    if target == "/environ": return 200, repr(sorted(os.environ))
    if target == "/fds": return 200, " ".join(sorted(os.listdir("/proc/self/fd"), key=int))
    if target == "/status": return 200, open("/proc/self/status").read()
    if target == "/oom": return 200, open("/proc/self/oom_score_adj").read()
    if target == "/limits": return 200, open("/proc/self/limits").read()
    if target == "/arguments": return 200, " ".join(sys.argv[1:])
    return 404, "none"
while True:
    peer, _ = server.accept()
    head = b""
    while b"\r\n\r\n" not in head:
        got = peer.recv(4096)
        if not got: break
        head += got
    if head:
        size = head.lower().partition(b"content-length: ")[2].split(b"\r")[0]
        begun = len(head) - head.index(b"\r\n\r\n") - 4
        while size and begun < int(size): begun += len(peer.recv(65536))
        status, body = answer(head.split()[1].decode())
        if status == 0:
            peer.recv(1)  # says nothing until whoever asks has left
            peer.close()
            continue
        peer.sendall(("HTTP/1.1 %d x\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s"
                      % (status, len(body), body)).encode())
    peer.close()
)py";

class ScriptedEngine {
 public:
  explicit ScriptedEngine(const std::string& mode) : folder_("/tmp/nl-engine-XXXXXX") {
    if (::mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no temporary folder");
    set_mode(mode);
    write("model.gguf", small_model().bytes());
    write("llama-server", kScript);
    ::chmod(program().c_str(), 0700);
  }
  ~ScriptedEngine() { std::filesystem::remove_all(folder_); }
  ScriptedEngine(const ScriptedEngine&) = delete;
  ScriptedEngine& operator=(const ScriptedEngine&) = delete;

  static bool possible() { return ::access(kPython, X_OK) == 0; }

  void set_mode(const std::string& mode) { write("mode", mode); }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(file(name), std::ios::binary) << bytes;
  }
  std::string file(const std::string& name) const { return folder_ + "/" + name; }
  std::string program() const { return file("llama-server"); }
  std::string model() const { return file("model.gguf"); }
  // How often it has been started to serve.
  std::size_t starts() const {
    std::error_code error;
    const auto size = std::filesystem::file_size(file("starts"), error);
    return error ? 0 : static_cast<std::size_t>(size);
  }

 private:
  std::string folder_;
};

}  // namespace nl::engine
