// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

#include "evidence/json.h"

#include <cstddef>

namespace conformance::json {
namespace {

// Length of the well-formed UTF-8 sequence at the start of `text`, or 0. The bounds of the
// second byte are those of the Unicode standard (table 3-7): no overlong forms, no surrogates.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  std::size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xbf;
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) length = 2;
  if (lead >= 0xe0 && lead <= 0xef) length = 3;
  if (lead >= 0xf0 && lead <= 0xf4) length = 4;
  if (lead == 0xe0) low = 0xa0;
  if (lead == 0xed) high = 0x9f;
  if (lead == 0xf0) low = 0x90;
  if (lead == 0xf4) high = 0x8f;
  if (length == 0 || text.size() < length) return 0;
  if (byte(1) < low || byte(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xbf) return 0;
  }
  return length;
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view hex = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(c);
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  if (value >= 0x20) {
    out += c;
  } else {
    out += "\\u00";
    out += hex[value >> 4];
    out += hex[value & 0xf];
  }
}

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 1) append_escaped(out, text.front());
    if (length == 0) out += "\xef\xbf\xbd";
    if (length > 1) out += text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
}

void Object::key(std::string_view name) {
  if (body_.size() > 1) body_ += ',';
  append_quoted(body_, name);
  body_ += ':';
}

Object& Object::text(std::string_view name, std::string_view value) {
  key(name);
  append_quoted(body_, value);
  return *this;
}

Object& Object::number(std::string_view name, std::int64_t value) {
  key(name);
  body_ += std::to_string(value);
  return *this;
}

Object& Object::number(std::string_view name, std::optional<std::int64_t> value) {
  return value ? number(name, *value) : null(name);
}

Object& Object::flag(std::string_view name, bool value) {
  key(name);
  body_ += value ? "true" : "false";
  return *this;
}

Object& Object::flag(std::string_view name, std::optional<bool> value) {
  return value ? flag(name, *value) : null(name);
}

Object& Object::null(std::string_view name) {
  key(name);
  body_ += "null";
  return *this;
}

Object& Object::list(std::string_view name, const std::vector<std::string>& values) {
  key(name);
  body_ += '[';
  for (const std::string& value : values) {
    if (body_.back() != '[') body_ += ',';
    append_quoted(body_, value);
  }
  body_ += ']';
  return *this;
}

Object& Object::list(std::string_view name, const std::vector<Object>& values) {
  key(name);
  body_ += '[';
  for (const Object& value : values) {
    if (body_.back() != '[') body_ += ',';
    body_ += value.str();
  }
  body_ += ']';
  return *this;
}

Object& Object::object(std::string_view name, const Object& value) {
  key(name);
  body_ += value.str();
  return *this;
}

Object& Object::pair(std::string_view name, std::int64_t first, std::int64_t second) {
  key(name);
  body_ += '[' + std::to_string(first) + ',' + std::to_string(second) + ']';
  return *this;
}

}  // namespace conformance::json
