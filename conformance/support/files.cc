#include "support/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace conformance {

Fd::~Fd() {
  // close(2): never repeated after EINTR, the descriptor is gone all the same.
  if (fd_ >= 0 && close(fd_) != 0 && errno != EINTR) {
    ADD_FAILURE() << "close(" << fd_ << ") failed: " << strerrorname_np(errno);
  }
}

Fd open_file(const char* path, int flags) {
  const int fd = open(path, flags | O_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), std::string("open ") + path);
  return Fd(fd);
}

bool is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

TempDir::TempDir() {
  const char* base = std::getenv("TMPDIR");
  path_ = std::string(base != nullptr ? base : "/tmp") + "/uring-conformance-XXXXXX";
  if (mkdtemp(path_.data()) == nullptr)
    throw std::system_error(errno, std::generic_category(), "mkdtemp " + path_);
  fd_ = open_file(path_.c_str(), O_RDONLY | O_DIRECTORY);
}

TempDir::~TempDir() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
  if (error) ADD_FAILURE() << "cannot remove " << path_ << ": " << error.message();
}

Fd TempDir::create(const char* name, int access) const {
  const int fd = openat(fd_.get(), name, access | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), std::string("create ") + name);
  return Fd(fd);
}

bool TempDir::has(const char* name) const {
  struct stat ignored {};
  if (fstatat(fd_.get(), name, &ignored, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (errno != ENOENT)
    throw std::system_error(errno, std::generic_category(), std::string("fstatat ") + name);
  return false;
}

}  // namespace conformance
