#include "app/handover.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "base/log.h"
#include "dialect/json.h"
#include "dialect/json_writer.h"
#include "engine/socket_folder.h"

namespace nl::app {
namespace {

constexpr int kFormat = 1;

int number(dialect::Value value) {
  return static_cast<int>(value.integer().value_or(-1));
}

std::uint64_t bytes_of(dialect::Value value) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(value.integer().value_or(0), 0));
}

std::string text(dialect::Value value) {
  return value.text().utf8();
}

void write_engine(dialect::JsonWriter& writer, const engine::HandedChild& child) {
  writer.key("engine").begin_object();
  writer.integer("pid", child.pid).integer("output", child.output);
  writer.boolean("unix_only", child.network == engine::NetworkRule::unix_only);
  writer.string("folder", child.folder).integer("lock", child.folder_lock);
  writer.string("fingerprint", child.fingerprint).integer("starts", child.starts);
  writer.boolean("verified", child.verified);
  writer.integer("free", static_cast<std::int64_t>(child.free.bytes));
  writer.key("free_on_gpus").begin_array();
  for (const std::uint64_t bytes : child.free.gpu_bytes) {
    writer.integer(static_cast<std::int64_t>(bytes));
  }
  writer.end_array();
  writer.end_object();
}

engine::HandedChild read_engine(dialect::Value value) {
  engine::HandedChild child;
  child.pid = number(value["pid"]);
  child.output = number(value["output"]);
  child.network = value["unix_only"].boolean().value_or(false) ? engine::NetworkRule::unix_only
                                                               : engine::NetworkRule::open;
  child.folder = text(value["folder"]);
  child.folder_lock = number(value["lock"]);
  child.fingerprint = text(value["fingerprint"]);
  child.starts = number(value["starts"]);
  child.verified = value["verified"].boolean().value_or(false);
  child.free.bytes = bytes_of(value["free"]);
  for (dialect::Value one = value["free_on_gpus"].first(); one; one = one.next()) {
    child.free.gpu_bytes.push_back(bytes_of(one));
  }
  return child;
}

}  // namespace

std::string handover_text(const Handover& handover) {
  std::string out;
  dialect::JsonWriter writer(out);
  writer.begin_object();
  writer.integer("format", kFormat).integer("pid", ::getpid());
  writer.integer("restarts", handover.restarts);
  writer.key("listeners").begin_array();
  for (const HandedListener& listener : handover.listeners) {
    writer.begin_object().string("address", listener.address);
    writer.integer("descriptor", listener.descriptor).integer("lock", listener.lock).end_object();
  }
  writer.end_array().key("connections").begin_array();
  for (const int connection : handover.connections) writer.integer(connection);
  writer.end_array();
  if (handover.engine) write_engine(writer, *handover.engine);
  writer.end_object();
  return out;
}

Result<Handover> parse_handover(std::string_view json) {
  dialect::Document document;
  const auto parsed = document.parse(json);
  if (!parsed) return fail(ErrorCode::config, parsed.error().message);
  const dialect::Value root = document.root();
  if (root["format"].integer() != kFormat) return fail(ErrorCode::config, "of another format");
  if (root["pid"].integer() != ::getpid()) return fail(ErrorCode::config, "to another process");
  Handover handover;
  handover.restarts = number(root["restarts"]);
  for (dialect::Value item = root["listeners"].first(); item; item = item.next()) {
    handover.listeners.push_back(
        {text(item["address"]), number(item["descriptor"]), number(item["lock"])});
  }
  for (dialect::Value item = root["connections"].first(); item; item = item.next()) {
    handover.connections.push_back(number(item));
  }
  if (root["engine"].is_object()) handover.engine = read_engine(root["engine"]);
  for (const int descriptor : descriptors_of(handover)) {
    if (descriptor <= STDERR_FILENO || ::fcntl(descriptor, F_GETFD) < 0) {
      return fail(ErrorCode::io, "of a descriptor that is not open");
    }
  }
  return handover;
}

std::vector<int> descriptors_of(const Handover& handover) {
  std::vector<int> all = handover.connections;
  for (const HandedListener& listener : handover.listeners) {
    all.push_back(listener.descriptor);
    all.push_back(listener.lock);
  }
  if (handover.engine) {
    all.push_back(handover.engine->output);
    all.push_back(handover.engine->folder_lock);
  }
  return all;
}

void mark(const std::vector<int>& descriptors, OnExec on_exec) {
  const int flags = on_exec == OnExec::close ? FD_CLOEXEC : 0;
  for (const int descriptor : descriptors) (void)::fcntl(descriptor, F_SETFD, flags);
}

std::optional<Handover> take_handover(Environment& environment) {
  const std::string json = environment.text(kHandoverVariable);
  environment.remove(kHandoverVariable);
  clear_variables({kHandoverVariable});
  if (json.empty()) return std::nullopt;
  auto handover = parse_handover(json);
  if (!handover) {
    log::warn("what an earlier program left is not used: {}", handover.error().message);
    return std::nullopt;
  }
  mark(descriptors_of(*handover), OnExec::close);
  return std::move(*handover);
}

void discard(Handover handover) {
  if (handover.engine) {
    const engine::HandedChild child = *std::exchange(handover.engine, std::nullopt);
    ::close(child.output);
    const auto removes = engine::SocketFolder::adopt(child.folder, child.folder_lock);
    const auto spawned = engine::adopt(child.pid, -1, child.network);
    if (spawned) {
      engine::kill_group(child.pid, SIGKILL);
      while (engine::wait_now(child.pid).what == engine::Wait::running) ::usleep(1000);
      if (spawned->pid_descriptor >= 0) ::close(spawned->pid_descriptor);
    }
  }
  for (const int descriptor : descriptors_of(handover)) ::close(descriptor);
}

}  // namespace nl::app
