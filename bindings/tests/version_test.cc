// The version in the header is that of the packages. CMake passes PROJECT_VERSION of both projects, the whole
// repository's and the binding's own.
#include <gtest/gtest.h>

#include <string>

#include <uring/uring.h>

namespace {

const std::string from_header = std::to_string(URING_VERSION_MAJOR) + "." +
                                std::to_string(URING_VERSION_MINOR) + "." +
                                std::to_string(URING_VERSION_PATCH);

TEST(Version, IsThatOfTheProjects) {
  EXPECT_EQ(from_header, EXPECTED_PROJECT_VERSION) << "CMakeLists.txt and uring/version.h differ";
  EXPECT_EQ(from_header, EXPECTED_BINDING_VERSION) << "bindings/CMakeLists.txt and uring/version.h differ";
}

}  // namespace
