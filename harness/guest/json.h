// One JSON object on one line: what the runner says, it says in these.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace runner {

// Appends `text` as a JSON string. Any bytes give valid JSON: what is not UTF-8 becomes U+FFFD.
void append_quoted(std::string& out, std::string_view text);

class Object {
 public:
  explicit Object(std::string_view kind) { text("kind", kind); }

  Object& text(std::string_view key, std::string_view value);
  Object& number(std::string_view key, std::int64_t value);
  Object& number(std::string_view key, std::optional<std::int64_t> value);  // null without a value
  Object& flag(std::string_view key, bool value);
  Object& null(std::string_view key);
  Object& list(std::string_view key, const std::vector<std::string>& values);
  Object& pair(std::string_view key, std::int64_t first, std::int64_t second);

  // The whole line, with its newline.
  std::string line() const { return body_ + "}\n"; }

 private:
  void key(std::string_view name);

  std::string body_ = "{";
};

}  // namespace runner
