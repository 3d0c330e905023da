// Surroundings: whether this machine can spare the work: its power source and its load.
//
// Read from small files of the system, a few times a minute, off every request's path. What cannot
// be read counts as mains and as idle: desktops and other systems have no such files. One thread.
#pragma once

#include <string>

namespace nl::standby {

class Surroundings {
 public:
  virtual ~Surroundings() = default;
  virtual bool on_mains() = 0;
  // Processes that want a core, per core, over the last minute.
  virtual double load() = 0;
};

class SystemSurroundings final : public Surroundings {
 public:
  // `root` stands for "/" in tests.
  explicit SystemSurroundings(std::string root = "") : root_(std::move(root)) {}
  bool on_mains() override;
  double load() override;

 private:
  std::string root_;
};

}  // namespace nl::standby
