// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// One JSON object on one line: what the conformance program records and what the runner says (harness/guest).
// A failure message, the kernel's log and what a binding prints may hold any bytes: valid UTF-8 is written as
// it is, and every byte that belongs to none becomes U+FFFD, as decoders write it. A record is always one
// valid line.
#ifndef CONFORMANCE_EVIDENCE_JSON_H
#define CONFORMANCE_EVIDENCE_JSON_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conformance::json {

// Appends `text` as a JSON string, quotes included.
void append_quoted(std::string& out, std::string_view text);

class Object {
 public:
  Object() = default;
  explicit Object(std::string_view kind) { text("kind", kind); }

  Object& text(std::string_view key, std::string_view value);
  Object& number(std::string_view key, std::int64_t value);
  Object& number(std::string_view key, std::optional<std::int64_t> value);  // null without a value
  Object& flag(std::string_view key, bool value);
  Object& flag(std::string_view key, std::optional<bool> value);  // null without a value
  Object& null(std::string_view key);
  Object& list(std::string_view key, const std::vector<std::string>& values);
  Object& list(std::string_view key, const std::vector<Object>& values);
  Object& pair(std::string_view key, std::int64_t first, std::int64_t second);
  Object& object(std::string_view key, const Object& value);

  std::string str() const { return body_ + '}'; }
  std::string line() const { return body_ + "}\n"; }

 private:
  void key(std::string_view name);

  std::string body_ = "{";
};

}  // namespace conformance::json

#endif
