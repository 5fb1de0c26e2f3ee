// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

#include "process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "children.h"
#include "system.h"

namespace runner {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t max_output = 8 * 1024;
constexpr std::size_t max_records = 4 * 1024 * 1024;
constexpr std::size_t max_pipe = 1024 * 1024;

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { reset(); }
  void reset() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

struct Pipe {
  Fd reader;
  Fd writer;
};

std::optional<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return std::nullopt;
  return Pipe{.reader = Fd(ends[0]), .writer = Fd(ends[1])};
}

// Calls sink(bytes) for the bytes that are there now. Closes the descriptor at the end of the file. Limited
// to the capacity of a pipe, because a process that floods us would otherwise keep us from looking at the
// clock.
template <typename Sink>
void drain(Fd& fd, Sink sink) {
  std::array<char, 16384> buffer;
  for (std::size_t left = max_pipe; left > 0 && fd.get() >= 0; left -= std::min(left, buffer.size())) {
    const ssize_t n = read(fd.get(), buffer.data(), buffer.size());
    if (n > 0) sink(std::string_view(buffer.data(), static_cast<std::size_t>(n)));
    if (n < 0 && errno == EAGAIN) return;
    if (n > 0 && static_cast<std::size_t>(n) < buffer.size()) return;  // there was no more
    if (n == 0 || (n < 0 && errno != EINTR)) fd.reset();
  }
}

// The working directory of an entry, removed with everything in it.
class Directory {
 public:
  Directory() {
    const char* base = std::getenv("TMPDIR");
    path_ = std::string(base != nullptr && *base != '\0' ? base : "/tmp") + "/uring-conformance-XXXXXX";
    if (mkdtemp(path_.data()) == nullptr) error_ = because("cannot make " + path_, errno);
  }
  ~Directory() { (void)remove(); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  const std::string& path() const { return path_; }
  const std::string& error() const { return error_; }

  std::error_code remove() {
    std::error_code error;
    if (error_.empty()) std::filesystem::remove_all(path_, error);
    return error;
  }

 private:
  std::string path_;
  std::string error_;
};

// The whole environment of an entry. It inherits nothing from ours: a GTEST_FILTER or LD_PRELOAD of the
// person who started us, or a kernel parameter that pid 1 gets as a variable, must not change what a test
// does. In a process that a fork server forked, the descriptor for records has another number, which the
// server adds.
std::vector<std::string> environment_of_entry(const std::string& directory, std::optional<int> records) {
  std::vector<std::string> environment{
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "HOME=" + directory,
      "TMPDIR=" + directory,
      "LC_ALL=C",
  };
  if (records)
    environment.push_back(conformance::fork_protocol::records_variable + ("=" + std::to_string(*records)));
  return environment;
}

// In the form that execve() wants.
std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (const std::string& string : strings) result.push_back(const_cast<char*>(string.c_str()));
  result.push_back(nullptr);
  return result;
}

class Run {
 public:
  Run(const Entry& entry, Stream& stream, KernelLog& log, ForkServer& server)
      : entry_(entry), stream_(stream), log_(log), server_(server) {}

  Ended run() {
    stream_.send(Object("start").text("entry", entry_.name));
    const auto taint_before = taint();
    const auto started = Clock::now();
    if (!directory_.error().empty()) {
      trouble(directory_.error());
    } else {
      if (start()) watch(started);
      clean_up();
    }
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started);
    if (stop_signal_ == 0) {
      report(elapsed.count(), taint_before);
    } else {
      // We ended the entry, so its end says nothing about it. Raised again, the signal stays pending until it
      // kills us in unblock_signals().
      (void)raise(stop_signal_);
    }
    return {.next = stream_.closed() ? Next::stop : next_, .exit = exit_};
  }

 private:
  void trouble(const std::string& text) { stream_.trouble(entry_.name + ": " + text); }
  bool start();
  bool start_anew(int output, int records);
  bool start_forked(int output, int records);
  [[noreturn]] void become_entry(int null, int output, int records, int status);
  void watch(Clock::time_point started);
  void hear_signals(int signals);
  void take_records(std::string_view bytes);
  void take_output(std::string_view bytes);
  void clean_up();
  void report(std::int64_t ms, std::optional<std::int64_t> taint_before);

  const Entry& entry_;
  Stream& stream_;
  KernelLog& log_;
  ForkServer& server_;
  Directory directory_;
  pid_t pid_ = -1;
  Fd output_;
  Fd records_;
  std::string tail_;
  std::string line_;
  std::size_t record_bytes_ = 0;
  bool timed_out_ = false;
  std::string misbehaved_;  // why the entry's own program kept it from running
  std::optional<std::int64_t> exit_;
  std::optional<std::int64_t> signal_;
  int stop_signal_ = 0;  // the signal that told us to stop
  Next next_ = Next::go_on;
};

bool Run::start() {
  auto output = make_pipe();
  auto records = make_pipe();
  if (!output || !records) {
    trouble(because("cannot make pipes", errno));
    return false;
  }
  if (!(entry_.forks ? start_forked(output->writer.get(), records->writer.get())
                     : start_anew(output->writer.get(), records->writer.get()))) {
    return false;
  }
  output_ = std::move(output->reader);
  records_ = std::move(records->reader);
  (void)fcntl(output_.get(), F_SETFL, O_NONBLOCK);
  (void)fcntl(records_.get(), F_SETFL, O_NONBLOCK);
  return true;
}

bool Run::start_forked(int output, int records) {
  const ForkRequest request{.directory = directory_.path(),
                            .environment = environment_of_entry(directory_.path(), std::nullopt),
                            .argv = entry_.argv,
                            .output = output,
                            .records = records};
  const ForkServer::Forked forked = server_.fork(entry_.argv.front(), request);
  pid_ = forked.pid;
  misbehaved_ = forked.misbehaved;
  if (!forked.error.empty()) trouble(forked.error);
  return pid_ > 0;
}

bool Run::start_anew(int output, int records) {
  auto status = make_pipe();
  const Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!status || null.get() < 0) {
    trouble(because("cannot make pipes", errno));
    return false;
  }
  pid_ = fork();
  if (pid_ < 0) {
    trouble(because("cannot fork", errno));
    return false;
  }
  if (pid_ == 0) become_entry(null.get(), output, records, status->writer.get());
  // A successful exec closes the status pipe without writing to it.
  status->writer.reset();
  int error = 0;
  ssize_t n = 0;
  do {
    n = read(status->reader.get(), &error, sizeof error);
  } while (n < 0 && errno == EINTR);
  if (n == 0) return true;
  (void)waitpid(std::exchange(pid_, -1), nullptr, 0);
  trouble(because("cannot run " + entry_.argv.front(), error));
  return false;
}

void Run::become_entry(int null, int output, int records, int status) {
  stream_.leave();
  (void)setsid();
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  unblock_signals();
  (void)signal(SIGPIPE, SIG_DFL);
  (void)dup2(null, 0);
  (void)dup2(output, 1);
  (void)dup2(output, 2);
  (void)fcntl(records, F_SETFD, 0);
  const std::vector<std::string> environment = environment_of_entry(directory_.path(), records);
  const std::vector<char*> argv = pointers(entry_.argv);
  const std::vector<char*> envp = pointers(environment);
  if (chdir(directory_.path().c_str()) == 0) (void)execve(argv[0], argv.data(), envp.data());
  const int error = errno;
  (void)!write(status, &error, sizeof error);
  _exit(127);
}

// Returns when the process is dead but not yet reaped, so that its process group can still be killed.
void Run::watch(Clock::time_point started) {
  const sigset_t heard = heard_signals();
  const Fd signals(signalfd(-1, &heard, SFD_CLOEXEC | SFD_NONBLOCK));
  if (signals.get() < 0) {
    trouble(because("cannot listen for signals", errno));
    next_ = Next::stop;
    return;
  }
  auto deadline = started + entry_.timeout;
  bool killed = false;
  for (;;) {
    siginfo_t info{};
    const int flags = WEXITED | WNOHANG | WNOWAIT;
    if (waitid(P_PID, static_cast<id_t>(pid_), &info, flags) == 0 && info.si_pid != 0) return;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    const bool stopping = next_ != Next::go_on || stream_.closed();
    if (!killed && (left <= 0ms || stopping)) {
      timed_out_ = !stopping;
      killed = true;
      deadline = Clock::now() + death_deadline;
      // The group and, in case it has not created its group yet or has left it, the process itself.
      kill_group_of(pid_);
      kill_child(pid_);
      continue;
    }
    if (left <= 0ms) return;  // it survived SIGKILL; clean_up() reports that
    std::array<pollfd, 4> fds{{{signals.get(), POLLIN, 0},
                               {output_.get(), POLLIN, 0},
                               {records_.get(), POLLIN, 0},
                               {log_.fd(), POLLIN, 0}}};
    (void)poll(fds.data(), fds.size(), static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
    if (fds[0].revents != 0) hear_signals(signals.get());
    if (fds[1].revents != 0) drain(output_, [this](std::string_view bytes) { take_output(bytes); });
    if (fds[2].revents != 0) drain(records_, [this](std::string_view bytes) { take_records(bytes); });
    if (fds[3].revents != 0) log_.read();
  }
}

void Run::hear_signals(int signals) {
  signalfd_siginfo info;
  while (read(signals, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (info.ssi_signo == static_cast<std::uint32_t>(SIGCHLD)) continue;
    // As pid 1 we have no superior in here: a signal with a sender that we can see is from an entry.
    if (getpid() == 1 && info.ssi_pid != 0) continue;
    stop_signal_ = static_cast<int>(info.ssi_signo);
    next_ = Next::stop;
  }
}

void Run::take_output(std::string_view bytes) {
  tail_ += bytes;
  if (tail_.size() > 2 * max_output) tail_.erase(0, tail_.size() - max_output);
}

void Run::take_records(std::string_view bytes) {
  if (record_bytes_ > max_records) return;
  record_bytes_ += bytes.size();
  if (record_bytes_ > max_records) {
    trouble("its records are longer than " + std::to_string(max_records) + " bytes, the rest is left out");
    return;
  }
  line_ += bytes;
  std::size_t begin = 0;
  for (std::size_t end; (end = line_.find('\n', begin)) != line_.npos; begin = end + 1) {
    const std::string_view line = std::string_view(line_).substr(begin, end - begin);
    stream_.send(Object("record").text("entry", entry_.name).text("line", line));
  }
  line_.erase(0, begin);
}

void Run::clean_up() {
  kill_group_of(pid_);  // processes that it left behind in its group
  siginfo_t info{};
  if (pid_ > 0 && waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0) {
    (info.si_code == CLD_EXITED ? exit_ : signal_) = info.si_status;
  }
  server_.end_if_it_has_children();  // then they are ours, and swept with the rest
  if (!sweep(server_.pid())) {
    trouble("a process of this entry survives SIGKILL; nothing more is run on this machine");
    next_ = Next::give_up;
  }
  drain(output_, [this](std::string_view bytes) { take_output(bytes); });
  drain(records_, [this](std::string_view bytes) { take_records(bytes); });
  if (const std::error_code error = directory_.remove()) {
    trouble("cannot remove " + directory_.path() + ": " + error.message());
  }
}

void Run::report(std::int64_t ms, std::optional<std::int64_t> taint_before) {
  if (tail_.size() > max_output) tail_.erase(0, tail_.size() - max_output);
  const bool well = exit_ == 0 && !timed_out_;
  const KernelLog::Lines log = log_.take();
  const auto taint_after = taint();
  Object end("end");
  end.text("entry", entry_.name)
      .number("exit", exit_)
      .number("signal", signal_)
      .flag("timeout", timed_out_)
      .number("ms", ms)
      .text("output", well ? "" : tail_)
      .text("partial", line_)
      .list("kmsg", log.text);
  if (!misbehaved_.empty()) end.text("misbehaved", misbehaved_);
  log.error ? end.text("kmsg_error", *log.error) : end.null("kmsg_error");
  taint_before&& taint_after ? end.pair("taint", *taint_before, *taint_after) : end.null("taint");
  stream_.send(end);
}

}  // namespace

sigset_t heard_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

void block_signals() {
  const sigset_t heard = heard_signals();
  (void)sigprocmask(SIG_BLOCK, &heard, nullptr);
  (void)signal(SIGCHLD, SIG_DFL);  // if it was ignored, our children would be gone before we look at them
  (void)signal(SIGPIPE, SIG_IGN);  // a failed write shows that the reader is gone
}

void unblock_signals() {
  const sigset_t heard = heard_signals();
  (void)sigprocmask(SIG_UNBLOCK, &heard, nullptr);
}

Ended run(const Entry& entry, Stream& stream, KernelLog& log, ForkServer& server) {
  return Run(entry, stream, log, server).run();
}

}  // namespace runner
