// Owned descriptors and temporary directories. Helpers return or throw; assertions stay in the test.
#ifndef CONFORMANCE_SUPPORT_FILES_H
#define CONFORMANCE_SUPPORT_FILES_H

#include <string>
#include <utility>

namespace conformance {

// A file descriptor that closes itself. A close that fails is a failure of the test: it means that somebody
// else closed the descriptor already.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();

  int get() const { return fd_; }
  // Gives the descriptor away: the caller, or the kernel, closes it.
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

// open(2) with O_CLOEXEC; throws with the path and the errno.
Fd open_file(const char* path, int flags);

// True if `fd` is an open descriptor of this process.
bool is_open(int fd);

// A fresh directory, removed with everything in it at the end. Lies in $TMPDIR, or /tmp.
class TempDir {
 public:
  TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();

  int fd() const { return fd_.get(); }
  // Creates a file in it: O_CREAT | O_TRUNC | O_CLOEXEC and `access` (O_RDWR, O_WRONLY), mode 0666.
  Fd create(const char* name, int access) const;
  // True if it holds an entry of this name, of whatever type.
  bool has(const char* name) const;

 private:
  std::string path_;
  Fd fd_;
};

}  // namespace conformance

#endif
