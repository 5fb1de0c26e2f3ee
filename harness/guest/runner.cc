// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// runner: executes a plan, one process per entry, and reports what happens as it happens.
//
//   runner --plan FILE [--records-fd N]     on a host; the lines go to descriptor N, or standard output
//   (as pid 1, without --plan)              in a guest; the plan is /plan, which comes with the programs in
//                                           the payload; the lines go to the hypervisor
//
// A plan has one line per entry, with fields separated by tabs: name, timeout in seconds, how the program is
// started ("exec", or "fork" from one that is already running: see fork_server.h), program and arguments.
// "fork unless NAME" leaves the entry out if the earlier entry NAME exited with 77.
// Lines of the stream, one JSON object each:
//
//   ready    in a guest: it has booted and waits for its payload
//   hello    which kernel this is, before anything else
//   start    an entry starts
//   record   one complete line that the entry wrote to the descriptor named by URING_RECORDS_FD
//   skip     an entry is left out
//   end      how the entry ended, with the kernel's log and taint from that time
//   trouble  something on our own side failed
//   bye      the plan is done; with the kernel's log since the last entry
//
// It never judges, and does not know what a record means.

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "channel.h"
#include "children.h"
#include "fork_server.h"
#include "kernel_log.h"
#include "payload.h"
#include "pid_namespace.h"
#include "process.h"
#include "shared_memory.h"
#include "system.h"

namespace runner {
namespace {

constexpr const char* guest_plan = "/plan";

// Returns null, or the reason why the line is not an entry.
const char* parse_entry(std::string_view line, Entry& entry) {
  std::vector<std::string> fields;
  for (std::size_t tab; (tab = line.find('\t')) != line.npos; line.remove_prefix(tab + 1)) {
    fields.emplace_back(line.substr(0, tab));
  }
  fields.emplace_back(line);
  if (fields.size() < 4) return "has fewer than four fields";
  double timeout_s = 0;
  const std::string& timeout = fields[1];
  const auto parsed = std::from_chars(timeout.data(), timeout.data() + timeout.size(), timeout_s);
  if (parsed.ec != std::errc{} || *parsed.ptr != '\0' || !(timeout_s > 0 && timeout_s < 1e6)) {
    return "has no timeout in its second field";
  }
  constexpr std::string_view unless = " unless ";
  const std::size_t manner_end = std::min(fields[2].find(unless), fields[2].size());
  const std::string manner = fields[2].substr(0, manner_end);
  if (manner != "exec" && manner != "fork") return "has neither exec nor fork in its third field";
  if (manner_end < fields[2].size()) entry.unless = fields[2].substr(manner_end + unless.size());
  entry.name = fields[0];
  entry.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(timeout_s * 1000));
  entry.forks = manner == "fork";
  entry.argv.assign(fields.begin() + 3, fields.end());
  return nullptr;
}

// Returns an empty string, or the reason why it failed.
std::string read_plan(const char* path, std::vector<Entry>& plan) {
  std::ifstream file(path);
  if (!file) return because(std::string("cannot read the plan ") + path, errno);
  for (std::string line; std::getline(file, line);) {
    Entry entry;
    if (const char* error = parse_entry(line, entry)) return "the plan's line \"" + line + "\" " + error;
    plan.push_back(std::move(entry));
  }
  return {};
}

// Returns false if the plan was not finished.
bool execute(const char* plan_path, Stream& stream, bool in_guest) {
  std::vector<Entry> plan;
  if (const std::string error = read_plan(plan_path, plan); !error.empty()) {
    stream.trouble(error);
    return false;
  }
  KernelLog log;
  ForkServer server;
  stream.send(hello(plan.size()));
  bool goes_on = true;
  std::set<std::string> were_refused;
  for (const Entry& entry : plan) {
    if (were_refused.contains(entry.unless)) {
      stream.send(Object("skip").text("entry", entry.name).text("unless", entry.unless));
      continue;
    }
    if (in_guest) KernelLog::mark("start " + entry.name);
    const Ended ended = run(entry, stream, log, server);
    if (ended.exit == refused) were_refused.insert(entry.name);
    goes_on = ended.next == Next::go_on;
    if (!goes_on) break;
  }
  server.stop();
  if (!sweep(-1)) stream.trouble("a process that a program left behind survives SIGKILL");
  if (!goes_on) return false;
  const KernelLog::Lines rest = log.take();
  Object bye("bye");
  bye.list("kmsg", rest.text);
  rest.error ? bye.text("kmsg_error", *rest.error) : bye.null("kmsg_error");
  stream.send(bye);
  return !stream.closed();
}

int main_in_guest() {
  const std::vector<std::string> problems = prepare_guest();
  std::string error;
  const std::unique_ptr<Channel> channel = guest_channel(error);
  if (channel == nullptr) {
    (void)std::fprintf(stderr, "runner: %s\n", error.c_str());  // the console is all there is
  } else {
    Stream stream(*channel);
    for (const std::string& problem : problems) stream.trouble(problem);
    for (const std::string& problem : prepare_process()) stream.trouble(problem);
    block_signals();
    stream.send(Object("ready"));
    const std::span<const char> payload = map_payload(error);
    if (error.empty()) error = unpack_payload(payload);
    if (error.empty()) channel->use(map_results(error));
    if (error.empty()) {
      (void)execute(guest_plan, stream, true);
    } else {
      stream.trouble(error);
    }
  }
  power_off();
  return 1;
}

// Returns the exit code.
int run_on_host(const char* plan, Channel& channel) {
  Stream stream(channel);
  for (const std::string& problem : prepare_process()) stream.trouble(problem);
  // We adopt the orphans of an entry, so that none is left running.
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) stream.trouble(because("cannot adopt orphans", errno));
  return execute(plan, stream, false) ? 0 : 1;
}

int main_on_host(const char* plan, int records_fd) {
  const std::unique_ptr<Channel> channel = descriptor_channel(records_fd);
  const auto work = [&] { return run_on_host(plan, *channel); };
  block_signals();
  const std::optional<int> code = in_pid_namespace(work);
  const int result = code ? *code : work();
  unblock_signals();
  return result;
}

}  // namespace
}  // namespace runner

int main(int argc, char** argv) {
  const char* plan = nullptr;
  int records_fd = STDOUT_FILENO;
  // The kernel passes pid 1 whatever it did not understand on its own command line.
  bool understood = argc % 2 == 1;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    const char* value = argv[i + 1];
    if (option == "--plan") {
      plan = value;
    } else if (option == "--records-fd") {
      const auto parsed = std::from_chars(value, value + std::strlen(value), records_fd);
      understood = understood && parsed.ec == std::errc{} && *parsed.ptr == '\0';
    } else {
      understood = false;
    }
  }
  if (plan == nullptr && getpid() == 1) return runner::main_in_guest();
  if (plan == nullptr || !understood) {
    (void)std::fputs("usage: runner --plan FILE [--records-fd N]\n", stderr);
    return 2;
  }
  return runner::main_on_host(plan, records_fd);
}
