"""nightlight pull, models, show and rm against a scripted registry: nothing wrong ever gets a name,
a killed pull goes on, and what was pulled answers as tier 3.

Run: python3 tests/e2e/test_pull.py
"""
import hashlib
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness as h
import local_tier as lt
import plain
from pull_registry import Registry

NAME = "gemma4:26b"
PART = "300000"   # bytes of a part, so that the small model has about ten


def ember():
    with open(os.path.join(os.path.dirname(h.binary()), "ember.gguf"), "rb") as f:
        return f.read()


class Case(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="nightlight-pull-")
        self.addCleanup(shutil.rmtree, self.home, True)
        self.registry = Registry()
        self.addCleanup(self.registry.close)
        self.model = ember()
        self.hex = hashlib.sha256(self.model).hexdigest()
        self.store = f"{self.home}/models"
        self.env = h.bare_env(self.home, NIGHTLIGHT_MODELS=self.store,
                              NIGHTLIGHT_REGISTRY=self.registry.url,
                              NIGHTLIGHT_HF=self.registry.url, NIGHTLIGHT_PULL_PART_BYTES=PART)

    def run_it(self, *args, **env):
        done = subprocess.run([h.binary(), *args], env={**self.env, **env}, cwd=self.home,
                              capture_output=True, text=True, timeout=90, check=False)
        self.assertNotIn("Sanitizer", done.stderr)
        self.assertNotIn("runtime error", done.stderr)
        return done

    def pull(self, name=NAME, **env):
        return self.run_it("pull", name, **env)

    def files(self):
        """Names of what lies in the store's blobs folder."""
        folder = f"{self.store}/blobs"
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []

    def assert_whole(self, hex_digits=None):
        path = f"{self.store}/blobs/sha256-{hex_digits or self.hex}"
        with open(path, "rb") as f:
            self.assertEqual(hashlib.sha256(f.read()).hexdigest(), hex_digits or self.hex)

    def assert_nothing_usable(self):
        self.assertEqual([f for f in self.files() if not f.endswith((".partial", ".progress"))], [])
        self.assertEqual(os.listdir(f"{self.store}/manifests"), [])


class Whole(Case):
    def test_pull_list_show_remove(self):
        self.registry.add(NAME, self.model)
        done = self.pull()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("whole and checked", done.stdout)
        self.assertEqual(self.files(), [f"sha256-{self.hex}"])
        self.assert_whole()
        self.assertEqual(os.stat(self.store).st_mode & 0o777, 0o700)
        asked = len(self.registry.seen)
        again = self.pull()
        self.assertIn("here already", again.stdout)
        self.assertEqual(len(self.registry.seen), asked + 1, "the manifest alone is asked for")
        listed = json.loads(self.run_it("models", "--json").stdout)
        self.assertEqual([m["name"] for m in listed["models"]], [NAME])
        self.assertEqual(listed["models"][0]["state"], "usable")
        shown = json.loads(self.run_it("show", NAME, "--json").stdout)
        self.assertEqual(shown["digest"], "sha256:" + self.hex)
        self.assertIn("tokens", shown["runs"])
        self.assertIn("sha256:", self.run_it("show", NAME).stdout)
        self.assertEqual(self.run_it("rm", NAME).returncode, 0)
        self.assertEqual(self.files(), [])
        self.assertEqual(self.run_it("rm", NAME).returncode, 1)
        self.assertIn("nightlight pull", self.run_it("models").stdout)

    def test_a_shared_blob_stays_until_its_last_name_goes(self):
        self.registry.add("a:1", self.model)
        self.registry.add("b:2", self.model)
        for name in ("a:1", "b:2"):
            self.assertEqual(self.pull(name).returncode, 0)
        self.run_it("rm", "a:1")
        self.assert_whole()
        self.run_it("rm", "b:2")
        self.assertEqual(self.files(), [])

    def test_what_a_newer_release_has_pulled_stays(self):
        """Its manifest says nothing to this release, but names what it needs."""
        newer = self.model + bytes(32)
        self.registry.add("new:1", newer)
        self.registry.add(NAME, self.model)
        for name in ("new:1", NAME):
            self.assertEqual(self.pull(name).returncode, 0)
        path = f"{self.store}/manifests/new%3A1.json"
        with open(path, encoding="utf-8") as f:
            text = f.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace('"format":1', '"format":2'))
        self.assertIn("1 more in", self.run_it("models").stdout)
        self.assertEqual(self.run_it("rm", NAME).returncode, 0)
        self.assert_whole(hashlib.sha256(newer).hexdigest())
        self.assertEqual(len(self.files()), 1)

    def test_a_registry_that_is_gone_does_not_matter_when_all_is_here(self):
        self.registry.add(NAME, self.model)
        self.pull()
        done = self.pull(NIGHTLIGHT_REGISTRY="http://127.0.0.1:9")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("cannot be asked", done.stderr)

    def test_a_server_without_ranges(self):
        self.registry.add(NAME, self.model)
        self.registry.ranges = False
        self.assertEqual(self.pull().returncode, 0)
        self.assert_whole()

    def test_a_hub_s_file_with_and_without_a_digest(self):
        name = "hf:google/gemma-4-it-gguf/gemma.gguf"
        self.registry.files["/google/gemma-4-it-gguf/resolve/main/gemma.gguf"] = self.model
        done = self.pull(name)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("unverified", done.stdout)
        self.run_it("rm", name)
        other = Registry()
        self.addCleanup(other.close)
        other.files["/google/gemma-4-it-gguf/resolve/main/gemma.gguf"] = self.model
        self.registry.redirect_to, self.registry.linked_etag = other.url, f'"{self.hex}"'
        done = self.pull(name)
        self.assertEqual(done.returncode, 1, "the signature is part of the address: 404 there")
        other.files["/google/gemma-4-it-gguf/resolve/main/gemma.gguf?signature=abc"] = self.model
        done = self.pull(name)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("unverified", done.stdout)
        self.registry.linked_etag = '"' + "ab" * 32 + '"'
        done = self.pull(name)
        self.assertEqual(done.returncode, 2)
        self.assertIn("SHA-256", done.stderr)

    def test_a_file_of_this_machine(self):
        path = f"{self.home}/Gemma 4 (E2B).gguf"
        with open(path, "wb") as f:
            f.write(self.model)
        done = self.pull(path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Gemma-4-E2B:local", done.stdout)
        self.assert_whole()
        with open(path, "wb") as f:
            f.write(b"<html>no</html>")
        self.assertEqual(self.pull(path).returncode, 2)
        self.assert_whole()

    def test_what_ollama_has_is_linked_not_fetched(self):
        self.registry.add(NAME, self.model)
        ollama = f"{self.home}/.ollama/models"
        os.makedirs(f"{ollama}/blobs")
        os.makedirs(f"{ollama}/manifests/registry.ollama.ai/library/gemma4")
        blob = f"{ollama}/blobs/sha256-{self.hex}"
        with open(blob, "wb") as f:
            f.write(self.model)
        with open(f"{ollama}/manifests/registry.ollama.ai/library/gemma4/26b", "wb") as f:
            f.write(next(iter(self.registry.manifests.values())))
        listed = json.loads(self.run_it("models", "--json").stdout)
        self.assertEqual([(m["name"], m["state"]) for m in listed["ollama"]], [(NAME, "usable")])
        done = self.pull()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(self.registry.seen), 1, "no blob was asked for")
        self.assert_whole()
        self.run_it("rm", NAME)
        self.assertTrue(os.path.exists(blob))

    def test_without_a_name_it_says_what_fits(self):
        done = self.run_it("pull")
        self.assertEqual(done.returncode, 1)
        lines = done.stdout.splitlines()
        self.assertTrue(lines[0].startswith("This machine: "), done.stdout)
        if "No size fits" in done.stdout:
            return
        self.assertEqual(len(lines), 4, done.stdout)
        self.assertIn("of nominal", lines[1])
        self.assertIn("an estimate from", lines[2])
        self.assertIn("Pulling gemma4:", lines[3])
        self.assertIn("404", done.stderr)


class Hostile(Case):
    def test_a_killed_pull_goes_on_where_it_was(self):
        self.registry.add(NAME, self.model)
        self.registry.pace = 250_000
        process = subprocess.Popen([h.binary(), "pull", NAME], env=self.env, cwd=self.home,
                                   stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        progress = f"{self.store}/blobs/sha256-{self.hex}.progress"
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if os.path.exists(progress) and sum(self.done_parts(progress)) > 600_000:
                break
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        kept = sum(self.done_parts(progress))
        self.assertGreater(kept, 600_000)
        self.assert_nothing_usable()
        self.registry.pace, self.registry.seen = 0, []
        self.assertEqual(self.pull().returncode, 0)
        self.assert_whole()
        self.assertEqual(self.files(), [f"sha256-{self.hex}"])
        self.assertLessEqual(self.asked_for(), len(self.model) - kept + 1)

    def test_parts_of_a_pull_do_not_mix_with_a_server_without_ranges(self):
        """What has come in parts is of no use to a server that only sends the whole file."""
        model = self.model + bytes(2_000_000)  # parts larger than one read
        hex_digits = hashlib.sha256(model).hexdigest()
        self.registry.add(NAME, model)
        progress = f"{self.store}/blobs/sha256-{hex_digits}.progress"
        self.registry.pace = 500_000
        env = {**self.env, "NIGHTLIGHT_PULL_PART_BYTES": "900000"}
        process = subprocess.Popen([h.binary(), "pull", NAME], env=env, cwd=self.home,
                                   stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if os.path.exists(progress) and self.done_parts(progress)[1] > 200_000:
                break
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.assertEqual(self.done_parts(progress)[0], 900_000)
        self.registry.pace, self.registry.ranges = 0, False
        done = self.run_it("pull", NAME, NIGHTLIGHT_PULL_PART_BYTES="900000")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_whole(hex_digits)

    @staticmethod
    def done_parts(path):
        with open(path, encoding="ascii") as f:
            return [part[2] for part in json.load(f)["parts"]]

    def asked_for(self):
        total = 0
        for _, headers in self.registry.seen:
            span = headers.get("range", "")
            if span.startswith("bytes="):
                first, last = span[6:].split("-")
                total += int(last) - int(first) + 1
        return total

    def test_kills_at_random_moments_never_leave_a_wrong_file(self):
        self.registry.add(NAME, self.model)
        self.registry.pace = 1_500_000
        dice, kills, pulls = random.Random(4), 0, 0
        wanted = int(os.environ.get("NL_PULL_KILLS", "12"))
        while kills < wanted:
            process = subprocess.Popen([h.binary(), "pull", NAME], env=self.env, cwd=self.home,
                                       stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            try:
                process.wait(dice.uniform(0.01, 0.8))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            process.wait()
            pulls += 1
            if process.returncode == -signal.SIGKILL:
                kills += 1
                if kills % 100 == 0:
                    print(f"{kills} of {pulls} pulls killed", flush=True)
            if f"sha256-{self.hex}" in self.files():
                self.assert_whole()
                if process.returncode == 0:
                    self.run_it("rm", NAME)
            self.assertLess(pulls, 20 * wanted, "hardly a pull lives to be killed")
        self.registry.pace = 0
        self.assertEqual(self.pull().returncode, 0)
        self.assert_whole()

    def test_cuts_are_mended(self):
        self.registry.add(NAME, self.model)
        self.registry.cut_after, self.registry.cuts_left = 260_000, 3
        done = self.pull()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("trying again", done.stderr)
        self.assert_whole()

    def test_swapped_bytes_are_refused_and_removed(self):
        self.registry.add(NAME, self.model)
        self.registry.swap = True
        done = self.pull()
        self.assertEqual(done.returncode, 2)
        self.assertIn("SHA-256", done.stderr)
        self.assertEqual(self.files(), [])
        self.assert_nothing_usable()
        self.registry.swap = False
        self.assertEqual(self.pull().returncode, 0)
        self.assert_whole()

    def test_wrong_lengths_are_refused(self):
        self.registry.add(NAME, self.model, size=len(self.model) + 1)
        done = self.pull()
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("announced", done.stderr)
        self.assert_nothing_usable()

    def test_what_is_no_model_is_refused_and_removed(self):
        projector_like = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
        for bad in (b"<html>sign in</html>" * 40_000, projector_like, self.model[:700_000],
                    b"GGUF" + b"\xff" * 900_000):
            with self.subTest(bad=bad[:20]):
                self.registry.add(NAME, bad)
                done = self.pull()
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("refused and removed", done.stderr)
                self.assertEqual(self.files(), [])
                self.assert_nothing_usable()

    def test_a_model_is_no_projector_even_when_it_is_here_already(self):
        self.registry.add(NAME, self.model)
        self.assertEqual(self.pull().returncode, 0)
        self.registry.add("other:1", self.model, projector=self.model)
        done = self.pull("other:1")
        self.assertEqual(done.returncode, 2)
        self.assertIn("projector", done.stderr)
        self.assert_whole()

    def test_the_last_good_model_stays(self):
        self.registry.add(NAME, self.model)
        self.pull()
        self.registry.add(NAME, b"<html>" * 1000)
        self.assertEqual(self.pull().returncode, 2)
        self.assert_whole()
        self.assertIn("usable", self.run_it("models").stdout)

    def test_digests_and_names_that_try_to_escape(self):
        for digest in ("sha256:../../../../etc/passwd", "sha256:" + "A" * 64, "sha256:" + "a" * 63,
                       "sha256:" + "a" * 65, "md5:" + "a" * 64, "../x", 7, None):
            with self.subTest(digest=digest):
                self.registry.add(NAME, self.model)
                text = next(iter(self.registry.manifests.values())).decode()
                broken = text.replace(f'"sha256:{self.hex}"', json.dumps(digest))
                self.registry.manifests = {"/v2/library/gemma4/manifests/26b": broken.encode()}
                done = self.pull()
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("manifest", done.stderr)
                self.assert_nothing_usable()
        for name in ("../../etc/passwd:x", "a/../b:c", "gemma4:../x", "hf:a/b/../../c.gguf",
                     "hf:../b/c.gguf", "a/b/c:d", "gemma4:26b\n", "%2e%2e/x",
                     "https://huggingface.co/a/b/resolve/main/c.gguf", "file:///etc/c.gguf"):
            with self.subTest(name=name):
                before = len(self.registry.seen)
                self.assertNotEqual(self.pull(name).returncode, 0)
                self.assertEqual(len(self.registry.seen), before, "nobody is asked")
                if "://" in name:
                    self.assertIn("hf:OWNER/REPO/FILE.gguf", self.pull(name).stderr)
                self.assertNotEqual(self.run_it("rm", name).returncode, 0)
        self.assertEqual(sorted(os.listdir(self.home)), ["models"])

    def test_a_redirect_carries_nothing_of_ours_and_circles_end(self):
        other = Registry()
        self.addCleanup(other.close)
        self.registry.add(NAME, self.model)
        path = f"/v2/library/gemma4/blobs/sha256:{self.hex}?signature=abc"
        other.files[path] = self.model
        self.registry.redirect_to = other.url
        env = {"OLLAMA_API_KEY": "sk-canary", "HF_TOKEN": "hf_canary"}
        done = self.pull(**env)
        self.assertEqual(done.returncode, 0, done.stderr)
        for seen, headers in self.registry.seen + other.seen:
            self.assertLessEqual({k.lower() for k in headers},
                                 {"host", "accept", "accept-encoding", "user-agent", "range"}, seen)
            self.assertNotIn("canary", str(headers) + seen)
        self.run_it("rm", NAME)
        other.location = self.registry.url + path.partition("?")[0]
        done = self.pull()
        self.assertEqual(done.returncode, 2)
        self.assertIn("redirect", done.stderr)

    def test_five_redirects_are_followed_and_no_sixth(self):
        name = "hf:google/gemma-4-it-gguf/gemma.gguf"
        self.registry.files["/google/gemma-4-it-gguf/resolve/main/gemma.gguf"] = self.model
        self.registry.hops = 6
        done = self.pull(name)
        self.assertEqual(done.returncode, 2)
        self.assertIn("5 redirects are followed", done.stderr)
        self.registry.hops = 5
        done = self.pull(name)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_whole()

    def test_a_file_without_a_digest_that_changes_meanwhile_gets_no_name(self):
        name = "hf:google/gemma-4-it-gguf/gemma.gguf"
        self.registry.files["/google/gemma-4-it-gguf/resolve/main/gemma.gguf"] = self.model
        changed = self.model[:-900_000] + bytes(900_000)
        for header in ("etag", "last-modified"):
            with self.subTest(header=header):
                asked = []

                def on_part(data, asked=asked, header=header):
                    asked.append(1)
                    later = len(asked) > 4
                    self.registry.part_headers = {header: '"two"' if later else '"one"'}
                    return changed if later else data

                self.registry.on_part = on_part
                done = self.pull(name)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn("changed at its source", done.stderr)
                self.assert_nothing_usable()
                done = self.pull(name)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assert_whole(hashlib.sha256(changed).hexdigest())
                self.run_it("rm", name)
                self.run_it("rm", "--unfinished")

    def test_packed_bytes_are_refused(self):
        self.registry.add(NAME, self.model)
        self.registry.part_headers = {"content-encoding": "gzip"}
        for ranges in (True, False):
            self.registry.ranges = ranges
            done = self.pull()
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("packs the file", done.stderr)
            self.assertEqual(self.files(), [])

    def test_a_blob_that_the_disk_has_spoilt_is_fetched_anew(self):
        self.registry.add(NAME, self.model)
        self.assertEqual(self.pull().returncode, 0)
        with open(f"{self.store}/blobs/sha256-{self.hex}", "r+b") as f:
            f.write(bytes(1000))
        done = self.pull()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("damaged", done.stderr)
        self.assert_whole()

    def test_what_no_name_needs_any_more_is_said(self):
        self.registry.add(NAME, self.model)
        self.assertEqual(self.pull().returncode, 0)
        newer = self.model + bytes(64)
        self.registry.add(NAME, newer)
        done = self.pull()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("rm --unfinished", done.stdout)
        self.assert_whole()
        self.assertEqual(self.run_it("rm", "--unfinished").returncode, 0)
        self.assertEqual(self.files(), ["sha256-" + hashlib.sha256(newer).hexdigest()])
        self.assertNotIn("rm --unfinished", self.pull().stdout)

    def test_a_model_in_several_files_is_refused(self):
        count = struct.unpack_from("<Q", self.model, 16)[0]
        key = b"split.count"
        entry = struct.pack("<Q", len(key)) + key + struct.pack("<IH", 2, 3)
        split = self.model[:16] + struct.pack("<Q", count + 1) + entry + self.model[24:] + bytes(64)
        path = f"{self.home}/big-00001-of-00003.gguf"
        with open(path, "wb") as f:
            f.write(split)
        done = self.pull(path)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("3 files", done.stderr)
        self.assertIn("gguf-split --merge", done.stderr)
        self.assertEqual(self.files(), [])

    def test_places_that_are_not_gone_to(self):
        self.registry.add(NAME, self.model)
        for place in ("http://example.com/x", "ftp://127.0.0.1/x", "file:///etc/passwd",
                      "http://user:pw@127.0.0.1/x", "//evil.example/x", "",
                      "http://127.evil.example/", "unix:/tmp/x.sock:/x"):
            with self.subTest(place=place):
                self.registry.location = place or " "
                done = self.pull()
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("not gone to", done.stderr)
                self.assert_nothing_usable()
        for base in ("http://example.com", "ftp://x", "127.0.0.1"):
            done = self.pull(NIGHTLIGHT_REGISTRY=base)
            self.assertEqual(done.returncode, 2)
            self.assertIn("NIGHTLIGHT_REGISTRY", done.stderr)

    def test_refusals_say_what_to_do(self):
        self.registry.status = 401
        done = self.pull()
        self.assertEqual(done.returncode, 1)
        self.assertIn("login", done.stderr)
        self.registry.status = 0
        done = self.pull("nothing:here")
        self.assertIn("404", done.stderr)
        self.assertIn("name and the tag", done.stderr)

    def test_a_registry_in_trouble_is_asked_again(self):
        for status, retry_after, pause in ((503, None, 1), (429, "2", 2)):
            with self.subTest(status=status):
                self.registry.add(NAME, self.model)
                self.registry.status, self.registry.status_left = status, 2
                self.registry.retry_after = retry_after
                done = self.pull()
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertRegex(done.stderr, rf"status {status}.*; trying again in {pause} s")
                self.assert_whole()
                self.run_it("rm", NAME)

    def test_a_registry_that_hangs_is_said_once(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            here = f"127.0.0.1:{silent.getsockname()[1]}"
            done = self.pull(NIGHTLIGHT_REGISTRY=f"http://{here}")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{here} did not answer within 20s", done.stderr)
        self.assertNotIn("trying again", done.stderr)

    def test_a_wait_that_nobody_sits_out_is_an_error(self):
        self.registry.add(NAME, self.model)
        self.registry.status, self.registry.retry_after = 429, "3600"
        done = self.pull()
        self.assertEqual(done.returncode, 1)
        self.assertIn("3600 s", done.stderr)
        self.registry.status = 0
        self.assertEqual(self.pull().returncode, 0)
        self.registry.status = 429
        done = self.pull()  # all of it is here
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("cannot be asked", done.stderr)

    def test_two_at_once_are_told(self):
        self.registry.add(NAME, self.model)
        self.registry.pace = 400_000
        process = subprocess.Popen([h.binary(), "pull", NAME], env=self.env, cwd=self.home,
                                   stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        end = time.monotonic() + 10
        while not self.files() and time.monotonic() < end:
            time.sleep(0.01)
        done = self.pull()
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"process {process.pid}", done.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "a small file system needs root")
    def test_a_full_disk_is_said_before_the_first_byte(self):
        os.makedirs(self.store)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", self.store],
                                 check=False, capture_output=True)
        if mounted.returncode:
            self.skipTest("no tmpfs here")
        self.addCleanup(subprocess.run, ["umount", self.store], check=False)
        self.registry.add(NAME, self.model)
        done = self.pull()
        self.assertEqual(done.returncode, 1)
        self.assertIn("too full", done.stderr)
        self.assertFalse([f for f in self.files()])


class Use(Case):
    """A pulled model answers; needs the engine."""

    def up(self, config):
        nl = h.Nightlight(config, {k: v for k, v in self.env.items() if k.startswith("NIGHTLIGHT")})
        self.addCleanup(nl.close)
        return nl.start()

    def say(self, nl):
        body = plain.body_for("openai", False, text="hello", model="gpt-5")
        answer = plain.ask(nl, "openai", body, [], timeout=90)
        return answer, plain.understand("openai", answer)

    def test_up_runs_the_newest_and_the_named(self):
        if not os.access(os.path.join(h.ROOT, "build/engine/bin/llama-server"), os.X_OK):
            self.skipTest("no engine is built")
        self.registry.add(NAME, self.model)
        self.assertEqual(self.pull().returncode, 0)
        for engine in ("", f'[engine]\nmodel = "{NAME}"\n'):
            with self.subTest(engine=engine):
                nl = self.up(lt.alone(engine))
                answer, said = self.say(nl)
                self.assertEqual(answer.status, 200)
                self.assertIn(lt.SELF, said.text)
                # The pulled file is ember, and ember says so under any name.
                self.assertEqual(answer.header("x-nightlight-model"), "ember")
                status = json.loads(nl.command("status", "--json").stdout)["engine"]
                self.assertIn("/models/blobs/sha256-", status["model"])
                nl.stop()

    def test_a_name_that_is_not_here_is_said_by_check(self):
        nl = h.Nightlight(lt.alone(f'[engine]\nmodel = "{NAME}"\n'), self.env)
        self.addCleanup(nl.close)
        done = nl.command("check")
        self.assertIn(f"nightlight pull {NAME}", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
